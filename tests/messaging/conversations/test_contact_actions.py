"""Contacts in the admin: blocks, opt-outs, the search and erasures."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.conversations.admin_contacts import ContactAdmin, contacts_matching
from messaging.models import AuditEntry, BusinessNumber, Contact, Message, TemplateCategory
from messaging.outgoing.release import release
from messaging.states import Status
from tests.messaging.conversations.factories import ANN, chat_of, logged_in, wrote
from tests.messaging.factories import in_state, number
from tests.messaging.lock_order import holds_while_waiting, locks

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
def test_an_action_locks_contacts_without_blocking_their_foreign_keys(
    action: str, operator: Client, contact: Contact
) -> None:
    assert locks(lambda: act(operator, action, contact))[0] == "messaging_contact by 1: NO KEY UPDATE"


@pytest.mark.parametrize("action", ["block", "opt_out"])
def test_a_withdrawn_message_names_the_operator_as_its_source(
    action: str, operator: Client, contact: Contact, offer: Message
) -> None:
    act(operator, action, contact)
    assert offer.events.order_by("pk").last().source == "operator"  # type: ignore[union-attr]


@pytest.mark.parametrize(("action", "opted_out"), [("opt_out", True), ("opt_in", False)])
def test_the_consent_of_no_other_contact_changes(
    action: str, opted_out: bool, operator: Client, contact: Contact
) -> None:
    before = None if opted_out else timezone.now()
    other = Contact.objects.create(phone="15551230009", phone_key="15551230009")
    Contact.objects.update(opted_out_at=before)
    act(operator, action, contact)
    contact.refresh_from_db()
    other.refresh_from_db()
    assert (contact.opted_out_at is not None, contact.consent_source) == (opted_out, "operator")
    assert (other.opted_out_at, other.consent_source) == (before, "")


def test_a_second_block_keeps_the_time_of_the_first(operator: Client, contact: Contact) -> None:
    at = timezone.now() - timedelta(days=1)
    other, blocked = (Contact.objects.create(phone=phone, phone_key=phone) for phone in ("15551230008", "15551230009"))
    Contact.objects.filter(pk=blocked.pk).update(blocked_at=at)
    act(operator, "block", contact, blocked)
    found = {row.pk: row.blocked_at for row in Contact.objects.all()}
    assert (found[contact.pk] is None, found[other.pk], found[blocked.pk]) == (False, None, at)


def said(operator: Client) -> list[tuple[str, str]]:
    """The messages of the next page."""
    answer: Any = operator.get(reverse("admin:messaging_contact_changelist"))
    return [(one.level_tag, str(one)) for one in answer.context["messages"]]


def test_an_action_says_how_many_contacts_it_changed(operator: Client, contact: Contact) -> None:
    act(operator, "opt_out", contact)
    assert said(operator) == [("success", "1 contacts: opt out.")]
    assert AuditEntry.objects.get().who == "staff-view_contact-change_contact"


@pytest.mark.parametrize(
    ("facts", "buttons"),
    [
        ({}, {"block", "opt_out", "erase"}),
        ({"blocked_at": 1}, {"unblock", "opt_out", "erase"}),
        ({"opted_out_at": 1}, {"block", "opt_in", "erase"}),
    ],
    ids=["plain", "blocked", "opted out"],
)
def test_a_contact_has_the_buttons_that_change_something(facts: dict[str, Any], buttons: set[str]) -> None:
    assert page().buttons_of(Contact(**facts)) == buttons


def page() -> ContactAdmin:
    found = admin.site.get_model_admin(Contact)
    assert isinstance(found, ContactAdmin)
    return found


def test_the_page_of_a_contact_links_to_each_conversation() -> None:
    message = wrote("text", "a <question>", at=1_790_000_000)
    other = BusinessNumber.objects.create(phone_number_id="7", portfolio=message.number.portfolio)
    second = Message.objects.create(number=other, peer=ANN, direction="inbound", type="text", text="b", at=message.at)
    at = timezone.localtime(message.at).strftime("%Y-%m-%d %H:%M")
    links = {
        f"<a href='{chat_of(row)}'>{row.number}</a> {at} {text}"
        for row, text in ((message, "a &lt;question&gt;"), (second, "b"))
    }
    found = page().conversations(Contact.objects.get())
    nobody = Contact.objects.create(phone="1", phone_key="1")
    assert (set(found.split("<br>")), page().conversations(nobody)) == (links, "none")


@pytest.mark.parametrize("term", [PHONE, "+1 (555) 123-0001", "US.123", "555-999-0000"])
def test_a_contact_is_found_by_each_of_its_addresses(term: str) -> None:
    Contact.objects.create(phone="15551230009", phone_key="15551230009")
    facts = {"phone": PHONE, "phone_key": PHONE, "user_id": "US.123"}
    if term.endswith("0000"):
        facts["phone"] = "5559990000"
    mine = Contact.objects.create(**facts)
    assert list(contacts_matching(term)) == [mine.pk]


@pytest.mark.parametrize("term", ["", PHONE])
def test_a_search_is_not_slowed_by_a_removal_of_duplicates(term: str, operator: Client, contact: Contact) -> None:
    with CaptureQueriesContext(connection) as made:
        page = operator.get(reverse("admin:messaging_contact_changelist"), {"q": term})
    assert contact.phone and contact.phone in page.content.decode()
    assert [query["sql"] for query in made if "DISTINCT" in query["sql"]] == []


@pytest.fixture
def eraser(db: None) -> Client:
    return logged_in("view_contact", "erase_contact")


def ask_to_erase(client: Client, *contacts: Contact, **fields: str) -> Any:
    form = {"action": "erase", "_selected_action": [contact.pk for contact in contacts], **fields}
    return client.post(reverse("admin:messaging_contact_changelist"), form)


def test_one_person_is_erased_at_a_time(eraser: Client, contact: Contact) -> None:
    other = Contact.objects.create(phone="15551230009", phone_key="15551230009")
    ask_to_erase(eraser, contact, other, confirmed="yes")
    assert (said(eraser), Contact.objects.count()) == ([("warning", "Erase one person at a time.")], 2)


@pytest.mark.parametrize(
    ("facts", "objects"),
    [({}, False), ({"opted_out_at": "2026-01-01T00:00Z"}, True), ({"blocked_at": "2026-01-01T00:00Z"}, True)],
    ids=str,
)
def test_the_confirmation_of_an_erasure_says_what_it_deletes(
    facts: dict[str, str], objects: bool, eraser: Client, contact: Contact
) -> None:
    wrote(sender=PHONE)
    Contact.objects.update(**facts)
    answer = ask_to_erase(eraser, contact)
    keys = ("title", "opts", "contact", "messages_count", "objects")
    assert {key: answer.context_data[key] for key in keys} == {
        "title": "Erase a person", "opts": Contact._meta, "contact": contact, "messages_count": 1, "objects": objects,
    }  # fmt: skip
    assert answer.context_data["site_header"]


@pytest.mark.parametrize(("forget", "left"), [("", 1), ("yes", 0), ("no", 1)])
def test_an_objection_is_forgotten_only_on_request(
    forget: str, left: int, eraser: Client, contact: Contact, sqs: Any
) -> None:
    wrote(sender=PHONE)
    Contact.objects.update(blocked_at=timezone.now())
    answer = ask_to_erase(eraser, contact, confirmed="yes", forget_objection=forget)
    assert (answer.status_code, answer.url) == (302, reverse("admin:messaging_contact_changelist"))
    assert said(eraser) == [("success", f"Erased: 1 messages, {1 - left} contacts.")]
    assert (Contact.objects.count(), AuditEntry.objects.get().who) == (left, "staff-view_contact-erase_contact")


def test_an_erasure_that_must_wait_says_why(eraser: Client, contact: Contact, sqs: Any) -> None:
    in_state(Status.UNKNOWN, peer=PHONE)
    ask_to_erase(eraser, contact, confirmed="yes")
    ((level, words),) = said(eraser)
    assert (level, words.startswith("A message to this person has an unknown outcome.")) == ("warning", True)


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
