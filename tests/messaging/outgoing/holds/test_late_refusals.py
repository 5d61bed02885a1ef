"""A refusal of a call that began before a template, a number or an account was released stops nothing."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.message_templates import TemplateList, claim_syncs
from messaging.meta_events.template_sync import FetchedTemplates, record
from messaging.models import BusinessNumber, Hold, Message, Template
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.holds.holds import hold_template, resume_hold, sweep_holds
from messaging.outgoing.holds.suspensions import pause, resume
from messaging.outgoing.release import release
from messaging.whatsapp.errors import Misconfigured, Scope, Throttled, WhatsAppError
from messaging.whatsapp.graph import TemplateNode
from tests.messaging.factories import accepted, answered, number, pending
from tests.messaging.lock_order import is_waited_for
from tests.messaging.message_templates.rows import synced_template
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
WABA, OFFER = "102290129340398", "offer"
PAUSED = Throttled(code=132015, scope=Scope.TEMPLATE, wait=10_800, title="template paused")
SPAM = Misconfigured(code=131048, scope=Scope.NUMBER, title="spam")
LOCKED = Misconfigured(code=131031, scope=Scope.ACCOUNT, title="account locked")
TOKEN = Misconfigured(code=190, scope=Scope.APP, title="token expired")
BUSY = Throttled(code=130429, scope=Scope.NUMBER, wait=2.0)
ACCOUNT_BUSY = Throttled(code=80007, scope=Scope.ACCOUNT, wait=300.0)
APP_BUSY = Throttled(code=4, scope=Scope.APP, wait=300.0)


@pytest.fixture(autouse=True)
def template(db: None) -> Template:
    """The template `offer` of the default number's account."""
    number(waba_id=WABA)
    return synced_template(OFFER, "en", WABA)


def calling() -> Claimed:
    """A message of the template, whose call is on its way."""
    (message,) = pending()
    content = {"name": OFFER, "language": {"code": "en"}}
    Message.objects.filter(pk=message.pk).update(type="template", content=content, template=OFFER)
    (batch,) = release(message.number_id)
    (row,) = claim([batch])
    return row


def webhook(field: str, value: dict[str, Any]) -> None:
    entry = {"id": WABA, "time": int(timezone.now().timestamp()), "changes": [{"field": field, "value": value}]}
    receive({"object": "whatsapp_business_account", "entry": [entry]})


def template_status(event: str) -> None:
    value = {"event": event, "message_template_name": OFFER, "message_template_language": "en"}
    webhook("message_template_status_update", value)


def approved_after_a_pause() -> None:
    template_status("PAUSED")
    template_status("APPROVED")


def approved_without_a_hold() -> None:
    Template.objects.update(status="PAUSED")
    template_status("APPROVED")


def approved_in_metas_list() -> None:
    Template.objects.update(status="PAUSED")
    (due,) = claim_syncs(1)
    node = TemplateNode("1", OFFER, "en", "APPROVED", "UTILITY", (), "", "", "")
    record([FetchedTemplates(due, TemplateList((node,), timezone.now()))])


def a_person_ends_the_hold() -> None:
    resume_hold(hold_template(OFFER, by="ann").pk)


def the_hold_expires() -> None:
    hold_template(OFFER, waba_id=WABA, language="en", by="system", until=timezone.now())
    sweep_holds()


def a_person_resumes_the_number() -> None:
    pause([number().pk], reason="by hand", by="ann")
    resume([number().pk])


def ban(state: str) -> None:
    webhook("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}})


def reinstated_after_a_ban() -> None:
    ban("DISABLE")
    ban("REINSTATE")


def reinstated_alone() -> None:
    ban("REINSTATE")


RELEASES: list[tuple[Callable[[], None], WhatsAppError]] = [
    (approved_after_a_pause, PAUSED),
    (approved_without_a_hold, PAUSED),
    (approved_in_metas_list, PAUSED),
    (a_person_ends_the_hold, PAUSED),
    (the_hold_expires, PAUSED),
    *((happens, error) for happens in (a_person_resumes_the_number, reinstated_after_a_ban, reinstated_alone)
      for error in (SPAM, LOCKED, TOKEN, BUSY, ACCOUNT_BUSY, APP_BUSY)),
]  # fmt: skip
TABLE = pytest.mark.parametrize(
    ("happens", "error"), RELEASES, ids=[f"{happens.__name__}-{error.code}" for happens, error in RELEASES]
)


def stopped() -> bool:
    """Whether a template is held, or a number is paused or throttled."""
    waits = Q(paused_at__isnull=False) | Q(throttled_until__isnull=False)
    return Hold.objects.filter(resumed_at=None).exists() or BusinessNumber.objects.filter(waits).exists()


@TABLE
def test_a_refusal_of_a_call_from_before_a_release_stops_nothing(
    happens: Callable[[], None], error: WhatsAppError
) -> None:
    row = calling()
    happens()
    message = answered(row, error)
    assert (stopped(), message.status, message.hold) == (False, "pending", None)


@TABLE
def test_a_refusal_of_a_call_from_after_it_stops(happens: Callable[[], None], error: WhatsAppError) -> None:
    happens()
    answered(calling(), error)
    assert stopped()


def test_a_release_of_another_template_or_language_is_none_of_this_one() -> None:
    synced_template(OFFER, "de", WABA)
    row = calling()
    for name, language in ((OFFER, "de"), ("other", "en")):
        resume_hold(hold_template(name, waba_id=WABA, language=language, by="ann").pk)
    Template.objects.filter(language="de").update(approved_at=timezone.now() + timedelta(minutes=1))
    answered(row, PAUSED)
    assert stopped()


def test_a_paused_template_is_held_although_it_was_approved_meanwhile() -> None:
    row = calling()
    template_status("APPROVED")
    template_status("PAUSED")
    Hold.objects.all().delete()
    answered(row, PAUSED)
    assert stopped()


def test_a_resumed_number_stays_while_another_one_of_its_account_is_paused() -> None:
    row = calling()
    other = BusinessNumber.objects.create(phone_number_id="9", waba_id=WABA)
    resume([row.number_id])
    answered(row, LOCKED)
    paused = BusinessNumber.objects.exclude(paused_at=None)
    assert list(paused.values_list("pk", flat=True)) == [other.pk]


def test_a_failed_status_from_before_a_release_stops_nothing() -> None:
    row = calling()
    answered(row, accepted("wamid.F1"))
    at = int(timezone.now().timestamp()) - 5
    approved_after_a_pause()
    error = {"code": 132015, "title": "Template is paused"}
    status = {"id": "wamid.F1", "status": "failed", "timestamp": str(at), "recipient_id": row.peer, "errors": [error]}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": row.phone_number_id}}
    change = {"field": "messages", "value": {**value, "statuses": [status]}}
    receive({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [change]}]})
    assert not stopped()


def test_a_refusal_waits_for_the_approval_that_is_being_stored() -> None:
    row = calling()
    template_status("PAUSED")

    def work() -> None:
        try:
            answered(row, PAUSED)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        template_status("APPROVED")
        thread.start()
        waits = eventually(is_waited_for, every=0.01)
    thread.join()
    assert (waits, stopped()) == (True, False)
