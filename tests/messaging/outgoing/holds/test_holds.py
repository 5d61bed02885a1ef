"""Campaigns and templates that are held, and resumed, by one row and in batches."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import BusinessNumber, Hold, Message
from messaging.outgoing.holds import holds as module
from messaging.outgoing.holds.campaigns import hold_campaign, resume_campaign
from messaging.outgoing.holds.holds import hold_template, resume_hold, sweep_holds
from tests.messaging.factories import go_on, number, pending

pytestmark = pytest.mark.django_db


def test_a_held_campaign_lets_others_pass() -> None:
    pending(3, campaign="spring")
    other = pending(peer="15559990000")[0].id
    hold_campaign("spring", None, "ann")
    assert go_on() == [other]


def test_a_held_message_is_met_once() -> None:
    pending(3, campaign="spring")
    hold = Hold.objects.get(pk=_hold("spring"))
    go_on()
    assert Message.objects.filter(hold=hold.mark).count() == 3


def _hold(campaign: str) -> int:
    hold_campaign(campaign, None, "ann")
    return Hold.objects.get().pk


def test_a_resumed_campaign_goes_on_in_its_order() -> None:
    ids = [row.id for row in pending(3, campaign="spring")]
    hold_campaign("spring", None, "ann")
    go_on()
    resume_campaign("spring", None, "ann")
    sweep_holds()
    assert go_on() == ids


def test_resuming_works_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLEARED_AT_ONCE", 2)
    pending(5, campaign="spring")
    hold_campaign("spring", None, "ann")
    go_on()
    resume_campaign("spring", None, "ann")
    left = []
    for _ in range(3):
        sweep_holds()
        left.append(Message.objects.exclude(hold=None).count())
    assert left == [3, 1, 0]


def test_a_hold_that_is_resumed_is_forgotten_after_a_while() -> None:
    hold = hold_template("offer", by="ann")
    Hold.objects.update(resumed_at=timezone.now() - timedelta(minutes=2))
    sweep_holds()
    assert not Hold.objects.filter(pk=hold.pk).exists()


def test_a_held_template_concerns_its_own_number_only() -> None:
    row = pending()[0]
    Message.objects.update(template="offer")
    other = BusinessNumber.objects.create(phone_number_id="999")
    hold_template("offer", other.pk, by="system")
    assert go_on() == [row.id]


def test_a_template_that_meta_paused_goes_on_by_itself() -> None:
    row = pending()[0]
    Message.objects.update(template="offer")
    hold_template("offer", number().pk, by="system", until=timezone.now() + timedelta(hours=3))
    held = go_on()
    Hold.objects.update(until=timezone.now())
    sweep_holds()
    assert (held, go_on()) == ([], [row.id])


def test_resuming_twice_is_no_error() -> None:
    hold = hold_template("offer", by="ann")
    assert [resume_hold(hold.pk), resume_hold(hold.pk)] == [True, False]


def test_holding_twice_is_one_hold() -> None:
    assert hold_template("offer", by="ann").pk == hold_template("offer", by="bob").pk
