"""Blocks and opt-outs by an operator, in the list of contacts."""

import pytest
from django.test import Client
from django.urls import reverse

from messaging.accepting.accept import NewMessage, accept
from messaging.models import AuditEntry, Contact, Message, TemplateCategory
from messaging.outgoing.release import release
from tests.messaging.conversations.factories import logged_in
from tests.messaging.factories import number

pytestmark = pytest.mark.django_db
PHONE = "15551230001"


@pytest.fixture
def operator(db: None) -> Client:
    return logged_in("view_contact", "change_contact")


@pytest.fixture
def contact(db: None) -> Contact:
    return Contact.objects.create(phone=PHONE, phone_key=PHONE)


@pytest.fixture
def offer(db: None) -> Message:
    """A marketing message on its way to a worker."""
    TemplateCategory.objects.create(name="offer", waba_id="", category="marketing")
    (row,) = accept([NewMessage(PHONE, "template", {"name": "offer", "language": "en"}, number())])
    assert release(row.number_id)
    return row


def act(operator: Client, action: str, contact: Contact) -> None:
    form = {"action": action, "_selected_action": [contact.pk]}
    assert operator.post(reverse("admin:messaging_contact_changelist"), form).status_code == 302


@pytest.mark.parametrize(
    ("action", "status"),
    [("block", "cancelled"), ("opt_out", "cancelled"), ("unblock", "queued"), ("opt_in", "queued")],
)
def test_a_block_or_opt_out_cancels_queued_messages(
    action: str, status: str, operator: Client, contact: Contact, offer: Message
) -> None:
    act(operator, action, contact)
    offer.refresh_from_db()
    assert offer.status == status


@pytest.mark.parametrize("action", ["block", "unblock", "opt_out", "opt_in"])
def test_each_action_is_in_the_audit_log(action: str, operator: Client, contact: Contact) -> None:
    act(operator, action, contact)
    assert AuditEntry.objects.get(object=f"contact {contact.pk}").action == action.replace("_", " ")


def test_an_unblocked_contact_gets_messages_again(operator: Client, contact: Contact, offer: Message) -> None:
    for action in ("block", "unblock"):
        act(operator, action, contact)
    accept([NewMessage(PHONE, "text", {"content": "hi"}, number())])
    assert release(offer.number_id)
