"""Contact updates of webhooks: identities, consent, the statements of a large webhook."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.accepting.python_api import send_template_message, send_text_message
from messaging.accepting.recipient_checks import NoConsent
from messaging.incoming.store import receive
from messaging.lifecycle.domain_events import DomainEvent, MessageReceived, listen, stop_listening
from messaging.models import AccountEvent, Contact, Message, MessageEvent, TemplateCategory, UnknownUpdate
from messaging.signals import account_event
from messaging.states import Status
from tests.environment import PHONE_NUMBER_ID
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.factories import in_state, number

pytestmark = pytest.mark.django_db
PHONE = "15551230001"


def seen(n: int, phone: str | None = PHONE, user_id: str | None = None, sender: str = "", **more: Any) -> None:
    """A message whose sender the payload shows like this."""
    message = {**inbound_text(wamid=f"wamid.{n}"), **more}
    del message["from"]
    message |= {key: held for key, held in (("from", phone), ("from_user_id", user_id)) if held}
    body = webhook(inbound_text())
    metadata = {"phone_number_id": sender or PHONE_NUMBER_ID}
    body["entry"][0]["changes"][0]["value"] = {"metadata": metadata, "messages": [message]}
    receive(body)


def change(field: str, waba_id: str = "1", **value: Any) -> None:
    """Another field."""
    value = {"metadata": {"phone_number_id": PHONE_NUMBER_ID}, **value}
    entry = {"id": waba_id, "time": 1_790_000_000, "changes": [{"field": field, "value": value}]}
    receive({"object": "whatsapp_business_account", "entry": [entry]})


def identities() -> list[tuple[str | None, str | None]]:
    """All contacts."""
    return sorted(Contact.objects.values_list("phone", "user_id"), key=str)


@pytest.mark.parametrize("first", [(PHONE, None), (None, "US.1")])
def test_a_payload_with_number_and_user_id_completes_the_contact(first: Any) -> None:
    seen(1, *first)
    seen(2, PHONE, "US.1")
    assert identities() == [(PHONE, "US.1")]


@pytest.mark.parametrize(("length", "stored"), [(255, 255), (256, 255), (4000, 255)])
def test_a_longer_name_than_fits_is_cut(length: int, stored: int) -> None:
    message = {**inbound_text(wamid="wamid.1"), "from": PHONE}
    profile = {"name": "n" * length, "username": "u" * length}
    change("messages", contacts=[{"profile": profile, "wa_id": PHONE}], messages=[message])
    contact = Contact.objects.get()
    assert (len(contact.name), len(contact.username), Message.objects.count()) == (stored, stored, 1)


def test_a_contact_has_the_profile_name_of_the_payload() -> None:
    message = {**inbound_text(wamid="wamid.1"), "from": PHONE, "from_user_id": "US.1"}
    contact = {"profile": {"name": "Ann"}, "wa_id": PHONE, "user_id": "US.1"}
    change("messages", contacts=[contact], messages=[message])
    assert Contact.objects.get().name == "Ann"


def test_contacts_of_one_person_are_merged_with_their_messages() -> None:
    seen(1, PHONE)
    seen(2, None, "US.1")
    seen(3, PHONE, "US.1")
    assert (identities(), Contact.objects.get().messages.count()) == ([(PHONE, "US.1")], 3)


def test_a_merged_contact_keeps_its_first_day_and_a_name() -> None:
    seen(1, PHONE)
    seen(2, None, "US.1")
    Contact.objects.filter(phone=PHONE).update(name="", first_seen_at="2026-01-02T00:00Z")
    Contact.objects.filter(user_id="US.1").update(name="Ann", first_seen_at="2026-01-01T00:00Z")
    body = webhook(statuses=(status("sent"),))
    body["entry"][0]["changes"][0]["value"]["contacts"] = [{"wa_id": PHONE, "user_id": "US.1"}]
    receive(body)
    row = Contact.objects.get()
    assert (row.name, row.first_seen_at.day, row.phone, row.user_id) == ("Ann", 1, PHONE, "US.1")


@pytest.mark.parametrize(
    ("kept", "merged", "username"), [("", "ann", "ann"), ("ann", "", "ann"), ("new", "old", "new")]
)
def test_a_merged_contact_keeps_a_username(kept: str, merged: str, username: str) -> None:
    seen(1, PHONE)
    seen(2, None, "US.1")
    Contact.objects.filter(user_id="US.1").update(username=kept)
    Contact.objects.filter(phone=PHONE).update(username=merged)
    body = webhook(statuses=(status("sent"),))
    body["entry"][0]["changes"][0]["value"]["contacts"] = [{"wa_id": PHONE, "user_id": "US.1"}]
    receive(body)
    assert Contact.objects.get().username == username


def test_contacts_in_a_status_are_merged_too() -> None:
    seen(1, PHONE)
    seen(2, None, "US.1")
    body = webhook(statuses=(status("sent"),))
    body["entry"][0]["changes"][0]["value"]["contacts"] = [{"wa_id": PHONE, "user_id": "US.1"}]
    receive(body)
    assert identities() == [(PHONE, "US.1")]


def test_a_reassigned_number_does_not_take_the_history_of_its_former_owner() -> None:
    seen(1, PHONE, "US.1")
    seen(2, PHONE, "US.2")
    assert identities() == [(PHONE, "US.2"), (None, "US.1")]


def test_numbers_that_two_contacts_swap_are_followed() -> None:
    seen(1, "1555000001", "US.1")
    seen(2, "1555000002", "US.2")
    seen(3, "1555000002", "US.1")
    seen(4, "1555000001", "US.2")
    assert identities() == [("1555000001", "US.2"), ("1555000002", "US.1")]


def test_a_changed_number_is_followed() -> None:
    seen(1, PHONE, "US.1")
    moved = {"type": "user_changed_number", "wa_id": "15559990000", "user_id": "US.2", "previous_user_id": "US.1"}
    seen(2, PHONE, None, type="system", system=moved)
    assert identities() == [("15559990000", "US.2")]


def test_a_changed_user_id_is_followed() -> None:
    seen(1, None, "US.1")
    moved = {"type": "user_changed_user_id", "user_id": "US.2", "previous_user_id": "US.1"}
    seen(2, None, None, type="system", system=moved)
    assert identities() == [(None, "US.2")]


@pytest.mark.parametrize("pair", [("551187654321", "5511987654321"), ("5215512345678", "525512345678")])
def test_variants_of_a_number_are_one_contact(pair: tuple[str, str]) -> None:
    for n, phone in enumerate(pair):
        seen(n, phone)
    assert identities() == [(pair[1], None)]


def test_a_user_id_in_the_place_of_a_number_is_recognised() -> None:
    seen(1, "US.1")
    seen(2, None, "US.1")
    assert identities() == [(None, "US.1")]


def test_contacts_of_two_portfolios_never_mix() -> None:
    number(portfolio="a")
    seen(1, PHONE, "US.1")
    seen(2, PHONE, "US.1", sender="999")
    assert Contact.objects.count() == 2


def test_a_conversation_reads_in_metas_order() -> None:
    receive(webhook(*[inbound_text(wamid=f"wamid.{9 - n}", text=str(n)) for n in range(5)]))
    assert list(Message.objects.order_by("at", "id").values_list("text", flat=True)) == list("01234")


def test_each_members_status_in_a_group_is_kept() -> None:
    message = in_state(Status.ACCEPTED, wamid="wamid.OUT1")
    members = (status("delivered", recipient_participant_id=f"1555{n}") for n in range(3))
    receive(webhook(statuses=tuple(members)))
    assert MessageEvent.objects.filter(message=message, status="delivered").count() == 3


def test_one_member_without_the_message_does_not_fail_it() -> None:
    message = in_state(Status.SENT, wamid="wamid.OUT1")
    receive(webhook(statuses=(status("failed", recipient_participant_id="1555"),)))
    message.refresh_from_db()
    assert message.status == "sent"


def test_an_unknown_update_counts_how_often_it_came() -> None:
    for _ in range(3):
        change("later", a=1)
    assert UnknownUpdate.objects.get().seen == 3


def test_an_account_event_is_kept_once() -> None:
    for _ in range(2):
        change("account_update", event="DISABLED_UPDATE")
    assert AccountEvent.objects.get().event == "DISABLED_UPDATE"


@pytest.mark.django_db(transaction=True)
def test_an_account_event_is_published_once() -> None:
    heard: list[int] = []

    def hear(sender: Any, event_id: int, **_: Any) -> None:
        heard.append(event_id)

    account_event.connect(hear)
    for _ in range(2):
        change("account_update", event="DISABLED_UPDATE")
    account_event.disconnect(hear)
    assert heard == [AccountEvent.objects.get().pk]


def test_an_echo_is_an_outbound_message_and_publishes_no_event() -> None:
    heard: list[DomainEvent] = []
    listen(heard.extend)
    change("smb_message_echoes", message_echoes=[{**inbound_text(), "from": "15550783881", "to": PHONE}])
    stop_listening(heard.extend)
    assert (Message.objects.get().direction, Message.objects.get().peer, heard) == ("outbound", PHONE, [])


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("STOP", True),
        (" stop. ", True),
        ("do not stop", False),
        ("stop sending it to my old address", False),
        ("Stop! Wrong colour.", False),
        ("stopping by at noon", False),
    ],
)
def test_only_a_keyword_alone_opts_out(text: str, out: bool) -> None:
    seen(1, text={"body": text})
    assert bool(Contact.objects.get().opted_out_at) is out


def test_the_latest_consent_change_counts_in_any_order_of_arrival() -> None:
    seen(1, text={"body": "start"}, timestamp="1790000009")
    seen(2, text={"body": "stop"}, timestamp="1790000001")
    assert Contact.objects.get().opted_out_at is None


def test_a_preference_opts_out_with_its_source() -> None:
    said = {"wa_id": PHONE, "category": "marketing_messages", "value": "stop", "timestamp": 1_790_000_000}
    change("user_preferences", user_preferences=[said])
    contact = Contact.objects.get()
    assert (contact.consent_source, contact.opted_out_at is not None) == ("preference", True)


def test_metas_refusal_opts_out() -> None:
    in_state(Status.SENT, wamid="wamid.OUT1")
    receive(webhook(statuses=(status("failed", errors=[{"code": 131050}]),)))
    assert Contact.objects.get().consent_source == "131050"


def test_a_marketing_template_to_a_contact_who_opted_out_is_refused() -> None:
    seen(1, text={"body": "stop"})
    change("template_category_update", new_category="MARKETING", message_template_name="sale")
    TemplateCategory.objects.update(waba_id="")
    with pytest.raises(NoConsent):
        send_template_message("+" + PHONE, "sale", "en")
    assert send_template_message("+" + PHONE, "receipt", "en")


@pytest.mark.django_db(transaction=True)
def test_messages_of_a_blocked_contact_are_stored_without_an_event_and_sends_are_refused() -> None:
    seen(1)
    Contact.objects.update(blocked_at="2026-01-01T00:00Z")
    heard: list[DomainEvent] = []
    listen(heard.extend)
    seen(2)
    stop_listening(heard.extend)
    received = [item for item in heard if isinstance(item, MessageReceived)]
    assert (Message.objects.count(), received) == (2, [])
    with pytest.raises(NoConsent):
        send_text_message("+" + PHONE, "hello")


def test_a_thousand_statuses_take_few_queries() -> None:
    in_state(Status.ACCEPTED, wamid="wamid.OUT1")
    body = webhook(statuses=tuple(status("sent", wamid=f"wamid.OUT{n}") for n in range(1000)))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        receive(body)
    assert len(queries) <= 40


def test_a_thousand_messages_take_few_queries() -> None:
    body = webhook(*[inbound_text(wamid=f"wamid.{n}", sender=f"1555000{n:04}") for n in range(1000)])
    with CaptureQueriesContext(connection) as queries:
        receive(body)
    assert len(queries) <= 40


@pytest.mark.django_db(transaction=True)
def test_workers_that_see_one_person_under_two_names_make_one_contact() -> None:
    failures: list[Exception] = []

    def work(n: int) -> None:
        try:
            seen(n, *[(PHONE, "US.1"), (PHONE, None), (None, "US.1")][n % 3])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen(9, PHONE, "US.1")
    assert (failures, identities(), Message.objects.count()) == ([], [(PHONE, "US.1")], 7)
