"""`manage.py monitor`: the monitor process."""

from monitoring.dead_letters.redrive_jobs import RedriveRunner
from monitoring.monitor import Monitor
from waproject.management.process_command import ProcessCommand
from waproject.worker.liveness import alive


class Command(ProcessCommand):
    """Runs until SIGTERM or SIGINT."""

    process = "monitor"
    help = "Takes samples and evaluates alerts every 30 seconds. One monitor is active, further ones stand by."

    def run(self) -> None:
        """Run the monitor."""
        monitor = Monitor()
        monitor.stop_on_signals()
        runner = RedriveRunner()
        # One that hangs holds the lock for which the others stand by: it must not count as alive.
        with alive("monitor") as life:
            runner.start()
            monitor.run(each_step=life.progress)
            runner.stop()
