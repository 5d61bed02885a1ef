"""The processes of the Procfile that are management commands."""

from abc import abstractmethod
from typing import Any

from django.core.management.base import BaseCommand

from waproject.logs.format import name_process
from waproject.metrics.flushing import start_flushing
from waproject.startup_checks import refuse_a_faulty_start


class ProcessCommand(BaseCommand):
    """Checks its start, then runs until SIGTERM or SIGINT."""

    # Its name in the Procfile.
    process: str
    # Django's run of the system checks would write a list; `refuse_a_faulty_start` runs them for one sentence a fault.
    requires_system_checks: tuple[str, ...] = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the process. Raises ImproperlyConfigured if it must not start."""
        name_process(self.process)
        refuse_a_faulty_start(self.process)
        start_flushing()
        self.run()

    @abstractmethod
    def run(self) -> None:
        """Work until a signal."""
