"""`manage.py monitor`: the monitor process."""

from typing import Any

from django.core.management.base import BaseCommand

from monitoring.dead_letters.redrive_jobs import MoveRunner
from monitoring.monitor import Monitor
from waproject.logs.format import name_process
from waproject.metrics.flushing import start_flushing
from waproject.schema import refuse_an_older_schema
from waproject.worker.key_access import refuse_without_key
from waproject.worker.liveness import alive


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Takes samples and evaluates alerts every 30 seconds. One monitor is active, further ones stand by."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the monitor."""
        name_process("monitor")
        refuse_an_older_schema()
        refuse_without_key("monitor")
        start_flushing()
        monitor = Monitor()
        monitor.stop_on_signals()
        move_runner = MoveRunner()
        with alive("monitor"):
            move_runner.start()
            monitor.run()
            move_runner.stop()
