"""A container's health check asks the process's own heartbeat."""

import http.server
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.ports import free_port
from tests.processes import CHECKOUT
from tests.servers.http import Handler, serving
from tests.waiting import eventually, never
from waproject import heartbeat
from waproject.heartbeat import LATE_S, Heartbeat
from waproject.worker import liveness
from waproject.worker.liveness import LivenessReporter, Process

NOW = 1_800_000_000.0


def beat(directory: Path, name: str, age: float) -> None:
    Heartbeat(name, directory).beat()
    os.utime(directory / f"{name}-{os.getpid()}", (NOW - age, NOW - age))


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ([], "has not started"),
        ([1], ""),
        ([LATE_S - 1], ""),
        ([LATE_S + 1], "91 s old"),
        ([LATE_S + 1, 3], ""),
    ],
)
def test_a_process_with_a_recent_heartbeat_is_healthy(tmp_path: Path, ages: list[float], said: str) -> None:
    for number, age in enumerate(ages):
        beat(tmp_path, f"process{number}", age)
    found = heartbeat.fault(NOW, tmp_path)
    assert (found == "") == (said == "") and said in found


def test_a_directory_that_cannot_be_made_is_no_error_of_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Heartbeat("dispatcher", tmp_path / "file").beat()
    assert "cannot write" in heartbeat.fault(NOW, tmp_path / "file")


def test_the_heartbeat_continues_while_the_liveness_store_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def __getattr__(self, name: str) -> object:
            def word(*_: object) -> None:
                raise OSError("away")

            return word

    monkeypatch.setattr(liveness, "_stores", [Away()])
    monkeypatch.setattr(heartbeat, "_directory", lambda: tmp_path)
    life = LivenessReporter(Process("dispatcher", "dispatcher@here"), every=0.01)
    life.start()
    assert eventually(lambda: heartbeat.fault(time.time()) == "")
    life.end()
    assert list(tmp_path.iterdir()) == []


def test_a_hanging_event_loop_has_no_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop answered once, and then no more."""
    asked: list[float] = []

    class LivenessStore:
        def __getattr__(self, name: str) -> object:
            return lambda *_: None

    def ask() -> None:
        if not asked:
            life.progress()
        asked.append(time.monotonic())

    monkeypatch.setattr(liveness, "_stores", [LivenessStore()])
    monkeypatch.setattr(heartbeat, "_directory", lambda: tmp_path)
    life = LivenessReporter(Process("incoming", "incoming@here"), every=0.01, stalled_after=1.0)
    life.request_progress = ask
    life.start()
    (file,) = [tmp_path / f"incoming-{os.getpid()}"]
    assert eventually(file.exists)
    last = asked[-1]
    assert eventually(lambda: asked[-1] > last + 1.5)
    before = file.stat().st_mtime_ns
    assert never(lambda: file.stat().st_mtime_ns != before, 0.2, every=0.02)
    life.end()


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "waproject.heartbeat", *arguments],
        env={"PATH": os.environ["PATH"], **environment}, cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_prints_why_a_process_is_unhealthy(tmp_path: Path) -> None:
    done = command(TMPDIR=str(tmp_path))
    assert (done.returncode, "has not started" in done.stderr) == (1, True)


def test_the_command_accepts_a_recent_heartbeat(tmp_path: Path) -> None:
    Heartbeat("beat", tmp_path / f"waproject-heartbeats-{os.getuid()}").beat()
    assert command(TMPDIR=str(tmp_path)).returncode == 0


def test_the_command_needs_no_django() -> None:
    code = "import sys; import waproject.heartbeat; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False).returncode == 0


@pytest.fixture
def server() -> Iterator[str]:
    """Answers 200 at /health/live and 503 elsewhere."""

    class Web(Handler):
        def do_GET(self) -> None:
            self.answer(200 if self.path == "/health/live" else 503)

    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)) as url:
        yield url


@pytest.mark.parametrize(("path", "said"), [("/health/live", ""), ("/", "answers 503")])
def test_a_server_that_answers_200_is_healthy(server: str, path: str, said: str) -> None:
    found = heartbeat.http_fault(server + path)
    assert (found == "") == (said == "") and said in found


def test_a_server_that_does_not_listen_is_unhealthy() -> None:
    assert "does not answer" in heartbeat.http_fault(f"http://127.0.0.1:{free_port()}/health/live")
