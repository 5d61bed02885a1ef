"""`manage.py prometheus_rules`: the rule file for Prometheus."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.alerts.prometheus import rule_file

SHIPPED = "deploy/prometheus/rules.yml"


class Command(BaseCommand):
    """Writes the file."""

    help = f"Writes the alert rules as a rule file for Prometheus, by default to {SHIPPED}."

    def add_arguments(self, parser: CommandParser) -> None:
        """The path of the file."""
        parser.add_argument("path", nargs="?", type=Path, default=settings.BASE_DIR / SHIPPED)

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        """Write the file."""
        try:
            path.write_text(rule_file())
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        self.stdout.write(f"{path} is written.")
