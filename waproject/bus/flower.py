"""`celery -A waproject flower` on the bus, refused without authentication."""

import asyncio
from typing import Any

import click
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from waproject.bus import control, queues
from waproject.bus.flower_login import Throttle, throttled
from waproject.queues import LANES
from waproject.sqs.control import client, depth

# A command and its reply take several SQS requests; Flower's default is one second.
INSPECT_TIMEOUT_MS = 1500.0


def is_this_process() -> bool:
    """Whether the command line is `celery … flower`."""
    context = click.get_current_context(silent=True)
    return context is not None and context.info_name == "flower"


def prepare(app: Any) -> None:
    """Configure Flower; called while it starts, after its options are read and before it uses them.

    Raises ImproperlyConfigured without the bus, since Flower would show nothing, and without a log-in, since Flower
    then shows every task to anyone.
    """
    from flower import events, views
    from flower.options import options
    from flower.views.monitor import Metrics
    from tornado.web import authenticated

    queues.bus()
    if not (options.basic_auth or options.auth):
        raise ImproperlyConfigured("Flower would be open to anyone: set FLOWER_BASIC_AUTH=user:password.")
    if any(not entry.partition(":")[2] for entry in options.basic_auth or ()):
        raise ImproperlyConfigured("FLOWER_BASIC_AUTH must be user:password, neither of them empty.")
    options.inspect_timeout = max(options.inspect_timeout, INSPECT_TIMEOUT_MS)
    # Workers always send events; Flower would send each of them an `enable_events` every five seconds.
    options.enable_events = False
    options.read_only = settings.FLOWER_READ_ONLY
    control.use_reply_queue(queues.FLOWER)
    events.EventReceiver = app.events.Receiver
    views.Broker = Broker
    Metrics.get = authenticated(Metrics.get)
    views.BaseHandler.get_current_user = throttled(views.BaseHandler.get_current_user, Throttle())


class Broker:
    """Queue depths for Flower's broker page; Flower itself does not support SQS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    async def queues(self, names: list[str]) -> list[dict[str, Any]]:
        """The depths of all lanes, also of those whose workers have sent no event yet. Raises botocore's errors."""
        return await asyncio.gather(*(asyncio.to_thread(_lane, name) for name in LANES))


def _lane(name: str) -> dict[str, Any]:
    found = depth(client(settings.AWS_REGION), LANES[name].url)
    return {
        "name": name,
        "messages": found.total,
        "messages_ready": found.waiting,
        "messages_unacknowledged": found.in_flight,
    }
