"""The Celery application: `celery -A waproject worker -Q incoming|outgoing|analytics`, `beat` and `flower`."""

import logging.config
import os
import threading
import time
from typing import Any

from celery import Celery, signals
from celery.utils.nodenames import gethostname, nodename
from django.conf import settings

from waproject import startup_errors
from waproject.logs import task_log  # noqa: F401 - its signal handlers
from waproject.logs.format import name_process, process_name

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")

# A thread's database connection is checked at most once in this many seconds.
CHECKED_EVERY_S = 1.0
_checked = threading.local()

# For worker, beat and Flower. Invalid settings must end the process here: Celery itself first reads them in a signal
# handler, where it would log the traceback and continue.
startup_errors.install()
with startup_errors.exit_with_message():
    settings.DEPLOYMENT  # noqa: B018 - reading it is the point
app = Celery("waproject")
# The current application is thread-local; this also sets it for the web process's other threads.
app.set_default()
app.config_from_object("waproject.worker.celery_config")
app.events_cls, app.control_cls = "waproject.bus.events:Events", "waproject.bus.control:Control"
app.steps["consumer"].add("waproject.bus.node:NodeStep")
app.steps["consumer"].add("waproject.worker.database_gate:GateStep")
app.steps["worker"].add("waproject.worker.prefork:Prefork")
app.autodiscover_tasks(["messaging.incoming", "messaging.outgoing", "analytics"])


@signals.celeryd_init.connect
def configure_lane(sender: str, instance: Any, conf: Any, options: dict[str, Any], **_: Any) -> None:
    """Set a worker's node name, concurrency and prefetch from the queue table, so that `-Q outgoing` suffices.

    Options of the command line (`-n`, `-c`) take precedence.
    """
    from waproject.queues import LANES
    from waproject.worker.node_name import free_name

    queues = options.get("queues") or ()
    names = queues.split(",") if isinstance(queues, str) else list(queues)
    if len(names) != 1 or names[0] not in LANES:
        raise SystemExit(f"A worker serves one lane: -Q with one of {', '.join(LANES)}.")
    lane = LANES[names[0]]
    name_process(lane.name)
    # Celery's banner is no JSON.
    instance.quiet = instance.quiet or settings.LOG_FORMAT == "json"
    if sender.startswith("celery@"):
        instance.hostname = nodename(settings.WORKER_NAME or free_name(lane.name, lane.url), gethostname())
    conf.worker_concurrency = lane.concurrency
    conf.worker_prefetch_multiplier = lane.prefetch_multiplier
    conf.task_time_limit = lane.task_time_limit


@signals.worker_init.connect
def configure_pool(sender: Any, **_: Any) -> None:
    """Use the lane's pool class unless `-P` names another one than Celery's default, prefork."""
    from waproject.queues import LANES

    (name,) = sender.app.amqp.queues.consume_from
    if getattr(sender.pool_cls, "__module__", "") == "celery.concurrency.prefork":
        sender.pool_cls = LANES[name].pool


@signals.beat_init.connect
def name_beat(**_: Any) -> None:
    """Set the process name in beat's log lines."""
    name_process("beat")


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_faulty_queues(**_: Any) -> None:
    """Refuse to start a worker or beat whose queue has no DLQ, or that may not use the KMS key of its queues."""
    from waproject import startup_checks

    with startup_errors.exit_with_message():
        startup_checks.refuse_faulty_queues(process_name())


@signals.worker_init.connect
def configure_heartbeat(sender: Any, **_: Any) -> None:
    """Send a heartbeat every 20 s instead of 2 s, since each is an SQS request; without a bus, none and no events."""
    from waproject.bus.events import HEARTBEAT_S

    if settings.SQS_MONITOR_QUEUE_URL:
        sender.options["heartbeat_interval"] = HEARTBEAT_S
    else:
        sender.options.update(without_heartbeat=True, without_gossip=True)


@signals.worker_ready.connect
def stop_promptly(sender: Any, **_: Any) -> None:
    """Shut down at once on a signal instead of up to 5 s later; pools without an event loop do so by themselves."""
    from waproject.worker.prompt_shutdown import wake_on_shutdown

    if sender.hub is not None:
        wake_on_shutdown(sender.hub)


@signals.setup_logging.connect
def configure_logging(**_: Any) -> None:
    """Use the settings' logging instead of Celery's, so that its lines are masked too."""
    logging.config.dictConfig(settings.LOGGING)


@signals.import_modules.connect
def run_system_checks(**_: Any) -> None:
    """Refuse to start a worker, beat or Flower that fails a system check, and a worker or beat on an older schema.

    Flower also needs its bus, a log-in and queues with a DLQ.
    """
    from waproject import checks, schema_check
    from waproject.bus import flower
    from waproject.worker import redrive_policy

    # Celery logs the traceback of an exception that a signal handler raises.
    with startup_errors.exit_with_message():
        checks.refuse_to_start_with_errors()
        if flower.is_this_process():
            flower.prepare(app)
            redrive_policy.refuse_queues_without_dlq("flower")
        else:
            schema_check.require_current_schema()


@signals.task_prerun.connect
def check_database_connections(**_: Any) -> None:
    """Close broken database connections before a task, as Django does before a request.

    After an error this happens at once, otherwise once in `CHECKED_EVERY_S` per thread: a check before each task would
    double the number of statements.
    """
    from django.db import close_old_connections, connection

    now = time.monotonic()
    if now - getattr(_checked, "at", float("-inf")) >= CHECKED_EVERY_S or connection.errors_occurred:
        _checked.at = now
        close_old_connections()


@signals.worker_process_init.connect
def reset_connections_after_fork(**_: Any) -> None:
    """Give a forked child its own publisher, with its own locks and connections."""
    from waproject.sqs import publisher

    publisher.reset_shared()
