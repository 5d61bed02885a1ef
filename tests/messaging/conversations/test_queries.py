"""Conversations: their contacts, their windows, and the messages of a page."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.conversations import queries
from messaging.conversations.queries import (
    Conversation,
    conversation_of,
    conversations_with,
    find_conversations,
    latest_conversations,
    messages_from,
    messages_of,
)
from messaging.models import BusinessNumber, Contact, Media, Message
from tests.messaging.conversations.factories import ANN, now, wrote
from tests.messaging.factories import number, pending

pytestmark = pytest.mark.django_db
BOB, USER_ID = "15551230002", "US.123"


def conversation(contact: Contact | None = None, written_at: datetime | None = None, **latest: Any) -> Conversation:
    message = Message(**{"peer": ANN, "direction": "inbound", "type": "text", **latest})
    return Conversation(BusinessNumber(), contact, (ANN,), message, written_at)


@pytest.mark.parametrize(
    ("contact", "name", "address"),
    [
        (None, ANN, ANN),
        (Contact(name="Ann", phone=BOB, user_id=USER_ID), "Ann", BOB),
        (Contact(name="", phone=None, user_id=USER_ID), USER_ID, USER_ID),
        (Contact(name="", phone=None, user_id=None), ANN, ANN),
        (Contact(name="Ann", phone=None, user_id=None), "Ann", ANN),
    ],
)
def test_a_conversation_has_the_contacts_name_and_address(contact: Contact | None, name: str, address: str) -> None:
    one = conversation(contact)
    assert (one.name, one.address) == (name, address)


@pytest.mark.parametrize(
    ("latest", "expected"),
    [
        ({}, True),
        ({"direction": "outbound"}, False),
        ({"type": "reaction"}, False),
        ({"type": "system"}, False),
        ({"direction": "outbound", "type": "system"}, False),
    ],
    ids=str,
)
def test_a_users_message_waits_for_a_reply_unless_it_needs_none(latest: dict[str, Any], expected: bool) -> None:
    assert conversation(**latest).is_unanswered is expected


@pytest.mark.parametrize(("hours", "is_open"), [(None, False), (23, True), (25, False)])
def test_the_window_closes_a_day_after_the_user_wrote(hours: int | None, is_open: bool) -> None:
    at = None if hours is None else timezone.now() - timedelta(hours=hours)
    one = conversation(written_at=at)
    assert (one.is_open, one.closes_at) == (is_open, at + timedelta(hours=24) if at and is_open else None)


def test_only_a_full_page_has_an_older_one() -> None:
    messages = [wrote(sender=sender) for sender in (ANN, BOB)]
    first = latest_conversations(1)
    assert ([one.latest for one in first.conversations], first.older) == ([messages[1]], messages[1].pk)
    assert latest_conversations(3).older is None


@pytest.mark.parametrize(("scanned", "older"), [(2, 1), (3, 0), (4, None)])
def test_a_page_that_reached_its_scan_limit_has_an_older_one(
    scanned: int, older: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SCANNED", scanned)
    rows = [wrote() for _ in range(3)]
    assert latest_conversations(5).older == (None if older is None else rows[older].pk)


def test_answered_conversations_are_listed_unless_filtered_out() -> None:
    pending(1, peer=ANN)
    found = [latest_conversations(5, **asked).conversations for asked in ({}, {"unanswered": True})]  # type: ignore[arg-type]
    assert [len(one) for one in found] == [1, 0]


@pytest.mark.parametrize("term", ["US.123", "ann", "a\0nn", "555-999-0000"])
def test_each_address_of_a_contact_finds_all_of_its_messages(term: str) -> None:
    first = wrote()
    Contact.objects.update(user_id=USER_ID, phone="5559990000", phone_key="5559990000")
    second = wrote(sender="5559990000")
    Message.objects.filter(pk=first.pk).update(peer=USER_ID)
    wrote(sender=BOB, name="Bob")
    assert [one.latest for one in find_conversations(term).conversations] == [second]


def test_a_contact_has_a_conversation_with_each_number_of_its_portfolio() -> None:
    wrote(at=now() - 60)
    latest = wrote()
    contact = Contact.objects.get()
    mine, other = (
        BusinessNumber.objects.create(phone_number_id=key, portfolio=portfolio)
        for key, portfolio in (("8", contact.portfolio), ("9", "elsewhere"))
    )
    facts = {"peer": ANN, "direction": "inbound", "type": "text", "status": "received"}
    (second, _) = (Message.objects.create(number=sender, **facts) for sender in (mine, other))
    BusinessNumber.objects.create(phone_number_id="10", portfolio=contact.portfolio)
    assert {one.latest for one in conversations_with(contact)} == {latest, second}


def test_a_page_of_messages_is_read_with_contacts_and_media_at_once() -> None:
    message = wrote("image", {"id": "1"})
    Media.objects.get_or_create(message=message, defaults={"kind": "image", "give_up_at": timezone.now()})
    of = conversation_of(message)
    with CaptureQueriesContext(connection) as made:
        (row,) = messages_of(of, 5)
        assert (row.number.pk, row.contact, row.media.kind) == (message.number_id, of.contact, "image")
    # One for each address, and one for the contact.
    assert len(made) == len(of.peers) + 1
    assert [query["sql"] for query in made if '."raw"' in query["sql"]] == []


def test_a_list_of_conversations_is_read_with_numbers_and_contacts_at_once() -> None:
    for sender, name in ((ANN, "Ann"), (BOB, "Bob")):
        wrote(sender=sender, name=name)
    with CaptureQueriesContext(connection) as made:
        found = latest_conversations(5).conversations
        assert len({(one.number.pk, one.name) for one in found}) == 2
    listed = [query["sql"] for query in made if 'FROM "messaging_message"' in query["sql"]]
    assert [('"messaging_contact"' in sql, '"raw"' in sql) for sql in listed] == [(True, False)]
    assert not any('FROM "messaging_businessnumber"' in query["sql"] for query in made)


def test_messages_before_and_since_one_stay_in_their_conversation_and_on_their_side() -> None:
    rows = [wrote("text", str(n), at=now() - 100 + n) for n in range(5)]
    Message.objects.create(
        number=BusinessNumber.objects.create(phone_number_id="9"), peer=ANN, direction="inbound", type="text",
        status="received", at=rows[2].at,
    )  # fmt: skip
    of = conversation_of(rows[0])
    assert messages_of(of, 9) == rows
    assert messages_of(of, 2) == rows[3:]
    assert messages_of(of, 9, before=rows[2]) == rows[:2]
    assert messages_of(of, 9, since=rows[2]) == rows[2:]


def test_the_window_of_another_number_does_not_open_a_conversation() -> None:
    message = wrote(at=now() - 90_000)
    other = BusinessNumber.objects.create(phone_number_id="9")
    Message.objects.create(number=other, peer=ANN, direction="inbound", type="text", status="received")
    assert conversation_of(message).is_open is False


def test_a_message_without_a_contact_finds_it_in_its_own_portfolio() -> None:
    sender = number()
    for portfolio, name in (("elsewhere", "Eve"), (sender.portfolio, "Ann")):
        Contact.objects.create(portfolio=portfolio, phone=ANN, phone_key=ANN, user_id=USER_ID, name=name)
    (message,) = pending(1, peer=ANN)
    Message.objects.update(contact=None)
    message.refresh_from_db()
    one = conversation_of(message)
    assert (one.name, set(one.peers)) == ("Ann", {ANN, USER_ID})


def test_a_page_of_a_quiet_number_reads_no_further_than_any_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "SCANNED", 2)
    other = BusinessNumber.objects.create(phone_number_id="9")
    quiet = Message.objects.create(number=other, peer=BOB, direction="inbound", type="text", status="received")
    rows = [wrote() for _ in range(2)]
    page = latest_conversations(5, number=other.pk)
    assert ([one.latest for one in page.conversations], page.older) == ([], rows[0].pk)
    older = latest_conversations(5, number=other.pk, before=page.older)
    assert ([one.latest for one in older.conversations], older.older) == ([quiet], None)


def test_messages_from_one_are_the_oldest_after_it() -> None:
    rows = [wrote("text", str(n), at=now() - 100 + n) for n in range(5)]
    assert messages_from(conversation_of(rows[0]), rows[1], 2) == rows[1:3]
