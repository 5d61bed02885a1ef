"""`celery -A waproject flower` on the bus, refused without authentication."""

import asyncio
from typing import Any

import click
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from waproject.bus import control, queues
from waproject.queues import LANES
from waproject.sqs.control import client, depth

# A worker that polls its queue and answers needs a few requests to SQS; Flower's own default is a second.
INSPECT_TIMEOUT_MS = 1500.0


def is_this_process() -> bool:
    """Whether the command line is `celery … flower`."""
    context = click.get_current_context(silent=True)
    return context is not None and context.info_name == "flower"


def prepare(app: Any) -> None:
    """Called while Flower starts, after its options are read and before it uses them.

    Raises ImproperlyConfigured without the bus, which is all that it could show, and without a log-in: its pages list
    every task, and it asks nobody who they are unless it is told to.
    """
    from flower import events, views
    from flower.options import options
    from flower.views.monitor import Metrics
    from tornado.web import authenticated

    queues.bus()
    if not (options.basic_auth or options.auth):
        raise ImproperlyConfigured("Flower would be open to anybody: set FLOWER_BASIC_AUTH=user:password.")
    if any(not entry.partition(":")[2] for entry in options.basic_auth or ()):
        raise ImproperlyConfigured("FLOWER_BASIC_AUTH must be user:password, neither of them empty.")
    options.inspect_timeout = max(options.inspect_timeout, INSPECT_TIMEOUT_MS)
    # The workers send events anyway; Flower would tell each of them to, every five seconds.
    options.enable_events = False
    options.read_only = settings.FLOWER_READ_ONLY
    control.answer_to(queues.FLOWER)
    events.EventReceiver = app.events.Receiver
    views.Broker = Broker
    Metrics.get = authenticated(Metrics.get)


class Broker:
    """What Flower's broker page asks: how many messages the lanes' queues hold. Flower itself knows no SQS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    async def queues(self, names: list[str]) -> list[dict[str, Any]]:
        """Of all lanes, also those whose workers have not been heard yet. Raises botocore's errors."""
        return await asyncio.gather(*(asyncio.to_thread(_lane, name) for name in LANES))


def _lane(name: str) -> dict[str, Any]:
    found = depth(client(settings.AWS_REGION), LANES[name].url)
    return {
        "name": name,
        "messages": found.total,
        "messages_ready": found.waiting,
        "messages_unacknowledged": found.in_flight,
    }
