"""Events on the bus, as Celery's own tools read them."""

import io
import json

from celery.events.dumper import Dumper

from waproject.bus import masking, messages, queues
from waproject.bus.addresses import Addresses
from waproject.bus.events import Receiver
from waproject.celery import app

RECEIVED = {
    "type": "task-received",
    **{"hostname": "incoming@host", "timestamp": 1.0, "utcoffset": 0, "clock": 1},
    **{"uuid": "7", "name": "messaging.receive", "args": "['+15551230001']", "kwargs": "{}"},
}


def test_celerys_dump_prints_a_received_task_without_its_arguments(bus: Addresses) -> None:
    queues.create(bus.events, queues.EVENTS_KEPT_S)
    messages.send(bus.events, json.dumps([masking.event(RECEIVED)]))
    printed = io.StringIO()
    Receiver(handlers={"*": Dumper(printed).on_event}, app=app).capture(limit=1, wakeup=False)
    queues.delete(bus.events)
    assert (
        "incoming@host [1970-01-01 00:00:01+00:00] task received: messaging.receive(7) args=… kwargs=…"
        in printed.getvalue()
    )
