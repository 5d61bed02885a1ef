"""`manage.py dispatch`: the dispatcher process."""

from messaging.dispatch import Dispatcher
from waproject.management.process_command import ProcessCommand
from waproject.worker.liveness import alive


class Command(ProcessCommand):
    """Runs until SIGTERM or SIGINT."""

    process = "dispatcher"
    help = "Release due messages to the outgoing queue, each number at its pace. Any number of these may run."

    def run(self) -> None:
        """Run the dispatcher."""
        dispatcher = Dispatcher()
        dispatcher.stop_on_signals()
        with alive("dispatcher") as life:
            dispatcher.run(each_tick=life.progress)
