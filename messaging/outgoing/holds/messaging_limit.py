"""The hold `limit`: messages to new recipients wait while the messaging limit of their portfolio is used up.

The dispatcher marks the messages that it meets, by number and priority. As the window moves, the sweep makes as many
due as may be sent: the most urgent first, and of each client its oldest in turn. Messages whose recipient has written
meanwhile are due at once: within a customer service window nothing counts.
"""

import time
from collections.abc import Iterable

from django.conf import settings
from django.db import connection, transaction

from messaging.models import BusinessNumber, Portfolio, Priority
from messaging.models.messages import LIMIT
from messaging.portfolios import Budget, messages_on_hold, move_windows

# Each sweep, one a second, looks back this far at inbound messages; after an outage or a pause of the number, as far as
# its last sweep, but no further than a customer service window. The first sweep of a process looks back an hour, since
# another dispatcher has usually swept before.
WROTE_WITHIN_S = 15
FIRST_LOOK_S = 3600.0
WINDOW_S = 24 * 3600.0
DUE_AT_ONCE = 2000
# When this process last looked, by number; of its monotonic clock.
_looked_at: dict[int, float] = {}


def limit_mark(number_id: int, priority: int) -> str:
    """The value of `Message.hold` for a message that waits for the limit."""
    return f"{LIMIT}:{number_id}:{priority}"


def sweep_messaging_limits() -> None:
    """Move the windows, and make messages due that may be sent now."""
    move_windows()
    numbers: dict[int, list[int]] = {}
    for pk, portfolio_id in BusinessNumber.objects.filter(paused_at=None).values_list("pk", "limited_by_id"):
        if portfolio_id is not None:
            numbers.setdefault(portfolio_id, []).append(pk)
    for portfolio in Portfolio.objects.filter(pk__in=numbers).order_by("pk"):
        began = time.monotonic()
        waiting = messages_on_hold(numbers[portfolio.pk], at_most=1)
        if any(waiting.values()):
            _make_due(portfolio, numbers[portfolio.pk], waiting)
        # Where no message waits there is none to be found.
        _looked_at.update(dict.fromkeys(numbers[portfolio.pk], began))


def _make_due(portfolio: Portfolio, number_ids: list[int], waiting: dict[int, int]) -> None:
    _make_due_in_window(number_ids)
    made = 0
    for priority in sorted(Priority):
        if portfolio.users_a_day is None:
            room = DUE_AT_ONCE
        else:
            budget = Budget(portfolio.users_a_day, portfolio.opened + made, settings.WA_LIMIT_HIGH_SHARE)
            room = min(budget.remaining(priority), DUE_AT_ONCE)
        if room and waiting.get(priority):
            made += _clear(number_ids, priority, room)


# `clients` skips through the index message_limit_by_client, so that a bulk of one client is not read for another.
_CLEAR = """
WITH RECURSIVE clients AS (
  SELECT k.mark, (
    SELECT COALESCE(client_id, 0) FROM messaging_message WHERE hold = k.mark AND hold LIKE 'limit:%%'
    ORDER BY COALESCE(client_id, 0) LIMIT 1) AS client
  FROM unnest(%(marks)s::text[]) AS k(mark)
  UNION ALL
  SELECT c.mark, (
    SELECT COALESCE(client_id, 0) FROM messaging_message
    WHERE hold = c.mark AND hold LIKE 'limit:%%' AND COALESCE(client_id, 0) > c.client
    ORDER BY COALESCE(client_id, 0) LIMIT 1)
  FROM clients c WHERE c.client IS NOT NULL
), first AS (
  SELECT h.id, c.client, row_number() OVER (PARTITION BY c.client ORDER BY h.id) AS turn
  FROM clients c CROSS JOIN LATERAL (
    SELECT id FROM messaging_message
    WHERE hold = c.mark AND hold LIKE 'limit:%%' AND COALESCE(client_id, 0) = c.client ORDER BY id LIMIT %(most)s) h
), turns AS MATERIALIZED (
  SELECT id FROM first ORDER BY turn, md5(client::text || statement_timestamp()::text) LIMIT %(most)s
)
UPDATE messaging_message SET hold = NULL WHERE id = ANY(ARRAY(
  SELECT id FROM messaging_message WHERE id = ANY(ARRAY(SELECT id FROM turns)) AND hold = ANY(%(marks)s)
  ORDER BY id FOR UPDATE SKIP LOCKED))
"""


def _clear(number_ids: list[int], priority: int, at_most: int) -> int:
    """Make up to `at_most` messages due: the oldest of each client in turn."""
    marks = [limit_mark(pk, priority) for pk in number_ids]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLEAR, {"marks": marks, "most": at_most})
        return int(cursor.rowcount)


def _not_looked_at_s(number_ids: Iterable[int]) -> float:
    """How many seconds to look back at inbound messages of these numbers."""
    now = time.monotonic()
    last = min(_looked_at.get(pk, now - FIRST_LOOK_S) for pk in number_ids)
    return min(WINDOW_S, now - last + WROTE_WITHIN_S)


def _make_due_in_window(number_ids: list[int]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_message SET hold = NULL WHERE id = ANY(ARRAY(
              SELECT m.id FROM messaging_message m WHERE m.hold LIKE %(marks)s AND m.number_id = ANY(%(numbers)s)
                AND m.peer = ANY(ARRAY(
                  SELECT peer FROM messaging_message i WHERE i.direction = 'inbound' AND i.number_id = ANY(%(numbers)s)
                    AND i.created_at > statement_timestamp() - make_interval(secs => %(within)s)
                    AND i.type <> 'system'))
              ORDER BY m.id FOR UPDATE SKIP LOCKED))
            """,
            {"marks": f"{LIMIT}:%", "numbers": number_ids, "within": _not_looked_at_s(number_ids)},
        )
