"""`manage.py deliver`: the deliver process."""

from typing import Any

from django.core.management.base import BaseCommand

from messaging.deliver import ROUNDS
from messaging.periodic_workers import Rounds
from waproject.logs.format import name_process
from waproject.metrics.keeper import keep_metrics
from waproject.schema import refuse_an_older_schema
from waproject.worker.key_access import refuse_without_key
from waproject.worker.liveness import alive


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Deliver to subscribers, and whatever else waits for a slow server. Any number of these may run."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the rounds."""
        name_process("deliver")
        refuse_an_older_schema()
        refuse_without_key("deliver")
        keep_metrics()
        rounds = Rounds(ROUNDS)
        rounds.stop_on_signals()
        with alive("deliver") as life:
            rounds.run(each_tick=life.progress)
