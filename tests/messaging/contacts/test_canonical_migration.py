"""The migration that gives each number one form."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from messaging.models import Contact, Message
from messaging.states import Status
from tests.messaging.factories import in_state, pending

pytestmark = pytest.mark.django_db
migration = import_module("messaging.migrations.0012_canonical_numbers")

# What a message's peer was, and what it is afterwards.
PEERS = [
    ("5215512340918", "525512340918"),
    ("525512340918", "525512340918"),
    ("551187654321", "5511987654321"),
    ("551133334444", "551133334444"),
    ("541112345678", "5491112345678"),
    ("5491112345678", "5491112345678"),
    ("15551230001", "15551230001"),
    ("US.123", "US.123"),
]


@pytest.mark.parametrize(("before", "after"), PEERS)
def test_messages_get_the_canonical_number_and_keep_the_spelling_that_is_sent_to(before: str, after: str) -> None:
    (row,) = pending()
    Message.objects.filter(pk=row.pk).update(peer=before, sent_to=None, hold="pair")
    migration.canonical_messages(apps, None)
    row.refresh_from_db()
    is_other = before != after
    assert (row.peer, row.sent_to, row.hold) == (after, before if is_other else None, None if is_other else "pair")


def test_a_message_on_its_way_stays_as_it_is() -> None:
    row = in_state(Status.SENDING)
    Message.objects.filter(pk=row.pk).update(peer="5215512340918", outcome_at=None)
    migration.canonical_messages(apps, None)
    row.refresh_from_db()
    assert row.peer == "5215512340918"


def contact(key: str, **fields: Any) -> Contact:
    return Contact.objects.create(phone=key, phone_key=key, **fields)


def test_a_brazilian_contact_gets_the_ninth_digit() -> None:
    contact("541112345678")
    migration.canonical_contacts(apps, None)
    assert Contact.objects.get().phone_key == "5491112345678"


@pytest.mark.parametrize("stopped", ["541112345678", "5491112345678"])
def test_two_contacts_of_one_number_are_merged_with_block_and_opt_out(stopped: str) -> None:
    now = timezone.now()
    for key in ("541112345678", "5491112345678"):
        contact(key, **({"blocked_at": now, "opted_out_at": now, "consent_at": now} if key == stopped else {}))
    migration.canonical_contacts(apps, None)
    (left,) = Contact.objects.all()
    assert (left.phone_key, left.blocked_at, left.opted_out_at) == ("5491112345678", now, now)


def test_contacts_with_two_user_ids_are_not_merged() -> None:
    contact("541112345678", user_id="AR.1")
    contact("5491112345678", user_id="AR.2")
    migration.canonical_contacts(apps, None)
    assert sorted(Contact.objects.values_list("user_id", "phone_key")) == [("AR.1", None), ("AR.2", "5491112345678")]
