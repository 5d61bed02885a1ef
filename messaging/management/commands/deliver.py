"""`manage.py deliver`: the deliver process."""

from messaging.deliver import WORKERS
from messaging.periodic_workers import WorkerLoop
from waproject.management.process_command import ProcessCommand
from waproject.worker.liveness import alive


class Command(ProcessCommand):
    """Runs until SIGTERM or SIGINT."""

    process = "deliver"
    help = "Deliver events to subscribers and download media from Meta. Any number of these may run."

    def run(self) -> None:
        """Run the periodic workers."""
        loop = WorkerLoop(WORKERS)
        loop.stop_on_signals()
        with alive("deliver") as life:
            loop.run(each_tick=life.progress)
