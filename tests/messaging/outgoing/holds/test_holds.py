"""Holds of campaigns and templates: one row each, resumed in batches."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import BusinessNumber, Hold, HoldKind, Message
from messaging.outgoing.holds import holds as module
from messaging.outgoing.holds.campaigns import hold_campaign, resume_campaign
from messaging.outgoing.holds.holds import hold_template, resume_hold, sweep_holds
from tests.messaging.factories import number, pending, release_due
from tests.messaging.lock_order import locked

pytestmark = pytest.mark.django_db


def test_a_held_campaign_does_not_delay_others() -> None:
    pending(3, campaign="spring")
    other = pending(peer="15559990000")[0].id
    hold_campaign("spring", None, "ann")
    assert release_due() == [other]


def test_held_messages_are_marked() -> None:
    pending(3, campaign="spring")
    hold = Hold.objects.get(pk=_hold("spring"))
    release_due()
    assert Message.objects.filter(hold=hold.mark).count() == 3


def _hold(campaign: str) -> int:
    hold_campaign(campaign, None, "ann")
    return Hold.objects.get().pk


def test_a_resumed_campaign_is_released_in_its_order() -> None:
    ids = [row.id for row in pending(3, campaign="spring")]
    hold_campaign("spring", None, "ann")
    release_due()
    resume_campaign("spring", None, "ann")
    sweep_holds()
    assert release_due() == ids


def test_marks_are_cleared_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLEARED_AT_ONCE", 2)
    pending(5, campaign="spring")
    hold_campaign("spring", None, "ann")
    release_due()
    resume_campaign("spring", None, "ann")
    left = []
    for _ in range(3):
        sweep_holds()
        left.append(Message.objects.exclude(hold=None).count())
    assert left == [3, 1, 0]


def test_a_resumed_hold_is_deleted_after_its_retention() -> None:
    hold = hold_template("offer", by="ann")
    Hold.objects.update(resumed_at=timezone.now() - timedelta(minutes=2))
    sweep_holds()
    assert not Hold.objects.filter(pk=hold.pk).exists()


def test_a_held_template_applies_to_its_number_only() -> None:
    row = pending()[0]
    Message.objects.update(template="offer")
    other = BusinessNumber.objects.create(phone_number_id="999")
    hold_template("offer", other.pk, by="system")
    assert release_due() == [row.id]


def test_a_hold_with_until_is_resumed_by_the_dispatcher() -> None:
    row = pending()[0]
    Message.objects.update(template="offer")
    hold_template("offer", number().pk, by="system", until=timezone.now() + timedelta(hours=3))
    held = release_due()
    Hold.objects.update(until=timezone.now())
    sweep_holds()
    assert (held, release_due()) == ([], [row.id])


def test_resuming_a_hold_twice_is_no_error() -> None:
    hold = hold_template("offer", by="ann")
    assert [resume_hold(hold.pk), resume_hold(hold.pk)] == [True, False]


def test_holding_a_template_twice_makes_one_hold() -> None:
    assert hold_template("offer", by="ann").pk == hold_template("offer", by="bob").pk


@pytest.mark.parametrize("by", ["meta", "ann"])
def test_a_hold_after_a_refusal_becomes_that_of_meta_or_of_a_person(by: str) -> None:
    hold_template("offer", by="system", until=timezone.now() + timedelta(hours=3))
    taken_over = hold_template("offer", by=by, reason="paused")
    held = Hold.objects.values_list("by", "reason", "until")
    assert (taken_over.is_new, list(held)) == (True, [(by, "paused", None)])


def test_a_refusal_leaves_the_hold_of_a_person() -> None:
    hold_template("offer", by="ann")
    again = hold_template("offer", by="system", until=timezone.now() + timedelta(hours=3))
    assert (again.is_new, list(Hold.objects.values_list("by", "until"))) == (False, [("ann", None)])


@pytest.mark.django_db(transaction=True)
def test_a_message_that_is_locked_when_its_hold_is_due_for_deletion_is_released_later() -> None:
    (row,) = pending(campaign="spring")
    hold = Hold.objects.get(pk=_hold("spring"))
    release_due()
    Hold.objects.update(resumed_at=timezone.now() - timedelta(minutes=2))
    with locked(row):
        sweep_holds()
    for _ in range(2):
        sweep_holds()
    assert (release_due(), Hold.objects.filter(pk=hold.pk).exists()) == ([row.id], False)


@pytest.mark.parametrize(
    ("first", "second", "ends"),
    [(1, 2, 2), (2, 1, 2), (1, None, None), (None, 1, None)],
    ids=["longer", "shorter", "without end", "after one without end"],
)
def test_a_second_restriction_by_meta_prolongs_the_hold_of_the_first(
    first: int | None, second: int | None, ends: int | None
) -> None:
    now = timezone.now()
    for hours in (first, second):
        hold_template("", waba_id="1", by="meta", until=now + timedelta(hours=hours) if hours else None)
    assert list(Hold.objects.values_list("until", flat=True)) == [now + timedelta(hours=ends) if ends else None]


def test_a_campaign_that_staff_hold_twice_can_be_held_by_the_api() -> None:
    pending(3, campaign="spring")
    for waba_id in ("1", "2"):
        Hold.objects.create(kind=HoldKind.CAMPAIGN, key="spring", waba_id=waba_id, by="ann")
    hold_campaign("spring", None, "ann")
    assert release_due() == []
