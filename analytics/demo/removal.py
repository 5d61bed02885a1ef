"""Removal of the demonstration data: its own rows, and what was counted of them. A killed removal goes on."""

from collections.abc import Generator
from datetime import datetime, timedelta

from django.db import connection, transaction

from analytics.demo.fill import numbers_of_demo
from analytics.demo.shop import CARD_NAME, CLIENTS
from analytics.models import Bucket, Charge, DayCharge, Event, RateCard, RunningCharge
from analytics.rollups import stop_counting
from messaging.identifiers import first_uuid7, made_at
from messaging.models import ApiClient, BusinessNumber, Contact, Delivery, Message, Subscription

DAY = timedelta(days=1)
_COUNTED = """
SELECT DISTINCT r.start FROM analytics_rollup r JOIN analytics_dimensions d ON d.id = r.dimensions_id
WHERE r.minutes = 15 AND r.view = 0 AND d.number_id = ANY(%(numbers)s)
"""
# A recount that finds fewer messages than its bucket has keeps the counts: these here are not to be missed.
_FORGET = (
    """
    UPDATE analytics_bucket b SET messages = GREATEST(0, b.messages - gone.messages) FROM (
      SELECT r.start, sum(r.messages) AS messages
      FROM analytics_rollup r JOIN analytics_dimensions d ON d.id = r.dimensions_id
      WHERE r.minutes = 15 AND r.view = 0 AND d.number_id = ANY(%(numbers)s) GROUP BY r.start
    ) gone WHERE b.start = gone.start
    """,
    *(
        f"DELETE FROM {table} r USING analytics_dimensions d WHERE d.id = r.dimensions_id "  # noqa: S608 - our tables
        "AND d.number_id = ANY(%(numbers)s)"
        for table in ("analytics_rollup", "analytics_histogram")
    ),
    "DELETE FROM analytics_dimensions WHERE number_id = ANY(%(numbers)s)",
    "DELETE FROM analytics_bucket WHERE start = ANY(%(starts)s) AND messages = 0 AND dirty_since IS NULL",
    """
    DELETE FROM analytics_day d WHERE NOT EXISTS (
      SELECT FROM analytics_bucket b WHERE b.start >= d.start AND b.start < d.start + d.minutes * interval '1 minute')
    """,
)


class Removal:
    """Everything of the demonstration's numbers and clients. Other data stays, and so do its counts."""

    def __init__(self) -> None:
        self._numbers = [number.pk for number in numbers_of_demo()]

    def days(self) -> Generator[datetime, None, None]:
        """Delete the messages of a day, yield the day, and so on; the rest in the end."""
        yield from self._messages()
        while not self._rest():
            yield from self._messages()

    def _messages(self) -> Generator[datetime, None, None]:
        messages = Message.objects.filter(number__in=self._numbers)
        while first := messages.order_by("id").values_list("id", flat=True).first():
            # By the time in its id, as below: Meta's own time of an inbound message may be days earlier.
            day = made_at(first).replace(hour=0, minute=0, second=0, microsecond=0)
            with transaction.atomic():
                rows = messages.filter(id__lt=first_uuid7(day + DAY))
                writers = list(rows.exclude(contact=None).values_list("contact", flat=True).distinct())
                rows.delete()
                Contact.objects.filter(pk__in=writers, messages=None).delete()
            yield day

    def _rest(self) -> bool:
        """Delete everything else; False, and nothing is deleted, if a message has arrived meanwhile."""
        with transaction.atomic():
            numbers = BusinessNumber.objects.filter(pk__in=self._numbers)
            # From here on no message of theirs is stored.
            list(numbers.select_for_update().order_by("pk"))
            if Message.objects.filter(number__in=self._numbers).exists():
                return False
            self._forget_counts()
            Event.objects.filter(client_name__in=CLIENTS).delete()
            RateCard.objects.filter(name=CARD_NAME).delete()
            ApiClient.objects.filter(name__in=CLIENTS).delete()
            Delivery.objects.filter(subscription__number__in=self._numbers).delete()
            Subscription.objects.filter(number__in=self._numbers).delete()
            numbers.delete()
        return True

    def _forget_counts(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_COUNTED, {"numbers": self._numbers})
            starts = [start for (start,) in cursor.fetchall()]
            # No worker counts these quarters of an hour meanwhile.
            list(Bucket.objects.select_for_update().filter(start__in=starts).order_by("start"))
            stop_counting(cursor)
            for statement in _FORGET:
                cursor.execute(statement, {"numbers": self._numbers, "starts": starts})
        Charge.objects.filter(number_id__in=self._numbers).delete()
        DayCharge.objects.filter(number_id__in=self._numbers).delete()
        RunningCharge.objects.filter(number_id__in=self._numbers).delete()
