"""A run goes on when a part of it ends, and stops without a traceback."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.local import LocalError, run, stop
from deploy.local.accounts import OVERFLOW_ID
from deploy.local.plan import Plan, lock_file
from deploy.local.ports import DEFAULTS
from deploy.local.programs import Program
from deploy.local.readiness import Readiness
from deploy.local.session import Session
from testkit.ports import free_ports
from tests.processes import CHECKOUT
from tests.waiting import eventually

pytestmark = pytest.mark.enable_socket
# It counts its runs, and fails the first.
MANAGE = """import pathlib, sys
runs = pathlib.Path("runs")
runs.write_text((runs.read_text() if runs.exists() else "") + ".")
sys.exit("the database is starting up" if len(runs.read_text()) == 1 else 0)
"""
NO_PROC = """import sys
from pathlib import Path
from deploy.local import orphans
orphans._lives = lambda pid: orphans._send(pid, 0)  # as on a system without /proc
sys.exit(orphans.end_orphans(Path(sys.argv[1]), [0], 0.1))
"""


@pytest.fixture
def session(tmp_path: Path, port: int) -> Iterator[Session]:
    """A run of the SQS server alone, whose first preparation fails."""
    (tmp_path / "manage.py").write_text(MANAGE)
    ports = dict.fromkeys(("SQS_PORT", "SANDBOX_PORT"), str(port))
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, **ports, "PATH": path, "PYTHONPATH": str(CHECKOUT), "VAR_DIR": str(tmp_path / "var")}
    sqs = Program("sqs", "parts", f"{sys.executable} -m deploy.local.sqs")
    running = Session(Plan(tmp_path, tmp_path / "var", {}, env, [sqs], []))
    running._supervisor.configure([sqs])
    running._readiness = Readiness(running._supervisor, running.say)
    running._supervisor.start(env)
    yield running
    running.stop()


def test_a_preparation_that_fails_is_tried_again(session: Session, tmp_path: Path) -> None:
    def runs() -> int:
        return len((tmp_path / "runs").read_text()) if (tmp_path / "runs").exists() else 0

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(session.watch)
        try:
            assert eventually(lambda: session._pids.get("sqs", 0) > 0)
            os.kill(session._pids["sqs"], signal.SIGKILL)
            assert eventually(lambda: runs() == 2 or watching.done())
            assert (runs(), watching.done()) == (2, False)
        finally:
            session._supervisor.stop()
        with pytest.raises(LocalError, match="supervisord ended"):
            watching.result()


def test_a_program_that_never_ran_ends_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", NO_PROC, str(tmp_path)], cwd=CHECKOUT, start_new_session=True, check=False
    )
    assert ended.returncode == 0


def test_a_run_that_ends_as_it_is_stopped_is_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert stop._stop(ended.pid, tmp_path) == 0
    assert capsys.readouterr().out == "Stopped.\n"


def test_a_run_of_another_user_is_not_stopped_and_said_to_be_theirs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        private = lock_file(Path(directory)).parent
        private.chmod(0)
        monkeypatch.setenv("VAR_DIR", directory)
        try:
            with as_an_ordinary_user():
                status = stop.main()
        finally:
            private.chmod(0o700)
    assert (status, "is it another user's?" in capsys.readouterr().err) == (1, True)


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Root may read everything."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(OVERFLOW_ID)
    try:
        yield
    finally:
        os.seteuid(mine)


@pytest.fixture
def idle(tmp_path: Path) -> Session:
    """A run of nothing, whose preparation succeeds."""
    (tmp_path / "manage.py").write_text("print('prepared')")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, **dict.fromkeys(("SQS_PORT", "SANDBOX_PORT"), "1"), "PATH": path}
    (tmp_path / "var" / "log").mkdir(parents=True)
    idle = Session(Plan(tmp_path, tmp_path / "var", {}, env, [], []))
    idle._readiness = Readiness(idle._supervisor, idle.say)
    return idle


def test_a_preparation_whose_log_cannot_be_written_counts(idle: Session, tmp_path: Path) -> None:
    (tmp_path / "var" / "log" / "prepare.log").mkdir()
    idle._is_prepared = False
    idle._prepare_again()
    assert idle._is_prepared


def test_a_preparation_that_cannot_be_started_is_tried_again(idle: Session, capsys: pytest.CaptureFixture[str]) -> None:
    idle._plan.env["PATH"] = ""
    idle._is_prepared = False
    idle._prepare_again()
    assert not idle._is_prepared
    assert "cannot be prepared: No such file or directory.; trying again" in capsys.readouterr().out


def test_a_signal_that_comes_as_a_failed_run_ends_leaves_no_process_behind(
    idle: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[bool] = []
    before = {number: signal.getsignal(number) for number in run.SIGNALS}
    change = signal.signal

    def interrupted(number: int, handler: Any) -> None:
        monkeypatch.setattr(signal, "signal", change)
        signal.raise_signal(signal.SIGINT)

    def fail(session: Session) -> None:
        monkeypatch.setattr(signal, "signal", interrupted)
        raise LocalError("a program does not become ready")

    monkeypatch.setattr(Session, "stop", lambda _: stopped.append(True))
    monkeypatch.setattr(Session, "start", fail)
    signal.signal(signal.SIGINT, run._stop)
    try:
        with pytest.raises(run.Stop):
            run._serve(idle._plan)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert stopped == [True]


def test_a_failure_whose_traceback_cannot_be_stored_is_one_sentence(checkout: Path) -> None:
    (checkout / "var").mkdir()
    (checkout / "var" / "log").write_text("a file in the place of the directory of logs")
    ports = {name: str(port) for name, port in free_ports(DEFAULTS).items()}
    env = {**os.environ, **ports, "VAR_DIR": "", "PYTHONPATH": str(CHECKOUT)}
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.local.run"], env=env, cwd=checkout, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert ended.stderr.startswith("make run failed unexpectedly (FileExistsError")
