"""A worker that is told to stop does not sleep on."""

import threading

from celery import signals
from kombu.asynchronous import Hub

from waproject.worker.prompt_shutdown import stop_at_once


def test_an_idle_workers_event_loop_wakes_when_the_worker_is_told_to_stop() -> None:
    hub = Hub()
    hub.call_later(50, lambda: None)
    stop_at_once(hub)
    loop = threading.Thread(target=hub.run_once, daemon=True)
    loop.start()
    loop.join(0.1)
    assert loop.is_alive()
    signals.worker_shutting_down.send(sender="worker")
    loop.join(5)
    assert not loop.is_alive()
