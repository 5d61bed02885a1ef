"""Liveness reports of Celery's processes."""

import atexit
import os
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, signals
from celery.beat import Scheduler, Service

from monitoring.health import celery_liveness
from monitoring.health.task_progress import TaskProgress
from waproject.worker import liveness


class Hub:
    """An event loop that keeps its readers."""

    def __init__(self) -> None:
        self.readers: dict[int, Callable[[], None]] = {}

    def add_reader(self, end: int, called: Callable[[], None]) -> None:
        self.readers[end] = called


@pytest.fixture(autouse=True)
def _of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reporter of another test, and no store: nothing is started."""
    for name in ("_lives", "_wakers"):
        monkeypatch.setattr(celery_liveness, name, [])
    monkeypatch.setattr(liveness, "_stores", [])
    monkeypatch.setattr(atexit, "register", lambda _: None)
    for signal in (signals.worker_ready, signals.worker_shutdown, signals.beat_init):
        monkeypatch.setattr(signal, "receivers", [])
    celery_liveness.install()


class Sender:
    """A sender of signals. Celery looks it up by its hash, which a SimpleNamespace does not have."""

    def __init__(self, **facts: Any) -> None:
        vars(self).update(facts)


def beat() -> Any:
    """Celery's beat."""
    return Sender(scheduler=SimpleNamespace(tick=lambda: 5.0))


def worker(hub: Hub | None) -> Any:
    """A worker of the lane outgoing."""
    queues = SimpleNamespace(consume_from={"outgoing": None})
    return Sender(app=SimpleNamespace(amqp=SimpleNamespace(queues=queues)), hostname="outgoing@a", hub=hub)


def test_a_worker_reports_for_its_lane_whether_its_tasks_end() -> None:
    signals.worker_ready.send(sender=worker(None))
    (life,) = celery_liveness._lives
    assert (life.process.kind, life.process.name, life._stalled_after) == ("outgoing", "outgoing@a", 30.0)
    assert life.makes_progress.__func__ is TaskProgress.is_made  # type: ignore[attr-defined]


def test_a_worker_that_reconnects_keeps_one_reporter_on_its_new_event_loop() -> None:
    hub = Hub()
    signals.worker_ready.send(sender=worker(hub))
    (life,) = celery_liveness._lives
    (waker,) = celery_liveness._wakers
    hub.readers.clear()
    signals.worker_ready.send(sender=worker(hub))
    assert celery_liveness._lives == [life]
    ((end, called),) = hub.readers.items()
    life.request_progress()
    before = life._progress
    assert os.read(end, 10) == b"x"
    called()
    assert (before, life._progress is None) == (None, False)
    waker.close()


def test_beat_reports_under_its_hosts_name_until_it_exits(monkeypatch: pytest.MonkeyPatch) -> None:
    at_exit: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    signals.beat_init.send(sender=beat())
    (life,) = celery_liveness._lives
    assert (life.process.kind, life.process.name) == ("beat", f"beat@{socket.gethostname()}")
    (end,) = at_exit
    end()
    assert (celery_liveness._lives, life._ending.is_set()) == ([], True)


def test_a_beat_whose_scheduler_hangs_counts_as_stalled() -> None:
    """Celery's own beat, with a scheduler whose second turn begins long after its first."""
    stalled: list[bool] = []

    class Hanging(Scheduler):
        def tick(self, *_: Any, **__: Any) -> float:
            (life,) = celery_liveness._lives
            stalled.append(life._stalled())
            assert life._progress is not None
            life._progress -= 61
            stalled.append(life._stalled())
            if len(stalled) == 4:
                raise SystemExit
            return 0.0

    app = Celery("hanging", set_as_current=False)
    app.conf.beat_enable_remote_control = False
    Service(app, scheduler_cls=Hanging).start()
    assert stalled == [False, True, False, True]


def test_a_worker_that_stops_reports_no_more() -> None:
    signals.worker_ready.send(sender=worker(None))
    (life,) = celery_liveness._lives
    signals.worker_shutdown.send(sender=None)
    assert (celery_liveness._lives, life._ending.is_set()) == ([], True)


def test_a_process_starts_to_report_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(liveness.LivenessReporter, "start", lambda life: started.append(life.process.kind))
    signals.worker_ready.send(sender=worker(None))
    signals.beat_init.send(sender=beat())
    assert started == ["outgoing", "beat"]
