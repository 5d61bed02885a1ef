"""Demonstration data in the database: its set-up, then a day in each transaction, so that a killed run goes on.

Rows are written as they are, past the queues, Meta and all that listens to messages: nothing leaves this process.
"""

import random
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from analytics.costs import read_card, store_card
from analytics.demo.days import DAYS, Planned, plan
from analytics.demo.shop import CARD, CARD_NAME, CLIENTS, EVENTS, NUMBERS, Person, people
from analytics.event_ids import event_key
from analytics.models import Budget, BudgetPeriod, Event, RateCard
from analytics.rollups import Period, mark_period
from messaging.identifiers import first_uuid7
from messaging.models import ApiClient, BusinessNumber, Contact, Message, MessageEvent
from messaging.whatsapp.error_codes import describe

# Messages of campaigns, and of users who answer them, come on top of an average day's.
ON_TOP = 1.45
# Within this time of a day's end all its messages have an outcome: until then it is no day of the demonstration.
OUTCOMES_KNOWN = timedelta(minutes=1)
BUDGET = Decimal(100)
BUDGET_CAMPAIGN = "members-preview"
_BATCH = 1000
_RANDOM_BITS = 62


def numbers_of_demo() -> list[BusinessNumber]:
    """The demonstration's numbers that are in the database."""
    return list(BusinessNumber.objects.filter(phone_number_id__in=NUMBERS).order_by("pk"))


class Fill:
    """About this many messages of `DAYS` days until yesterday (UTC). What is stored already is left as it is."""

    def __init__(self, messages: int, seed: int) -> None:
        self._a_day, self._seed = messages / DAYS / ON_TOP, seed
        self._people = people(seed)
        self._now = timezone.now()
        self.first = (self._now - OUTCOMES_KNOWN).astimezone(UTC).date() - timedelta(days=DAYS)
        self.period = Period(_midnight(self.first), _midnight(self.first + timedelta(days=DAYS)))

    def days(self) -> Generator[int, None, None]:
        """Store what is missing, day by day; yields how many messages each day has."""
        with transaction.atomic():
            numbers, clients = self._set_up()
        for nth in range(DAYS):
            day = self.first + timedelta(days=nth)
            ids = first_uuid7(_midnight(day)), first_uuid7(_midnight(day + timedelta(days=1)))
            with transaction.atomic():
                stored = Message.objects.filter(id__gte=ids[0], id__lt=ids[1], number__in=numbers).count()
                stored = stored or self._store(day, nth, numbers, clients)
            yield stored

    def _set_up(self) -> tuple[list[BusinessNumber], list[ApiClient]]:
        """Numbers, clients, a budget, and a rate card where there is none. Nothing asks Meta about numbers that have no
        account."""
        numbers = [
            BusinessNumber.objects.get_or_create(phone_number_id=name, defaults={"verified_name": verified})[0]
            for name, verified in NUMBERS.items()
        ]
        clients = [ApiClient.objects.get_or_create(name=name)[0] for name in CLIENTS]
        currency = settings.COSTS_CURRENCY
        if not RateCard.objects.filter(currency=currency).exists():
            lines = CARD.replace("USD", currency).splitlines()
            store_card(read_card(lines, currency), CARD_NAME, currency, self.first)
        Budget.objects.get_or_create(
            client=clients[0],
            campaign=BUDGET_CAMPAIGN,
            period=BudgetPeriod.TOTAL,
            defaults={"amount": BUDGET, "currency": currency},
        )
        return numbers, clients

    def _store(self, day: date, nth: int, numbers: Sequence[BusinessNumber], clients: Sequence[ApiClient]) -> int:
        planned = plan(day, nth, self._a_day, self._people, self._seed)
        chance = random.Random(f"{self._seed} ids {day}")  # noqa: S311 - to be repeated
        contacts = _contacts(planned)
        free = _free_service(day, numbers)
        rows, trail = [], []
        for one in planned:
            number = numbers[one.number]
            row_id = UUID(int=first_uuid7(one.at).int | chance.getrandbits(_RANDOM_BITS))
            known = [(status, at) for status, at in one.trail if at <= self._now]
            row = _message(row_id, one, known[-1], number)
            if one.inbound:
                row.contact = contacts[one.person.peer]
            else:
                row.client = clients[one.number]
                _price(row, one, free)
                trail += [_event(row, status, at) for status, at in known]
            rows.append(row)
        Message.objects.bulk_create(rows, batch_size=_BATCH)
        MessageEvent.objects.bulk_create(trail, batch_size=_BATCH)
        Event.objects.bulk_create(_events(day, self._people, self._seed), ignore_conflicts=True)
        mark_period(Period(_midnight(day), _midnight(day + timedelta(days=1))))
        return len(rows)


def _message(row_id: UUID, one: Planned, last: tuple[str, datetime], number: BusinessNumber) -> Message:
    status, updated_at = last
    row = Message(
        id=row_id, direction="inbound" if one.inbound else "outbound", number=number, peer=one.person.peer,
        type=one.type, text=one.text, origin="user" if one.inbound else "", status=status, at=one.at, created_at=one.at,
        updated_at=updated_at, campaign=one.campaign, template=one.template,
        wamid=None if one.error_code else f"wamid.demo.{row_id.hex}",
    )  # fmt: skip
    row.content = {"name": one.template, "language": "en"} if one.template else {"content": one.text}
    if not one.inbound:
        row.due_at = row.released_at = one.at
        row.outcome_at = one.trail[1][1]
        row.releases = row.calls = row.attempts = 1
    if one.error_code:
        row.error_code, row.error_title = one.error_code, describe(one.error_code)[:255]
    return row


def _price(row: Message, one: Planned, free: dict[int, int]) -> None:
    """What Meta says with `sent`. `free` is how many service messages of a number are free yet in this month."""
    if row.status not in {"sent", "delivered", "read"}:
        return
    row.priced_by, row.pricing_model, row.pricing_category = "sent", "PMP", one.category
    row.pricing_type = "regular"
    if one.category == "service" and free[row.number_id] > 0:
        free[row.number_id] -= 1
        row.pricing_type = "free_customer_service"
    row.billable = row.pricing_type == "regular"


def _event(row: Message, status: str, at: datetime) -> MessageEvent:
    source = {"pending": "api", "accepted": "worker"}.get(status, "webhook")
    key = f"{row.wamid}:{status}" if source == "webhook" and row.wamid else None
    failed = {"error_code": row.error_code, "error_title": row.error_title} if status == "failed" else {}
    return MessageEvent(message=row, status=status, at=at, recorded_at=at, source=source, key=key, **failed)


def _contacts(planned: Sequence[Planned]) -> dict[str, Contact]:
    """Those who write, by peer."""
    writers: dict[str, Planned] = {one.person.peer: one for one in planned if one.inbound}
    Contact.objects.bulk_create(
        (
            Contact(phone=peer, phone_key=peer, name=one.person.name, first_seen_at=one.at, last_seen_at=one.at)
            for peer, one in writers.items()
        ),
        update_conflicts=True,
        unique_fields=["phone_key", "portfolio"],
        update_fields=["last_seen_at"],
    )
    return {str(row.phone_key): row for row in Contact.objects.filter(phone_key__in=writers, portfolio="")}


def _free_service(day: date, numbers: Sequence[BusinessNumber]) -> dict[int, int]:
    """How many service messages of each number are free from this day on."""
    month = first_uuid7(_midnight(day.replace(day=1))), first_uuid7(_midnight(day))
    return {
        number.pk: settings.FREE_SERVICE_MESSAGES
        - Message.objects.filter(
            id__gte=month[0], id__lt=month[1], number=number, pricing_type="free_customer_service"
        ).count()
        for number in numbers
    }


def _events(day: date, persons: Sequence[Person], seed: int) -> Iterator[Event]:
    """Events of the clients, as their systems report them."""
    chance = random.Random(f"{seed} events {day}")  # noqa: S311 - to be repeated
    for n in range(chance.randint(14, 30)):
        kind = chance.choices(list(EVENTS), list(EVENTS.values()))[0]
        name = f"{kind}-{day:%Y%m%d}-{n}"
        data = {"total": f"{chance.uniform(12, 240):.2f}"} if kind == "order_paid" else {}
        at = _midnight(day) + timedelta(seconds=chance.randrange(6 * 3600, 22 * 3600))
        yield Event(
            id=event_key(name, CLIENTS[0]), event_id=name, event_type=kind, data=data, source="api",
            client_name=CLIENTS[0], contact=chance.choice(persons).peer, reference=name, occurred_at=at, stored_at=at,
        )  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
