"""The recipient check at release: every way to the Cloud API repeats it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.models import BusinessNumber, Contact, Message, TemplateCategory
from messaging.outgoing.cancel_and_retry import retry
from messaging.outgoing.holds.campaigns import hold_campaign, resume_campaign
from messaging.outgoing.holds.holds import sweep_holds
from messaging.outgoing.lost_answers.unknown_outcomes import sweep_unknown
from messaging.outgoing.redrive import redrive, send_again
from messaging.states import Status
from tests.messaging.factories import in_state, number, release_due

pytestmark = pytest.mark.django_db
PEER = "15550000000"
BLOCKED = "The contact is blocked."
OPTED_OUT = "The contact has opted out of marketing; this template is a marketing template."


def template(name: str = "marketing_offer", **fields: Any) -> Message:
    TemplateCategory.objects.get_or_create(name="marketing_offer", waba_id="", category="marketing")
    (row,) = accept([NewMessage(PEER, "template", {"name": name, "language": "en"}, number(), **fields)])
    return row


def contact(**fields: Any) -> Contact:
    return Contact.objects.create(**{"phone": PEER, "phone_key": PEER, **fields})


def opt_out(**fields: Any) -> Contact:
    return contact(opted_out_at=timezone.now(), consent_at=timezone.now(), **fields)


def block(**fields: Any) -> Contact:
    return contact(blocked_at=timezone.now(), **fields)


def scheduled() -> Message:
    row = template(due_at=timezone.now() + timedelta(hours=1))
    Message.objects.filter(pk=row.pk).update(due_at=timezone.now())
    return row


def retried() -> Message:
    row = template()
    Message.objects.filter(pk=row.pk).update(
        status=Status.FAILED, released_at=timezone.now(), outcome_at=timezone.now()
    )
    return retry(Message.objects.get(pk=row.pk), "tests")


def resumed_campaign() -> Message:
    row = template(campaign="spring")
    hold_campaign("spring", None, "tests")
    assert release_due() == []
    resume_campaign("spring", None, "tests")
    sweep_holds()
    return row


def redriven() -> Message:
    row = template()
    now = timezone.now()
    Message.objects.filter(pk=row.pk).update(
        status=Status.FAILED, released_at=now, outcome_at=now, exhausted_at=now, dead_lettered_at=now
    )
    assert redrive(row.pk, 0)
    return row


def sent_again_by_an_operator() -> Message:
    row = template()
    now = timezone.now()
    Message.objects.filter(pk=row.pk).update(status=Status.UNKNOWN, released_at=now, outcome_at=now, unknown_at=now)
    send_again([row.pk], "tests")
    return row


def resent_after_a_lost_answer() -> Message:
    row = template(on_unknown="resend")
    long_ago = timezone.now() - timedelta(days=1)
    Message.objects.filter(pk=row.pk).update(
        status=Status.UNKNOWN, released_at=long_ago, outcome_at=long_ago, unknown_at=long_ago
    )
    sweep_unknown(None)
    return row


def waiting_for_its_pair() -> Message:
    row = template()
    first = in_state(Status.SENT)
    Message.objects.filter(pk=first.pk).update(peer=PEER, outcome_at=None, status=Status.SENDING)
    assert release_due() == []
    Message.objects.filter(pk=first.pk).update(outcome_at=timezone.now())
    return row


WAYS = [
    template,
    scheduled,
    retried,
    resumed_campaign,
    redriven,
    sent_again_by_an_operator,
    resent_after_a_lost_answer,
    waiting_for_its_pair,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_block_after_acceptance_cancels_the_message_on_every_way(way: Callable[[], Message]) -> None:
    row = way()
    block()
    assert release_due() == []
    row.refresh_from_db()
    assert (row.status, row.error_title) == ("cancelled", BLOCKED)


@pytest.mark.parametrize("way", WAYS)
def test_an_opt_out_after_acceptance_cancels_marketing_on_every_way(way: Callable[[], Message]) -> None:
    row = way()
    opt_out()
    assert release_due() == []
    row.refresh_from_db()
    assert (row.status, row.error_title) == ("cancelled", OPTED_OUT)


@pytest.mark.parametrize("way", WAYS)
def test_without_block_or_opt_out_every_way_sends(way: Callable[[], Message]) -> None:
    row = way()
    assert release_due() == [row.pk]


def test_a_utility_template_is_sent_to_a_contact_who_opted_out() -> None:
    row = template("order_update")
    opt_out()
    assert release_due() == [row.pk]


# The contact's portfolio, the number's, and whether the block applies: an unknown portfolio matches all.
PORTFOLIOS = [
    ("", "", True),
    ("A", "A", True),
    ("A", "", True),
    ("", "A", True),
    ("A", "B", False),
]


@pytest.mark.parametrize(("of_contact", "of_number", "holds"), PORTFOLIOS)
def test_a_block_applies_within_its_portfolio_and_where_one_is_unknown(
    of_contact: str, of_number: str, holds: bool
) -> None:
    row = template()
    BusinessNumber.objects.update(portfolio=of_number)
    block(portfolio=of_contact)
    assert (release_due() == []) is holds
    row.refresh_from_db()
    assert (row.status == "cancelled") is holds


@pytest.mark.parametrize(
    ("of_category", "of_number", "holds"),
    [("", "", True), ("1", "1", True), ("1", "", True), ("", "1", True), ("1", "2", False)],
)
def test_a_template_is_marketing_within_its_account_and_where_one_is_unknown(
    of_category: str, of_number: str, holds: bool
) -> None:
    template()
    TemplateCategory.objects.update(waba_id=of_category)
    BusinessNumber.objects.update(waba_id=of_number)
    opt_out()
    assert (release_due() == []) is holds


def test_a_blocked_recipient_does_not_delay_others() -> None:
    template()
    (other,) = accept([NewMessage("15550000009", "text", {"content": "hi"}, number())])
    block()
    assert release_due() == [other.pk]
