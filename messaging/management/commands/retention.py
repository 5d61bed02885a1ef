"""`manage.py retention`: what is stored for how long, and how far the deletion has come."""

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from messaging.models import RetentionProgress
from messaging.retention import registered
from messaging.retention.deletion_steps import run_step

SHOW_EVERY_S = 0.5


class Command(BaseCommand):
    """Shows the rules; with --run it does at once what `deliver` does in steps."""

    help = (
        "Show how long each kind of data is stored and what has been deleted. --run deletes everything that is old "
        "now, without rests; end it as you like, the next run or `deliver` continues."
    )

    def add_arguments(self, parser: Any) -> None:
        """--run."""
        parser.add_argument("--run", action="store_true", help="delete now, instead of leaving it to `deliver`")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, if asked to, and show the table."""
        if options["run"]:
            self._run()
        progress = RetentionProgress.objects.in_bulk()
        self.stdout.write(f"{'':16}{'days':>6}  {'removed':>12}  last removal")
        for rule in registered():
            row = progress.get(rule.name)
            days = str(rule.days) if rule.days else "ever"
            last = f"{row.removed_at:%Y-%m-%d %H:%M}" if row and row.removed_at else ""
            self.stdout.write(f"{rule.name:16}{days:>6}  {row.removed if row else 0:>12,}  {last}")

    def _run(self) -> None:
        """Every rule, from where it is."""
        RetentionProgress.objects.update(next_at=timezone.now())
        before = _removed()
        shown_at = 0.0
        # `deliver` has a step of its own at any moment.
        while run_step(waits=True):
            if self.stderr.isatty() and time.monotonic() - shown_at >= SHOW_EVERY_S:
                shown_at = time.monotonic()
                self.stderr.write(f"\r{_removed() - before:,} removed", str, ending="")
        self.stderr.write(("\r" if self.stderr.isatty() else "") + f"{_removed() - before:,} removed", str)


def _removed() -> int:
    return sum(RetentionProgress.objects.values_list("removed", flat=True))
