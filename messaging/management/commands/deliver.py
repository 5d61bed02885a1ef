"""`manage.py deliver`: the deliver process."""

from typing import Any

from django.core.management.base import BaseCommand

from messaging.deliver import WORKERS
from messaging.periodic_workers import WorkerLoop
from waproject.logs.format import name_process
from waproject.metrics.flushing import start_flushing
from waproject.schema import refuse_an_older_schema
from waproject.worker.key_access import refuse_without_key
from waproject.worker.liveness import alive


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Deliver events to subscribers and download media from Meta. Any number of these may run."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the periodic workers."""
        name_process("deliver")
        refuse_an_older_schema()
        refuse_without_key("deliver")
        start_flushing()
        loop = WorkerLoop(WORKERS)
        loop.stop_on_signals()
        with alive("deliver") as life:
            loop.run(each_tick=life.progress)
