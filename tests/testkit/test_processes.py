"""Processes of a run: their readiness, their CPU, and the guard that ends them with the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from testkit.guard import Guard
from testkit.processes import Process, inherited_environment, python
from testkit.waiting import NotReady
from tests.waiting import eventually


@pytest.mark.slow("starts interpreters")
def test_a_process_that_exits_early_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    command = python("-c", "raise SystemExit('no queue')")
    with (
        pytest.raises(NotReady, match="no queue"),
        Process(command, {}, tmp_path / "broken.log", lambda text: "ready" in text),
    ):
        pass


def test_the_cpu_of_ended_children_counts(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {burn!r}]); print('x'); time.sleep(60)"
    command = python("-u", "-c", code)
    with Process(command, inherited_environment(), tmp_path / "parent.log", lambda text: "x" in text) as process:
        # The kernel counts in ticks of 10 ms, for each of the processes.
        assert process.cpu_s() >= 0.25


@pytest.mark.slow("starts interpreters")
def test_a_restarted_process_is_ready_by_its_own_log_lines(tmp_path: Path) -> None:
    code = "import sys, time; print('ready' if sys.stdin.isatty() else 'up', flush=True); time.sleep(60)"
    process = Process(python("-c", code), inherited_environment(), tmp_path / "one.log", lambda text: "up" in text)
    with process:
        process.kill()
        process.start()
        process.wait_ready()
        assert (process.is_alive(), process.text()) == (True, "up\n")


def test_a_process_does_not_outlive_the_run_that_started_it() -> None:
    guard = Guard()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    guard.watch(process.pid)
    guard.end()
    assert eventually(lambda: process.poll() == -9)


def test_the_guard_does_not_kill_a_group_that_has_ended() -> None:
    guard = Guard()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    guard.watch(process.pid)
    guard.forget(process.pid)
    guard.end()
    assert process.poll() is None
    process.communicate(b"\n")
