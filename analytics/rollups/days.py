"""Days in UTC, summed up from their hours: 90 days are then a tenth of the rows.

A day is summed up now and then, not with every quarter of it: that would cost more than all recounts. Until then it is
dirty, and questions read its hours.
"""

import time
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from analytics.models import Day
from analytics.rollups.quarters import DAY, gap_s

_SUMS = (
    "DELETE FROM analytics_rollup WHERE minutes = 1440 AND start = %(day)s",
    "DELETE FROM analytics_latency WHERE minutes = 1440 AND start = %(day)s",
    """
    INSERT INTO analytics_rollup (minutes, start, dimensions_id, messages, accepted, sent, delivered, read, answered,
      opened, responded)
    SELECT 1440, %(day)s, dimensions_id, sum(messages), sum(accepted), sum(sent), sum(delivered), sum(read),
      sum(answered), sum(opened), sum(responded)
    FROM analytics_rollup WHERE minutes = 60 AND start >= %(day)s AND start < %(next)s GROUP BY dimensions_id
    """,
    """
    INSERT INTO analytics_latency (minutes, start, dimensions_id, kind, place, count)
    SELECT 1440, %(day)s, dimensions_id, kind, place, sum(count)
    FROM analytics_latency WHERE minutes = 60 AND start >= %(day)s AND start < %(next)s
    GROUP BY dimensions_id, kind, place
    """,
)


def sum_day() -> bool:
    """Sum up the dirty day that has waited longest, if one is due; whether there was one.

    A day that is not over waits for its end. What counts a quarter of the day just now holds its row's lock.
    """
    now = timezone.now()
    with transaction.atomic():
        due = Day.objects.select_for_update(skip_locked=True).filter(
            dirty_since__isnull=False, due_at__lte=now, start__lte=now - DAY
        )
        day = due.order_by("due_at", "start").first()
        if day is None:
            return False
        began = time.monotonic()
        with connection.cursor() as cursor:
            for statement in _SUMS:
                cursor.execute(statement, {"day": day.start, "next": day.start + DAY})
        took = time.monotonic() - began
        age = (now - day.start).total_seconds()
        day.dirty_since, day.took_ms, day.due_at = None, round(took * 1000), now + timedelta(seconds=gap_s(age, took))
        day.save()
    return True
