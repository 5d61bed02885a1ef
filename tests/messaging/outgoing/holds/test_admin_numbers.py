"""Pausing and resuming numbers in the admin."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin, messages
from django.forms import modelform_factory
from django.test import Client, RequestFactory
from django.utils import timezone

from messaging.models import AuditEntry, BusinessNumber, Message
from messaging.outgoing.holds.admin_numbers import BusinessNumberAdmin, BusinessNumberForm
from messaging.outgoing.holds.suspensions import first_refused_message
from tests.admin.staff import staff
from tests.messaging.factories import number, pending

pytestmark = pytest.mark.django_db
PAGE = "/admin/messaging/businessnumber/"


@pytest.fixture
def keeper() -> Client:
    """Staff who may look after numbers."""
    return staff("view_businessnumber", "change_businessnumber")


def refused(**fields: Any) -> Message:
    """The next message of the default number, refused by Meta before."""
    (row,) = pending(1)
    Message.objects.filter(pk=row.pk).update(error_code=131048, error_title="spam <rate>", **fields)
    row.refresh_from_db()
    return row


def resumed(client: Client) -> list[tuple[int, str]]:
    """The messages that the admin shows after the paused number is resumed: level and text."""
    pk = number(paused_at=timezone.now(), pause_reason="spam").pk
    answer = client.post(PAGE, {"action": "resume", "_selected_action": [str(pk)]}, follow=True)
    return [(message.level, str(message)) for message in answer.context["messages"]]


def test_resuming_warns_of_the_message_that_meta_refused(keeper: Client) -> None:
    row = refused()
    link = f"<a href='/admin/messaging/message/{row.pk}/change/'>look at it, or cancel it</a>."
    assert resumed(keeper) == [
        (messages.SUCCESS, "1 resumed."),
        (
            messages.WARNING,
            f"The next message of {number()} was refused when the number was paused (“spam &lt;rate&gt;”) "
            f"and may pause it again: {link}",
        ),
    ]


def test_resuming_does_not_warn_where_meta_refused_nothing(keeper: Client) -> None:
    pending(1)
    assert resumed(keeper) == [(messages.SUCCESS, "1 resumed.")]


def test_resuming_writes_down_who_resumed_what_and_why_it_was_paused(keeper: Client) -> None:
    resumed(keeper)
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.object) == ("ann", "resume", f"number {BusinessNumber.objects.get().pk}")
    assert entry.details == {"reason": "spam"}


def test_pausing_by_hand_says_so(keeper: Client) -> None:
    pk = number().pk
    answer = keeper.post(PAGE, {"action": "pause", "_selected_action": [str(pk)]}, follow=True)
    row = BusinessNumber.objects.get()
    assert (row.pause_reason, row.paused_by) == ("by hand", "ann")
    assert [(message.level, str(message)) for message in answer.context["messages"]] == [
        (messages.SUCCESS, "1 paused.")
    ]


def test_who_may_only_look_pauses_nothing() -> None:
    pk = number().pk
    staff("view_businessnumber").post(PAGE, {"action": "pause", "_selected_action": [str(pk)]})
    assert BusinessNumber.objects.get().paused_at is None


def test_a_held_message_is_not_the_next_one() -> None:
    refused(hold="campaign")
    assert first_refused_message(number().pk) is None


def test_a_message_of_another_number_is_not_the_next_one() -> None:
    refused()
    other = BusinessNumber.objects.create(phone_number_id="99", waba_id="W")
    assert first_refused_message(other.pk) is None


def test_a_cancelled_message_is_not_the_next_one() -> None:
    refused(status="cancelled")
    assert first_refused_message(number().pk) is None


def test_the_most_urgent_message_is_the_next_one() -> None:
    refused(priority=5)
    (urgent,) = pending(1, peer="15559990000")
    Message.objects.filter(pk=urgent.pk).update(priority=1)
    assert first_refused_message(number().pk) is None


@pytest.mark.parametrize(("rate", "errors"), [("0", ["rate"]), ("1", [])])
def test_a_rate_of_0_is_refused(rate: str, errors: list[str]) -> None:
    form = modelform_factory(BusinessNumber, form=BusinessNumberForm, fields=["rate"])({"rate": rate})
    assert [name for name in form.errors if name == "rate"] == errors


def test_a_page_that_is_saved_after_meta_has_paused_the_number_does_not_resume_it(keeper: Client) -> None:
    row = number()
    page = f"{PAGE}{row.pk}/change/"
    shown = keeper.get(page).context["adminform"].form.initial
    BusinessNumber.objects.update(paused_at=timezone.now(), pause_reason="spam", paused_by="system")
    keeper.post(page, {**{name: value for name, value in shown.items() if value}, "rate": "20"})
    row.refresh_from_db()
    assert (row.rate, row.paused_at is not None, row.pause_reason, row.paused_by) == (20, True, "spam", "system")


def test_saving_a_number_leaves_what_the_lane_writes_meanwhile(rf: RequestFactory) -> None:
    stale = number()
    BusinessNumber.objects.update(throttles=3)
    stale.rate = 20
    page = BusinessNumberAdmin(BusinessNumber, admin.site)
    page.save_model(rf.post("/"), stale, SimpleNamespace(changed_data=["rate"]), change=True)
    row = BusinessNumber.objects.get()
    assert (row.rate, row.throttles) == (20, 3)
