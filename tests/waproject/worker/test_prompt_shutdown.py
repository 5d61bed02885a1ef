"""An idle worker reacts to a shutdown signal at once."""

import threading

from celery import signals
from kombu.asynchronous import Hub

from tests.waiting import PATIENCE_S
from waproject.worker.prompt_shutdown import wake_on_shutdown


def test_a_shutdown_signal_wakes_an_idle_workers_event_loop() -> None:
    hub = Hub()
    hub.call_later(50, lambda: None)
    wake_on_shutdown(hub)
    loop = threading.Thread(target=hub.run_once, daemon=True)
    loop.start()
    loop.join(0.1)
    assert loop.is_alive()
    signals.worker_shutting_down.send(sender="worker")
    loop.join(PATIENCE_S)
    assert not loop.is_alive()
