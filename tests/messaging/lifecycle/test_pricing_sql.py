"""Meta's pricing is kept: on the message by the furthest status that gives one, in the trail by each."""

from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.incoming.store import receive
from messaging.lifecycle.transitions import Change, advance_many
from messaging.models import Message, MessageEvent
from messaging.states import Status
from messaging.whatsapp.inbound import Pricing
from tests.messaging.bodies import status as body
from tests.messaging.bodies import webhook
from tests.messaging.factories import in_state, pending

pytestmark = pytest.mark.django_db
SERVICE = Pricing(False, "PMP", "free_customer_service", "service")
REGULAR = Pricing(True, "PMP", "regular", "service")
MARKETING = Pricing(True, "PMP", "regular", "marketing")


def status(message: Message, to: Status, pricing: Pricing | None = None, wamid: str = "wamid.A") -> Change:
    return Change(
        message.pk, to, timezone.now(), "webhook", wamid=wamid, key=f"{wamid}:{to}", pricing=pricing,
        error_title="refused" if to is Status.FAILED else "",
    )  # fmt: skip


def price(row: Message | MessageEvent) -> Pricing:
    row.refresh_from_db()
    return Pricing(row.billable, row.pricing_model, row.pricing_type, row.pricing_category)


def stored(message: Message) -> tuple[Pricing, str | None]:
    return price(message), message.priced_by


def accepted(**fields: Any) -> Message:
    return in_state(Status.ACCEPTED, wamid="wamid.A", **fields)


def test_a_status_with_a_price_prices_its_message_and_its_own_line() -> None:
    message = accepted()
    advance_many([status(message, Status.SENT, MARKETING)])
    line = MessageEvent.objects.get(message=message, status="sent")
    assert (stored(message), price(line)) == ((MARKETING, "sent"), MARKETING)


def test_a_message_without_a_priced_status_has_no_price() -> None:
    message = accepted()
    advance_many([status(message, Status.SENT)])
    assert stored(message) == (Pricing(None, None, None, None), None)


def test_a_status_without_a_price_leaves_the_price_as_it_is() -> None:
    message = accepted()
    advance_many([status(message, Status.SENT, MARKETING)])
    advance_many([status(message, Status.DELIVERED)])
    assert stored(message) == (MARKETING, "sent")


STATUSES = {Status.SENT: SERVICE, Status.DELIVERED: REGULAR, Status.READ: None}


@pytest.mark.parametrize("order", list(permutations(STATUSES)))
@pytest.mark.parametrize("at_once", [True, False])
def test_the_furthest_status_with_a_price_decides_in_any_order(order: tuple[Status, ...], at_once: bool) -> None:
    message = accepted()
    changes = [status(message, to, STATUSES[to]) for to in order]
    for batch in [changes] if at_once else [[change] for change in changes]:
        advance_many(batch)
    assert stored(message) == (REGULAR, "delivered")


def test_the_trail_keeps_the_price_of_each_status() -> None:
    message = accepted()
    advance_many([status(message, Status.SENT, SERVICE), status(message, Status.READ, REGULAR)])
    found = MessageEvent.objects.filter(message=message, source="webhook").order_by("id")
    assert [price(line) for line in found] == [SERVICE, REGULAR]


def test_a_late_status_of_an_earlier_attempt_does_not_price_the_present_one() -> None:
    message = in_state(Status.SENT, wamid="wamid.B")
    advance_many([status(message, Status.SENT, MARKETING, wamid="wamid.A")])
    assert stored(message) == (Pricing(None, None, None, None), None)


def test_the_price_of_the_attempt_that_failed_gives_way_to_that_of_the_next() -> None:
    message = accepted()
    advance_many([status(message, Status.SENT, SERVICE)])
    advance_many([status(message, Status.FAILED)])
    advance_many([Change(message.pk, Status.PENDING, timezone.now(), "operator")])
    Message.objects.filter(pk=message.pk).update(status="accepted", wamid="wamid.B")
    advance_many([status(message, Status.SENT, REGULAR, wamid="wamid.B")])
    assert stored(message) == (REGULAR, "sent")


def test_a_failed_status_with_a_price_is_kept_in_the_trail_alone() -> None:
    message = accepted()
    advance_many([status(message, Status.FAILED, MARKETING)])
    line = MessageEvent.objects.get(message=message, status="failed")
    assert (stored(message)[1], price(line)) == (None, MARKETING)


@pytest.mark.parametrize("priced", [1, 2, 3])
def test_messages_with_and_without_a_price_share_a_statement(priced: int, django_assert_num_queries: Any) -> None:
    messages = pending(3)
    changes = [
        status(m, Status.SENT, MARKETING if n < priced else None, wamid=f"wamid.{n}") for n, m in enumerate(messages)
    ]
    with django_assert_num_queries(1):
        advance_many(changes)
    assert Message.objects.filter(priced_by="sent").count() == priced


def version(message: Message) -> str:
    """Where the row lies: another place after each update."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text FROM messaging_message WHERE id = %s", [message.pk])
        return str(cursor.fetchone()[0])


def test_a_repeated_status_does_not_write_the_message_again() -> None:
    message = accepted()
    change = status(message, Status.SENT, MARKETING)
    advance_many([change])
    before = version(message)
    advance_many([change])
    assert version(message) == before


def test_a_webhooks_price_reaches_the_message_with_metas_hyphen_made_one_spelling() -> None:
    message = accepted()
    pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "authentication-international"}
    receive(webhook(statuses=(body("sent", wamid="wamid.A", pricing=pricing),)))
    assert price(message) == Pricing(True, "PMP", "regular", "authentication_international")


@pytest.mark.slow("tries random orders")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([*STATUSES]), st.booleans()), min_size=1, max_size=8))
def test_repetitions_in_any_order_and_grouping_end_in_the_same_price(stream: list[tuple[Status, bool]]) -> None:
    message = accepted()
    batch: list[Change] = []
    for to, ends_here in stream:
        batch.append(status(message, to, STATUSES[to]))
        if ends_here:
            advance_many(batch)
            batch = []
    advance_many(batch)
    furthest = next((to for to in (Status.DELIVERED, Status.SENT) if to in {to for to, _ in stream}), None)
    expected = (STATUSES[furthest], furthest.value) if furthest else (Pricing(None, None, None, None), None)
    assert stored(message) == expected
    Message.objects.filter(pk=message.pk).delete()
