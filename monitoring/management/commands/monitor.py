"""`manage.py monitor`: the monitor process."""

from typing import Any

from django.core.management.base import BaseCommand

from monitoring.dead_letters.redrive_jobs import Mover
from monitoring.monitor import Monitor
from waproject.logs.format import name_process
from waproject.metrics.keeper import keep_metrics
from waproject.schema import refuse_an_older_schema
from waproject.worker.key_access import refuse_without_key
from waproject.worker.liveness import alive


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Take samples and see to alerts every 30 seconds. Of several of these one works, the others stand by."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the monitor."""
        name_process("monitor")
        refuse_an_older_schema()
        refuse_without_key("monitor")
        keep_metrics()
        monitor = Monitor()
        monitor.stop_on_signals()
        mover = Mover()
        with alive("monitor"):
            mover.start()
            monitor.run()
            mover.stop()
