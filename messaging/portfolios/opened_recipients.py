"""Opened recipients: those whom a portfolio messages outside of a customer service window.

All writers hold the lock of the portfolio's row, which they take after those of numbers and before those of pairs. The
count in that row and the counts by minute change in the statement that changes the recipients, so they are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from messaging.models import Portfolio
from messaging.portfolios.budget import counted_from

# Rows that no longer count are deleted in batches, by the dispatcher.
DELETED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Opening:
    """A message that is sent outside of the window of its recipient."""

    peer: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that Meta rejected at its first call: its recipient got nothing."""

    number_id: int
    peer: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Usage:
    """The limit of a portfolio (None: none), and how many recipients count against it."""

    users_a_day: int | None
    opened: int


@dataclass(frozen=True, slots=True)
class Count:
    """A locked portfolio: its limit (None: none), and the recipients that count since `counted_from`."""

    portfolio_id: int
    users_a_day: int | None
    opened: int
    counted_from: datetime


_MOVE = """
WITH gone AS (
  DELETE FROM messaging_openedcount WHERE portfolio_id = %(portfolio)s AND minute < %(counted_from)s
  RETURNING recipients
)
UPDATE messaging_portfolio SET counted_from = %(counted_from)s,
  opened = opened - COALESCE((SELECT sum(recipients) FROM gone), 0)
WHERE id = %(portfolio)s RETURNING opened
"""

_UNCOUNT = """
WITH gone AS (
  DELETE FROM messaging_openedrecipient o
  USING unnest(%(numbers)s::bigint[], %(peers)s::text[], %(ids)s::uuid[]) AS g(number_id, peer, message_id),
    messaging_businessnumber n, messaging_portfolio p
  WHERE n.id = g.number_id AND p.id = n.limited_by_id AND o.portfolio_id = p.id AND o.peer = g.peer
    AND o.message_id = g.message_id AND o.opened_at >= p.counted_from
  RETURNING o.portfolio_id, date_trunc('minute', o.opened_at) AS minute
), counted AS (
  UPDATE messaging_openedcount c SET recipients = c.recipients - g.recipients
  FROM (SELECT portfolio_id, minute, count(*) AS recipients FROM gone GROUP BY 1, 2) g
  WHERE c.portfolio_id = g.portfolio_id AND c.minute = g.minute
)
UPDATE messaging_portfolio p SET opened = p.opened - g.recipients
FROM (SELECT portfolio_id, count(*) AS recipients FROM gone GROUP BY 1) g WHERE p.id = g.portfolio_id
"""


def lock_count(cursor: Any, portfolio_id: int) -> Count:
    """Lock the portfolio until the end of the transaction, and move its window to now."""
    cursor.execute(
        """
        SELECT users_a_day, opened, counted_from, statement_timestamp() FROM messaging_portfolio
        WHERE id = %s FOR NO KEY UPDATE
        """,
        [portfolio_id],
    )
    users_a_day, opened, start, now = cursor.fetchone()
    wanted = counted_from(now)
    if wanted > start:
        cursor.execute(_MOVE, {"portfolio": portfolio_id, "counted_from": wanted})
        start, (opened,) = wanted, cursor.fetchone()
    return Count(portfolio_id, users_a_day, opened, start)


def count_expression(portfolio_id: int, openings: Sequence[Opening]) -> tuple[str, dict[str, Any]]:
    """An expression that counts these, each to another recipient, and its parameters; `usage_of` reads its value.

    It is part of another statement, because a round trip of its own would cost as much as the count. Locks the
    portfolio until the end of the transaction. A recipient who counts already counts on from now.
    """
    if not openings:
        return "NULL::integer[]", {}
    ordered = sorted(openings, key=lambda opening: opening.peer)
    return "messaging_open_recipients(%(portfolio)s, %(opened_peers)s::text[], %(opened_ids)s::uuid[])", {
        "portfolio": portfolio_id,
        "opened_peers": [opening.peer for opening in ordered],
        "opened_ids": [opening.message_id for opening in ordered],
    }


def usage_of(value: Sequence[Any] | None) -> Usage | None:
    """What the expression returned; None if it counted nobody."""
    return None if value is None else Usage(*value)


def uncount_openings(rejections: Sequence[Rejection]) -> None:
    """Recipients whose only message was rejected do not count. In a transaction of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        numbers = [rejection.number_id for rejection in rejections]
        cursor.execute(
            """
            SELECT 1 FROM messaging_portfolio WHERE id IN (
              SELECT limited_by_id FROM messaging_businessnumber WHERE id = ANY(%s)) ORDER BY id FOR NO KEY UPDATE
            """,
            [numbers],
        )
        cursor.execute(
            _UNCOUNT,
            {
                "numbers": numbers,
                "peers": [rejection.peer for rejection in rejections],
                "ids": [rejection.message_id for rejection in rejections],
            },
        )


def move_windows() -> None:
    """Move the window of every portfolio to now, and delete recipients that no longer count."""
    for portfolio_id in Portfolio.objects.values_list("pk", flat=True):
        with transaction.atomic(), connection.cursor() as cursor:
            start = lock_count(cursor, portfolio_id).counted_from
        with connection.cursor() as cursor:
            # A row may be opened again meanwhile: the second condition rereads it.
            cursor.execute(
                """
                DELETE FROM messaging_openedrecipient WHERE portfolio_id = %(portfolio)s AND opened_at < %(start)s
                  AND peer = ANY(ARRAY(
                    SELECT peer FROM messaging_openedrecipient
                    WHERE portfolio_id = %(portfolio)s AND opened_at < %(start)s ORDER BY opened_at LIMIT %(most)s
                    FOR UPDATE SKIP LOCKED))
                """,
                {"portfolio": portfolio_id, "start": start, "most": DELETED_AT_ONCE},
            )


def copy_openings(cursor: Any, source: int, target: int) -> None:
    """Count the recipients of one portfolio in another one too, which the caller has locked."""
    cursor.execute(
        """
        INSERT INTO messaging_openedrecipient AS o (portfolio_id, peer, opened_at)
        SELECT %s, peer, opened_at FROM messaging_openedrecipient WHERE portfolio_id = %s
        ON CONFLICT (portfolio_id, peer) DO UPDATE
          SET opened_at = greatest(o.opened_at, excluded.opened_at), message_id = NULL
        """,
        [target, source],
    )
    cursor.execute("DELETE FROM messaging_openedcount WHERE portfolio_id = %s", [target])
    cursor.execute(
        """
        WITH counted AS (
          INSERT INTO messaging_openedcount (portfolio_id, minute, recipients)
          SELECT p.id, date_trunc('minute', o.opened_at), count(*)
          FROM messaging_portfolio p JOIN messaging_openedrecipient o ON o.portfolio_id = p.id
          WHERE p.id = %(target)s AND o.opened_at >= p.counted_from GROUP BY 1, 2 RETURNING recipients
        )
        UPDATE messaging_portfolio SET opened = COALESCE((SELECT sum(recipients) FROM counted), 0)
        WHERE id = %(target)s
        """,
        {"target": target},
    )
