"""`celery -A chaos.transport.app worker -Q incoming`: the incoming lane as in production; its tasks tell that they ran.

CHAOS_WITNESS: the file that each task adds lines to, "<number> <pid of the worker> <pid of its process>". A line is
written with O_APPEND in one call: it is whole, and outlives kill -9.
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
# So long that a kill finds tasks at work.
TASK_S = 0.005

lane = LANES[LANE] = replace(
    LANES[LANE],
    tasks=(ALONE, JOINED),
    joined_tasks=(JOINED,),
    visibility_timeout=int(os.environ["CHAOS_VISIBILITY_S"]),
)
worker = os.getpid()
witness = os.open(os.environ["CHAOS_WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

# Without Celery's Django fixup: these tasks need no database.
app = Celery("chaos", fixups=[])
app.config_from_object("waproject.worker.celery_config")
app.steps["worker"].add("waproject.worker.prefork:Prefork")
app.conf.worker_prefetch_multiplier = lane.prefetch_multiplier
app.conf.task_time_limit = lane.task_time_limit


@signals.worker_ready.connect
def tell(**_: Any) -> None:
    """Celery says so too, with a line for each task."""
    print("worker is ready", flush=True)


@app.task(name=ALONE)
def alone(number: int) -> None:
    """Work a little, and write it down."""
    joined(number)


@app.task(name=JOINED)
def joined(*numbers: int) -> None:
    """The same for several at once, as status webhooks are."""
    time.sleep(TASK_S * len(numbers))
    os.write(witness, "".join(f"{number} {worker} {os.getpid()}\n" for number in numbers).encode())
