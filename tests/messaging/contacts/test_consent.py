"""Consent: whose word is the last one, and what it stops that has been accepted already."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.contacts import withdraw_or_allow, withdraw_released
from messaging.contacts.consent import ConsentChange, record_consent
from messaging.incoming.store import receive
from messaging.models import Contact, Message, TemplateCategory
from messaging.outgoing.cancel_and_retry import NotPossible, retry
from messaging.outgoing.claims import claim
from messaging.outgoing.release import release
from messaging.states import Status
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.contacts.test_contact_updates import change, seen
from tests.messaging.factories import number, trail
from tests.messaging.lock_order import holds_while_waiting, is_waited_for
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.django_db
PHONE = "15551230001"
BLOCKED = "The contact is blocked."
OPTED_OUT = "The contact has opted out of marketing; this template is a marketing template."
START, STOP = {"body": "start"}, {"body": "stop"}
EARLY, LATE = "1790000001", "1790000009"


def at(stamp: str) -> datetime:
    return datetime.fromtimestamp(int(stamp), UTC)


def queued(kind: str = "template", peer: str = PHONE) -> Message:
    """A message on its way to a worker."""
    TemplateCategory.objects.get_or_create(name="offer", waba_id="", category="marketing")
    content: dict[str, object] = {"name": "offer", "language": "en"} if kind == "template" else {"content": "hi"}
    (row,) = accept([NewMessage(peer, kind, content, number())])
    assert release(row.number_id)
    return row


def state(row: Message) -> tuple[str, str]:
    row.refresh_from_db()
    return row.status, row.error_title


# Two contacts that turn out to be one: what the one by number said, what the one by user id said, and what holds.
MERGED = [
    pytest.param((STOP, LATE), (START, EARLY), at(LATE), id="the later stop of the one by number"),
    pytest.param((START, EARLY), (STOP, LATE), at(LATE), id="the later stop of the one by user id"),
    pytest.param((STOP, EARLY), (START, LATE), None, id="the later start of the one by user id"),
    pytest.param((START, LATE), (STOP, EARLY), None, id="the later start of the one by number"),
    pytest.param((STOP, EARLY), None, at(EARLY), id="the only word, of the one by number"),
    pytest.param(None, (STOP, EARLY), at(EARLY), id="the only word, of the one by user id"),
]


@pytest.mark.parametrize(("of_phone", "of_user_id", "opted_out_at"), MERGED)
@pytest.mark.parametrize("user_id_first", [True, False])
def test_a_merge_keeps_the_later_consent_change(
    of_phone: Any, of_user_id: Any, opted_out_at: Any, user_id_first: bool
) -> None:
    words = [(1, PHONE, None, of_phone), (2, None, "US.1", of_user_id)]
    for n, phone, user_id, word in reversed(words) if user_id_first else words:
        text, stamp = word or ({"body": "hello"}, EARLY)
        seen(n, phone, user_id, text=text, timestamp=stamp)
    seen(3, PHONE, "US.1", timestamp=EARLY)
    assert Contact.objects.get().opted_out_at == opted_out_at


@pytest.mark.parametrize("blocked", ["phone", "user_id"])
def test_a_merge_keeps_a_block(blocked: str) -> None:
    seen(1, PHONE)
    seen(2, None, "US.1")
    Contact.objects.filter(**{f"{blocked}__isnull": False}).update(blocked_at=timezone.now())
    seen(3, PHONE, "US.1")
    assert Contact.objects.get().blocked_at is not None


def in_the_future(**time: float) -> str:
    return str(int((timezone.now() + timedelta(**time)).timestamp()))


@pytest.mark.parametrize("ahead", [{"minutes": 5}, {"days": 1}, {"days": 3650}])
@pytest.mark.parametrize(("first", "then", "out"), [(STOP, START, False), (START, STOP, True)])
def test_a_keyword_from_the_future_does_not_outlast_later_changes(ahead: Any, first: Any, then: Any, out: bool) -> None:
    seen(1, text=first, timestamp=in_the_future(**ahead))
    seen(2, text=then, timestamp=in_the_future(seconds=2))
    assert bool(Contact.objects.get().opted_out_at) is out


def test_a_preference_from_the_future_does_not_outlast_later_changes() -> None:
    said = {"wa_id": PHONE, "category": "marketing_messages"}
    for value, ahead in (("stop", {"days": 30}), ("resume", {"seconds": 2})):
        stamp = int(in_the_future(**ahead))
        change("user_preferences", user_preferences=[{**said, "value": value, "timestamp": stamp}])
    assert Contact.objects.get().opted_out_at is None


@pytest.mark.parametrize(("first", "then", "out"), [(STOP, START, False), (START, STOP, True)])
def test_a_stored_consent_time_in_the_future_does_not_outlast_later_changes(first: Any, then: Any, out: bool) -> None:
    seen(1, text=first)
    ahead = timezone.now() + timedelta(days=30)
    Contact.objects.filter(opted_out_at__isnull=False).update(opted_out_at=ahead)
    Contact.objects.update(consent_at=ahead)
    seen(2, text=then)
    assert bool(Contact.objects.get().opted_out_at) is out


def test_an_operators_change_counts_after_a_stored_time_in_the_future() -> None:
    seen(1, text=STOP)
    contact = Contact.objects.get()
    Contact.objects.update(consent_at=timezone.now() + timedelta(days=30))
    record_consent([ConsentChange(contact.pk, False, timezone.now(), "operator")])
    assert Contact.objects.get().opted_out_at is None


def test_a_consent_change_in_the_future_is_recorded_as_now() -> None:
    seen(1)
    contact = Contact.objects.get()
    record_consent([ConsentChange(contact.pk, True, timezone.now() + timedelta(days=30), "keyword")])
    contact.refresh_from_db()
    assert contact.consent_at is not None and contact.consent_at <= timezone.now()


def say_stop() -> None:
    seen(1, text=STOP)


def say_stop_in_whatsapp() -> None:
    said = {"wa_id": PHONE, "category": "marketing_messages", "value": "stop", "timestamp": 1_790_000_000}
    change("user_preferences", user_preferences=[said])


def be_refused_by_meta() -> None:
    receive(webhook(statuses=(status("failed", errors=[{"code": 131050}]),)))


@pytest.mark.parametrize("word", [say_stop, say_stop_in_whatsapp, be_refused_by_meta])
def test_an_opt_out_cancels_marketing_that_is_queued(word: Any) -> None:
    row = queued()
    word()
    assert state(row) == ("cancelled", OPTED_OUT)


def test_a_cancelled_message_is_not_claimed() -> None:
    TemplateCategory.objects.create(name="offer", waba_id="", category="marketing")
    accept([NewMessage(PHONE, "template", {"name": "offer", "language": "en"}, number())])
    batches = release(number().pk)
    say_stop()
    assert claim(batches) == []


def test_the_trail_of_a_withdrawal_is_complete() -> None:
    row = queued()
    say_stop()
    assert trail(row.pk) == [("pending", True), ("queued", True), ("cancelled", True)]


def test_an_opt_out_does_not_cancel_queued_texts() -> None:
    row = queued("text")
    say_stop()
    assert state(row) == ("queued", "")


def test_at_the_claim_an_opt_out_stops_the_template_and_lets_the_text_go() -> None:
    TemplateCategory.objects.create(name="offer", waba_id="", category="marketing")
    seen(1)
    template, text = accept(
        [
            NewMessage(PHONE, "template", {"name": "offer", "language": "en"}, number()),
            NewMessage(PHONE, "text", {"content": "hi"}, number()),
        ]
    )
    # The word came in between: nobody has withdrawn what was released.
    Contact.objects.update(opted_out_at=timezone.now())
    ids = [template.pk, text.pk]
    Message.objects.filter(pk__in=ids).update(status="queued")
    with transaction.atomic():
        allowed = withdraw_or_allow(ids, "worker")
    assert (allowed, state(template), state(text)) == ([text.pk], ("cancelled", OPTED_OUT), ("queued", ""))


@pytest.mark.parametrize("message_ids", [[], ["of another"]])
def test_at_the_claim_other_recipients_are_not_looked_at(message_ids: list[str]) -> None:
    row = queued(peer="15551230002")
    with transaction.atomic():
        assert withdraw_or_allow([row.pk] if message_ids else [], "worker") == []
    assert state(row) == ("queued", "")


@pytest.mark.parametrize(
    ("category", "stored"), [("marketing", ["offer"]), ("marketing_lite", ["offer"]), ("utility", []), ("", [])]
)
def test_a_template_that_meta_bills_as_marketing_is_one(category: str, stored: list[str]) -> None:
    (row,) = accept([NewMessage(PHONE, "template", {"name": "offer", "language": "en"}, number(waba_id="102"))])
    Message.objects.filter(pk=row.pk).update(wamid="wamid.B", status="accepted")
    sent = status("sent", wamid="wamid.B")
    sent["pricing"] = {"billable": True, "pricing_model": "PMP", "category": category}
    receive(webhook(statuses=(sent,)))
    found = TemplateCategory.objects.filter(category="marketing").values_list("name", "waba_id")
    assert list(found) == [(name, "102") for name in stored]


@pytest.mark.parametrize("kind", ["text", "template"])
def test_a_block_cancels_queued_messages(kind: str) -> None:
    row = queued(kind)
    seen(1)
    Contact.objects.update(blocked_at=timezone.now())
    withdraw_released(list(Contact.objects.values_list("pk", flat=True)), "operator")
    assert state(row) == ("cancelled", BLOCKED)


def test_an_opt_out_does_not_affect_other_recipients() -> None:
    row = queued(peer="15551230002")
    say_stop()
    assert state(row) == ("queued", "")


def test_consent_of_a_scheduled_message_is_checked_at_its_release() -> None:
    TemplateCategory.objects.create(name="offer", waba_id="", category="marketing")
    offer = NewMessage(PHONE, "template", {"name": "offer", "language": "en"}, number())
    (row,) = accept([offer])
    say_stop()
    assert state(row) == ("pending", "")
    seen(2, text=START, timestamp="1790000001")
    release(row.number_id)
    assert state(row) == ("queued", "")


def test_a_message_in_the_state_sending_is_not_cancelled() -> None:
    row = queued()
    Message.objects.filter(pk=row.pk).update(status=Status.SENDING)
    say_stop()
    assert state(row) == ("sending", "")


@pytest.mark.parametrize(
    ("contact", "reason"),
    [({"blocked_at": timezone.now()}, BLOCKED), ({"opted_out_at": timezone.now()}, OPTED_OUT)],
)
def test_a_retry_of_a_message_that_consent_forbids_is_refused_with_the_reason(contact: Any, reason: str) -> None:
    row = queued()
    Message.objects.filter(pk=row.pk).update(status=Status.FAILED, outcome_at=timezone.now())
    Contact.objects.create(phone=PHONE, phone_key=PHONE, **contact)
    with pytest.raises(NotPossible, match=reason):
        retry(row, "tests")


def test_queued_messages_to_a_user_id_are_cancelled() -> None:
    row = queued(peer="US.1")
    message = {**inbound_text(wamid="wamid.9", text="STOP"), "from_user_id": "US.1"}
    del message["from"]
    body = webhook(inbound_text())
    body["entry"][0]["changes"][0]["value"].update(messages=[message], contacts=[])
    receive(body)
    assert state(row) == ("cancelled", OPTED_OUT)


@pytest.mark.django_db(transaction=True)
def test_contacts_are_locked_in_id_order() -> None:
    seen(1, PHONE)
    seen(2, "15551230002")
    first, second = Contact.objects.order_by("pk")
    words = [ConsentChange(contact.pk, True, timezone.now(), "keyword") for contact in (second, first)]
    assert not holds_while_waiting(lambda: record_consent(words), first, second)


@pytest.mark.django_db(transaction=True)
def test_an_opt_out_during_a_release_waits_for_it_and_cancels() -> None:
    """The release has asked before the user's word came, and commits after it."""
    TemplateCategory.objects.create(name="offer", waba_id="", category="marketing")
    (row,) = accept([NewMessage(PHONE, "template", {"name": "offer", "language": "en"}, number())])

    def opt_out() -> None:
        say_stop()
        connection.close()

    with transaction.atomic():
        assert release(row.number_id)
        user = threading.Thread(target=opt_out)
        user.start()
        assert eventually(is_waited_for, every=0.01)
    user.join(PATIENCE_S)
    assert state(row) == ("cancelled", OPTED_OUT)
