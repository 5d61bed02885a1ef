"""`manage.py rebuild_rollups`: count a period again."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from analytics.management.progress import INTERRUPTED, write_progress
from analytics.models import Bucket
from analytics.rollups.buckets import Period, make_due, mark_period, recount, waiting
from analytics.rollups.quarters import QUARTER, quarter_of
from messaging.identifiers import made_at
from messaging.models import Message


class Command(BaseCommand):
    """May be stopped at any time: what is left is counted by the analytics worker, or by `--resume`."""

    help = (
        "Count the quarters of an hour of a period again from the messages' own rows. Quarters whose messages or "
        "timelines were deleted keep their counts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The period, in UTC."""
        parser.add_argument("--since", type=moment, help="2026-11-01 or 2026-11-01T12:00, UTC; else the first message")
        parser.add_argument("--until", type=moment, help="before this time, UTC; else now")
        parser.add_argument("--resume", action="store_true", help="only what a run before has left over")
        parser.add_argument("--shrink", action="store_true", help="count what is left where rows were deleted, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Mark, then count, with a line that shows how far it is. Raises CommandError for an empty period."""
        first, now = first_message(), timezone.now() + QUARTER
        since, until = options["since"] or first, options["until"] or now
        if since >= until:
            raise CommandError("--since is not before --until.")
        # Marking goes day by day, so it keeps to the days that can have messages.
        period = Period(quarter_of(max(since, first)), min(until, now))
        try:
            self._count(period, resume=options["resume"], shrink=options["shrink"])
        except KeyboardInterrupt:
            raise CommandError("Stopped. --resume goes on.", returncode=INTERRUPTED) from None

    def _count(self, period: Period, *, resume: bool, shrink: bool) -> None:
        total = make_due(period) if resume else mark_period(period)
        done, shown = 0, 0.0
        kept: set[datetime] = set()
        while quarters := recount(period, shrink=shrink, kept=kept):
            done += quarters
            if time.monotonic() - shown > 1:
                shown = time.monotonic()
                write_progress(self.stdout, done, total)
        write_progress(self.stdout, done, total)
        left = waiting(period)
        self.stdout.write(
            f"\n{done} quarters of an hour counted"
            + (f", {len(kept)} keep their counts: messages or timelines were deleted (see --shrink)" if kept else "")
            + (f", {left} could not be counted or became dirty meanwhile." if left else ".")
        )


def moment(text: str) -> datetime:
    """A date or time in UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    try:
        return found.astimezone(UTC) if found.utcoffset() is not None else found.replace(tzinfo=UTC)
    except OverflowError:  # beside the year 1 or 9999
        raise ValueError(text) from None


def first_message() -> datetime:
    """The time of the oldest message that is stored or was counted."""
    oldest = Message.objects.order_by("id").values_list("id", flat=True).first()
    made = made_at(oldest) if oldest else timezone.now() - timedelta(days=1)
    counted = Bucket.objects.order_by("start").values_list("start", flat=True).first()
    return min(made, counted) if counted else made
