"""The outbox: the deliveries that an event writes."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.lifecycle.transitions import Change, advance_many
from messaging.models import ApiClient, BusinessNumber, Contact, Delivery, Message, Subscription
from messaging.states import Status
from messaging.subscriptions import outbox
from messaging.subscriptions.changes import change, unsubscribe
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.contacts.test_contact_updates import change as account_update
from tests.messaging.factories import accepted, answered, claimed, in_state, number, states_of
from tests.messaging.subscriptions.factories import subscription, tell

pytestmark = pytest.mark.django_db


def events() -> list[str]:
    return sorted(Delivery.objects.values_list("event", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_status_whose_delivery_cannot_be_written_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    message = in_state(Status.ACCEPTED)
    subscription()
    monkeypatch.setattr(outbox, "_rows", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        advance_many([Change(message.pk, Status.SENT, timezone.now(), "webhook")])
    assert states_of(message.pk) == ["accepted"]


@pytest.mark.parametrize("fields", [{"active": False}, {"deleted_at": timezone.now()}])
def test_nothing_is_written_for_those_who_get_nothing(fields: dict[str, Any]) -> None:
    Subscription.objects.filter(pk=subscription().pk).update(**fields)
    outbox.outbox.forget()
    assert not outbox.outbox.wants()


def test_an_inbound_message_is_delivered_with_its_text() -> None:
    subscription()
    receive(webhook(inbound_text(text="Grüße", sender="15551230001"), name="Ann"))
    (body,) = tell()
    data = body["data"]
    assert (body["type"], data["text"], data["phone_number"]) == ("message.received", "Grüße", "15551230001")
    assert data["contact"]["name"] == "Ann"


def test_a_status_is_delivered_with_its_error() -> None:
    message = in_state(Status.ACCEPTED, wamid="wamid.OUT1", reference="order 1")
    subscription()
    error = [{"code": 131026, "title": "Message undeliverable"}]
    receive(webhook(statuses=(status("failed", errors=error),)))
    data = tell()[0]["data"]
    assert (data["id"], data["status"], data["reference"]) == (str(message.pk), "failed", "order 1")
    assert (data["error_code"], data["error_title"]) == (131026, "Message undeliverable")


@pytest.mark.parametrize(
    ("message_status", "later", "holds"),
    [
        ("held_for_quality_assessment", (), {"accepted": "quality"}),
        ("accepted", (), {"accepted": None}),
        # Meta has released it before the event of its acceptance is sent.
        ("held_for_quality_assessment", ("sent",), {"accepted": None, "sent": None}),
    ],
    ids=["held", "not held", "released"],
)
def test_an_accepted_message_that_meta_assesses_says_so(
    message_status: str, later: tuple[str, ...], holds: dict[str, str | None]
) -> None:
    subscription()
    answered(claimed(peer="15551230001"), accepted("wamid.OUT1", message_status))
    for name in later:
        receive(webhook(statuses=(status(name),)))
    assert {body["data"]["status"]: body["data"]["hold"] for body in tell()} == holds


def test_an_account_event_is_delivered() -> None:
    subscription()
    account_update("account_update", event="DISABLED_UPDATE")
    data = tell()[0]["data"]
    assert (data["kind"], data["event"]) == ("account_update", "DISABLED_UPDATE")


def test_a_repeated_webhook_makes_one_delivery() -> None:
    subscription()
    for _ in range(3):
        receive(webhook(inbound_text()))
    assert events() == ["message.received"]


def test_external_statuses_make_deliveries_and_internal_ones_none() -> None:
    message = in_state(Status.SENDING)
    subscription()
    for step in (Status.PENDING, Status.QUEUED, Status.SENDING, Status.ACCEPTED):
        advance_many([Change(message.pk, step, timezone.now(), "worker", wamid="wamid.1")])
    assert [body["data"]["status"] for body in tell()] == ["accepted"]


def test_a_subscription_gets_the_events_that_it_asked_for() -> None:
    subscription(events=["account.event"])
    receive(webhook(inbound_text()))
    assert events() == []


def test_a_subscription_of_one_number_gets_that_numbers_messages() -> None:
    other = BusinessNumber.objects.create(phone_number_id="999")
    mine, others = subscription(number=number()), subscription(number=other)
    receive(webhook(inbound_text()))
    counts = [Delivery.objects.filter(subscription=one).count() for one in (mine, others)]
    assert counts == [1, 0]


@pytest.mark.parametrize("how", ["off", "deleted", "its client is off", "only here not known yet"])
def test_an_inactive_subscription_gets_no_deliveries(how: str) -> None:
    client = ApiClient.objects.create(name="shop")
    one = subscription(client=client)
    match how:
        case "off":
            change(one, "tests", active=False)
        case "deleted":
            unsubscribe(one, "tests")
        case "its client is off":
            ApiClient.objects.update(active=False)
            outbox.outbox.forget()
        case _:
            outbox.outbox.cache([(one.pk, one.events)])
            type(one).objects.update(active=False)
    receive(webhook(inbound_text()))
    assert (Message.objects.count(), events()) == (1, [])


def test_a_message_of_a_blocked_contact_makes_no_delivery() -> None:
    receive(webhook(inbound_text(wamid="wamid.1")))
    Contact.objects.update(blocked_at=timezone.now())
    subscription()
    receive(webhook(inbound_text(wamid="wamid.2")))
    assert events() == []


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_event_makes_no_delivery() -> None:
    subscription()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        receive(webhook(inbound_text()))
        raise ZeroDivisionError
    assert (Message.objects.count(), events()) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_a_status_change_and_its_delivery_are_committed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    message = in_state(Status.SENDING)
    subscription()

    def fail(*_: Any) -> None:
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(outbox, "_insert", fail)
    with pytest.raises(RuntimeError):
        advance_many([Change(message.pk, Status.ACCEPTED, timezone.now(), "worker", wamid="wamid.1")])
    assert Message.objects.get(pk=message.pk).status == Status.SENDING


def test_without_subscriptions_no_further_query_is_made(django_assert_num_queries: Any) -> None:
    message = in_state(Status.SENDING)
    with django_assert_num_queries(1):
        advance_many([Change(message.pk, Status.ACCEPTED, timezone.now(), "worker", wamid="wamid.1")])


def test_a_batch_for_several_subscriptions_is_one_statement(django_assert_num_queries: Any) -> None:
    for _ in range(3):
        subscription()
    outbox.outbox.wants()
    with connection.execute_wrapper(counted := Inserts()):
        receive(webhook(*[inbound_text(wamid=f"wamid.{n}", sender=f"1555000{n:04}") for n in range(20)]))
    assert (counted.count, Delivery.objects.count()) == (1, 60)


class Inserts:
    """Counts the statements that write deliveries."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: str, *args: Any) -> Any:
        self.count += "INSERT INTO messaging_delivery" in sql
        return execute(sql, *args)


def test_one_persons_messages_share_a_lane() -> None:
    subscription()
    receive(webhook(*[inbound_text(wamid=f"wamid.{n}", sender=f"1555000{n % 5:04}") for n in range(20)]))
    lanes: dict[str, set[int]] = {}
    for peer, lane in Delivery.objects.values_list("message__peer", "lane"):
        lanes.setdefault(peer, set()).add(lane)
    assert [len(found) for found in lanes.values()] == [1] * 5
    assert all(isinstance(pk, UUID) for pk in Delivery.objects.values_list("pk", flat=True))
