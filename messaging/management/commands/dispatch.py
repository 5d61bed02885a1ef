"""`manage.py dispatch`: the dispatcher process."""

from typing import Any

from django.core.management.base import BaseCommand

from messaging.dispatch import Dispatcher
from waproject.logs.format import name_process
from waproject.metrics.flushing import start_flushing
from waproject.schema import refuse_an_older_schema
from waproject.worker.key_access import refuse_without_key
from waproject.worker.liveness import alive


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Release due messages to the outgoing queue, each number at its pace. Any number of these may run."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the dispatcher."""
        name_process("dispatcher")
        refuse_an_older_schema()
        refuse_without_key("dispatcher")
        start_flushing()
        dispatcher = Dispatcher()
        dispatcher.stop_on_signals()
        with alive("dispatcher") as life:
            dispatcher.run(each_tick=life.progress)
