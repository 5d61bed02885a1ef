"""`manage.py demo_data`: three months of an invented shop, to look at."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.urls import reverse

from analytics.demo import BUDGET_CAMPAIGN, DAYS, Fill, Removal, numbers_of_demo
from analytics.management.progress import INTERRUPTED, write_progress
from analytics.rollups.buckets import DAY, Period, make_due, recount
from analytics.rollups.days import sum_day

T = TypeVar("T")
MESSAGES, SEED = 25_000, 1
MIN_MESSAGES, MAX_MESSAGES = 1000, 1_000_000


def messages(text: str) -> int:
    """How many messages. Raises ValueError, which argparse words, for too few or too many."""
    number = int(text)
    if not MIN_MESSAGES <= number <= MAX_MESSAGES:
        raise ValueError
    return number


@contextmanager
def _alone() -> Iterator[None]:
    """Lock the demonstration data: a removal deletes what another run is about to refer to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('demo data'))")
        if not cursor.fetchone()[0]:
            raise CommandError("Another demo_data runs in this database: wait until it ends, or stop it.")
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:  # a lost connection has lost the lock
            cursor.execute("SELECT pg_advisory_unlock(hashtext('demo data'))")


class Command(BaseCommand):
    """May be stopped at any time: the next run goes on where it was. A local installation only."""

    help = (
        f"Local only: store {DAYS} days of messages, statuses, prices, campaigns and events of an invented shop, "
        "and count them. Nothing is sent. A run that was stopped continues; --remove removes it all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How much, and from which seed."""
        parser.add_argument(
            "--messages", type=messages, default=MESSAGES,
            help=f"about this many, {MIN_MESSAGES:,} to {MAX_MESSAGES:,}; {MESSAGES:,} when left out",
        )  # fmt: skip
        parser.add_argument("--seed", type=int, default=SEED, help="another one makes other messages")
        parser.add_argument("--remove", action="store_true", help="remove it all, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill or remove. Raises CommandError outside DEPLOYMENT=local, and while another one runs."""
        if not settings.LOCAL:
            raise CommandError("demo_data works only with DEPLOYMENT=local: it stores messages that nobody sent.")
        try:
            with _alone():
                if options["remove"]:
                    self._remove()
                else:
                    self._fill(Fill(options["messages"], options["seed"]))
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command again goes on.", returncode=INTERRUPTED) from None

    def _fill(self, fill: Fill) -> None:
        self._counted = 0
        # A run that was killed may have left some.
        make_due(fill.period)
        stored = sum(self._shown("stored and counted", self._stored_and_counted(fill), DAYS))
        while sum_day():
            pass
        self.stdout.write(
            f"{stored:,} messages of {DAYS} days; {self._counted:,} quarters of an hour counted now. "
            f"Look at {reverse('analytics-page')} and {reverse('analytics-page')}?campaign={BUDGET_CAMPAIGN}"
        )

    def _stored_and_counted(self, fill: Fill) -> Iterator[int]:
        """The messages of each day. A day is counted once the next one is stored, whose messages may answer its own:
        so only the quarters of two days are ever due, and the worker of the installation has time for new messages. It
        may count some of these."""
        for nth, stored in enumerate(fill.days()):
            self._count(Period(fill.period.since, fill.period.since + nth * DAY))
            yield stored
        self._count(fill.period)

    def _count(self, period: Period) -> None:
        while counted := recount(period):
            self._counted += counted

    def _remove(self) -> None:
        if not numbers_of_demo():
            self.stdout.write("There is no demonstration data.")
            return
        days = sum(1 for _ in self._shown("removed", Removal().days(), DAYS))
        self.stdout.write(f"The demonstration data is removed, {days} days of it.")

    def _shown(self, word: str, steps: Iterable[T], total: int) -> Iterator[T]:
        """The steps, with a bar on a terminal and a line a second elsewhere."""
        shown = 0.0
        for done, step in enumerate(steps, 1):
            if time.monotonic() - shown > 1 or done >= total:
                shown = time.monotonic()
                write_progress(self.stdout, done, total, word)
            yield step
        if self.stdout.isatty():
            self.stdout.write("")
