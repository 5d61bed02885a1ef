"""The Celery application: `celery -A waproject worker -Q incoming|outgoing|analytics`, `beat` and `flower`."""

import logging.config
import os
import threading
import time
from typing import Any

from celery import Celery, signals
from celery.utils.nodenames import gethostname, nodename
from django.conf import settings

from waproject import start_errors
from waproject.logs import task_log  # noqa: F401 - its signal handlers
from waproject.logs.format import name_process, process_name

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")

# Seconds in which a database connection of a task's thread is taken to work after it was checked.
CHECKED_EVERY_S = 1.0
_checked = threading.local()

# For worker, beat and Flower, whose main functions are Celery's. Settings that cannot be read end the process here:
# where Celery reads them first, in a signal, it would log the traceback and go on.
start_errors.install()
with start_errors.in_words():
    settings.DEPLOYMENT  # noqa: B018 - reading it is the point
app = Celery("waproject")
# The current application is a thread's own; the web process publishes from other threads than this.
app.set_default()
app.config_from_object("waproject.worker.celery_config")
app.events_cls, app.control_cls = "waproject.bus.events:Events", "waproject.bus.control:Control"
app.steps["consumer"].add("waproject.bus.node:NodeStep")
app.steps["consumer"].add("waproject.worker.database_gate:GateStep")
app.steps["worker"].add("waproject.worker.prefork:Prefork")
app.autodiscover_tasks(["messaging.incoming", "messaging.outgoing", "analytics"])


@signals.celeryd_init.connect
def take_the_lane_from_the_table(sender: str, instance: Any, conf: Any, options: dict[str, Any], **_: Any) -> None:
    """Give a worker its lane's name, concurrency and prefetch, so that `-Q outgoing` is all that it must be told.

    What the command line says (`-n`, `-c`) wins.
    """
    from waproject.queues import LANES
    from waproject.worker.node_name import free_name

    queues = options.get("queues") or ()
    names = queues.split(",") if isinstance(queues, str) else list(queues)
    if len(names) != 1 or names[0] not in LANES:
        raise SystemExit(f"A worker serves one lane: -Q with one of {', '.join(LANES)}.")
    lane = LANES[names[0]]
    name_process(lane.name)
    # The banner is for people; a line of a log is one object.
    instance.quiet = instance.quiet or settings.LOG_FORMAT == "json"
    if sender.startswith("celery@"):
        instance.hostname = nodename(settings.WORKER_NAME or free_name(lane.name, lane.url), gethostname())
    conf.worker_concurrency = lane.concurrency
    conf.worker_prefetch_multiplier = lane.prefetch_multiplier
    conf.task_time_limit = lane.task_time_limit


@signals.worker_init.connect
def take_the_pool_from_the_table(sender: Any, **_: Any) -> None:
    """Use the lane's kind of pool unless `-P` asked for another one than Celery's default, prefork."""
    from waproject.queues import LANES

    (name,) = sender.app.amqp.queues.consume_from
    if getattr(sender.pool_cls, "__module__", "") == "celery.concurrency.prefork":
        sender.pool_cls = LANES[name].pool


@signals.beat_init.connect
def name_beat(**_: Any) -> None:
    """Its log lines say which process they are of."""
    name_process("beat")


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_to_start_without_the_key(**_: Any) -> None:
    """A worker or beat that may not use the KMS key of its queues does not start."""
    from waproject.worker import key_access

    with start_errors.in_words():
        key_access.refuse_without_key(process_name())


@signals.worker_init.connect
def say_no_more_than_is_heard(sender: Any, **_: Any) -> None:
    """A heartbeat every 20 s instead of 2 s, each a request to SQS; none, and no events, where there is no bus."""
    from waproject.bus.events import HEARTBEAT_S

    if settings.SQS_MONITOR_QUEUE_URL:
        sender.options["heartbeat_interval"] = HEARTBEAT_S
    else:
        sender.options.update(without_heartbeat=True, without_gossip=True)


@signals.worker_ready.connect
def stop_when_told(sender: Any, **_: Any) -> None:
    """Not up to 5 s later; a pool without Celery's event loop has no need of it."""
    from waproject.worker.prompt_shutdown import stop_at_once

    if sender.hub is not None:
        stop_at_once(sender.hub)


@signals.setup_logging.connect
def keep_the_logging_of_the_settings(**_: Any) -> None:
    """Celery configures no logging of its own: its lines are masked like all others."""
    logging.config.dictConfig(settings.LOGGING)


@signals.import_modules.connect
def refuse_to_start_with_errors(**_: Any) -> None:
    """A worker, beat or Flower that fails a system check does not start, nor does one on an older schema."""
    from waproject import checks, schema
    from waproject.bus import flower

    # Celery logs the traceback of an exception that leaves a signal's handler.
    with start_errors.in_words():
        checks.refuse_to_start_with_errors()
        if flower.is_this_process():
            flower.prepare(app)
        else:
            schema.refuse_an_older_schema()


@signals.worker_ready.connect
def warn_of_the_queues_redrive_policy(sender: Any, **_: Any) -> None:
    """A queue that gives up too early, or never, is seen before it matters."""
    from waproject.worker import redrive_policy

    redrive_policy.warn_soon(*sender.app.amqp.queues.consume_from)


@signals.task_prerun.connect
def check_database_connections(**_: Any) -> None:
    """Drop what broke since the last task; Django would do this for a request.

    After an error at once. Else the server is asked once in `CHECKED_EVERY_S`, in each thread: asked before each task,
    it would answer as many questions as claims.
    """
    from django.db import close_old_connections, connection

    now = time.monotonic()
    if now - getattr(_checked, "at", float("-inf")) >= CHECKED_EVERY_S or connection.errors_occurred:
        _checked.at = now
        close_old_connections()


@signals.worker_process_init.connect
def forget_the_parents_connections(**_: Any) -> None:
    """A forked child publishes through locks and connections of its own."""
    from waproject.sqs import publisher

    publisher.forget_shared()
