"""The hold `limit`: messages to new recipients wait while the messaging limit of their portfolio is used up.

The dispatcher marks the messages that it meets, by number and priority. As the window moves, the sweep makes as many
due as may be sent, the most urgent and oldest first. Messages whose recipient has written meanwhile are due at once:
within a customer service window nothing counts.
"""

from django.conf import settings
from django.db import connection, transaction

from messaging.models import BusinessNumber, Portfolio, Priority
from messaging.models.messages import LIMIT
from messaging.portfolios import Budget, messages_on_hold, move_windows

# Inbound messages of so long are looked at in each sweep, which runs every second.
WROTE_WITHIN_S = 15
DUE_AT_ONCE = 2000


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
        waiting = messages_on_hold(numbers[portfolio.pk], at_most=1)
        if any(waiting.values()):
            _make_due(portfolio, numbers[portfolio.pk], waiting)


def _make_due(portfolio: Portfolio, number_ids: list[int], waiting: dict[int, int]) -> None:
    _make_due_in_window(number_ids)
    made = 0
    for priority in sorted(Priority):
        if portfolio.users_a_day is None:
            room = DUE_AT_ONCE
        else:
            budget = Budget(portfolio.users_a_day, portfolio.opened + made, settings.WA_LIMIT_HIGH_SHARE)
            room = min(budget.room(priority), DUE_AT_ONCE)
        if room and waiting.get(priority):
            made += _clear(number_ids, priority, room)


def _clear(number_ids: list[int], priority: int, at_most: int) -> int:
    marks = [limit_mark(pk, priority) for pk in number_ids]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_message SET hold = NULL WHERE id = ANY(ARRAY(
              SELECT id FROM messaging_message WHERE id = ANY(ARRAY(
                SELECT h.id FROM unnest(%(marks)s::text[]) AS k(mark) CROSS JOIN LATERAL (
                  SELECT id FROM messaging_message WHERE hold = k.mark ORDER BY id LIMIT %(most)s) h
                ORDER BY h.id LIMIT %(most)s)) AND hold = ANY(%(marks)s)
              ORDER BY id FOR UPDATE SKIP LOCKED))
            """,
            {"marks": marks, "most": at_most},
        )
        return int(cursor.rowcount)


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
            {"marks": f"{LIMIT}:%", "numbers": number_ids, "within": WROTE_WITHIN_S},
        )
