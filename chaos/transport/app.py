"""`celery -A chaos.transport.app worker -Q incoming`: the incoming lane's settings, with tasks that record their runs.

CHAOS_BEGUN, CHAOS_WITNESS: the files to which each task adds lines when it begins and when it is done, "<number> <pid
of the worker> <pid of its process>". O_APPEND in one call keeps a line whole and lets it outlive kill -9.
CHAOS_VISIBILITY_S: the queue's visibility timeout.
"""

import os
import time
from dataclasses import replace
from typing import Any

from celery import Celery, signals

from waproject.queues import LANES

LANE = "incoming"
ALONE, JOINED = "chaos.alone", "chaos.joined"
# Long enough for a kill to find tasks at work.
TASK_S = 0.005

lane = LANES[LANE] = replace(
    LANES[LANE],
    tasks=(ALONE, JOINED),
    joined_tasks=(JOINED,),
    visibility_timeout=int(os.environ["CHAOS_VISIBILITY_S"]),
)
worker = os.getpid()
begun, done = (
    os.open(os.environ[name], os.O_WRONLY | os.O_APPEND | os.O_CREAT) for name in ("CHAOS_BEGUN", "CHAOS_WITNESS")
)

# Without Celery's Django fixup: these tasks need no database.
app = Celery("chaos", fixups=[])
app.config_from_object("waproject.worker.celery_config")
app.steps["worker"].add("waproject.worker.prefork:Prefork")
app.conf.worker_prefetch_multiplier = lane.prefetch_multiplier
app.conf.task_time_limit = lane.task_time_limit


@signals.worker_ready.connect
def announce(**_: Any) -> None:
    """Say so: Celery does it at a level at which it also logs a line for each task."""
    print("worker is ready", flush=True)


@app.task(name=ALONE)
def alone(number: int) -> None:
    """Work a little, and record it."""
    joined(number)


@app.task(name=JOINED)
def joined(*numbers: int) -> None:
    """The same for several numbers at once, as status webhooks are joined."""
    lines = "".join(f"{number} {worker} {os.getpid()}\n" for number in numbers).encode()
    os.write(begun, lines)
    time.sleep(TASK_S * len(numbers))
    os.write(done, lines)
