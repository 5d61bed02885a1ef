"""The schedule of template syncs: hourly for each account, and at once after a webhook that asks for it.

`templates_due_at` is the schedule and the lease in one: a claim sets it ahead by LEASE, and a request sets it back to
now. A request during a sync is kept, since a finished sync moves the time only where it is still that of its claim.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from messaging.models import Account

SYNC_EVERY = timedelta(hours=1)
RETRY_AFTER = timedelta(minutes=5)
# 10,000 templates take seconds; a page may take 30 s until it fails.
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class DueSync:
    """An account whose templates this process syncs until `leased_until`."""

    account_id: int
    waba_id: str
    token_name: str
    leased_until: datetime


def claim_syncs(limit: int) -> list[DueSync]:
    """Claim up to `limit` accounts whose sync is due."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_account SET templates_due_at = statement_timestamp() + make_interval(secs => %s)
            WHERE id = ANY(ARRAY(
              SELECT id FROM messaging_account WHERE templates_due_at <= statement_timestamp()
              ORDER BY templates_due_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED))
            RETURNING id, waba_id, token_name, templates_due_at
            """,
            [LEASE.total_seconds(), limit],
        )
        return [DueSync(*row) for row in cursor.fetchall()]


def record_success(due: DueSync) -> None:
    """Sync the account again in an hour."""
    _next(due, SYNC_EVERY)


def record_failure(due: DueSync) -> None:
    """Sync the account again in five minutes."""
    _next(due, RETRY_AFTER)


def _next(due: DueSync, wait: timedelta) -> None:
    mine = Account.objects.filter(pk=due.account_id, templates_due_at=due.leased_until)
    mine.update(templates_due_at=timezone.now() + wait)
