"""Blocks and opt-outs by an operator, in the list of contacts."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from messaging.accepting.accept import NewMessage, accept
from messaging.models import AuditEntry, Contact, Message, TemplateCategory
from messaging.outgoing.release import release
from tests.messaging.conversations.factories import logged_in
from tests.messaging.factories import number
from tests.messaging.lock_order import holds_while_waiting

pytestmark = pytest.mark.django_db
PHONE = "15551230001"
ACTIONS = ["block", "unblock", "opt_out", "opt_in"]


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


def act(operator: Client, action: str, *contacts: Contact) -> None:
    form = {"action": action, "_selected_action": [contact.pk for contact in contacts]}
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


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_in_the_audit_log(action: str, operator: Client, contact: Contact) -> None:
    act(operator, action, contact)
    assert AuditEntry.objects.get(object=f"contact {contact.pk}").action == action.replace("_", " ")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ACTIONS)
def test_contacts_are_locked_in_id_order(action: str, operator: Client) -> None:
    first, second = (Contact.objects.create(phone=phone, phone_key=phone) for phone in (PHONE, "15551230002"))
    Contact.objects.filter(pk=first.pk).update(name="now the last row of the table")
    assert not holds_while_waiting(lambda: act(operator, action, second, first), first, second)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_fails_is_not_in_the_audit_log(action: str, operator: Client, contact: Contact) -> None:
    def refuse(run: Any, sql: str, *arguments: Any) -> Any:
        if sql.lstrip().startswith(("UPDATE", "WITH")) and "messaging_contact" in sql:
            raise OperationalError
        return run(sql, *arguments)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        act(operator, action, contact)
    assert not AuditEntry.objects.exists()


def test_an_unblocked_contact_gets_messages_again(operator: Client, contact: Contact, offer: Message) -> None:
    for action in ("block", "unblock"):
        act(operator, action, contact)
    accept([NewMessage(PHONE, "text", {"content": "hi"}, number())])
    assert release(offer.number_id)
