"""`manage.py monitor`: the monitor process."""

from monitoring.dead_letters.redrive_jobs import MoveRunner
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
        move_runner = MoveRunner()
        with alive("monitor"):
            move_runner.start()
            monitor.run()
            move_runner.stop()
