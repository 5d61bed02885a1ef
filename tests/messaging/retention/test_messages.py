"""Old messages lose their texts, then go with all that belongs to them; what still has to happen stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.media_states import State
from messaging.models import FileRemoval, Media, Message, MessageEvent
from messaging.outgoing.cancel_and_retry import NotPossible, retry
from messaging.retention import Step, messages
from messaging.retention.deletion_steps import run_step
from messaging.states import Status
from tests.messaging.bodies import inbound_text, status, webhook
from tests.messaging.factories import pending
from tests.messaging.retention.old_rows import days_ago, old_message

pytestmark = pytest.mark.django_db

FINAL = (Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED, Status.CANCELLED, Status.EXPIRED)
OPEN = (Status.PENDING, Status.QUEUED, Status.SENDING, Status.UNKNOWN)


def run_all() -> None:
    """Every rule, to its end."""
    while run_step():
        pass


@pytest.fixture(autouse=True)
def periods(settings: Any) -> None:
    """Texts for 30 days, messages for 60."""
    settings.RETENTION_TEXTS_DAYS, settings.RETENTION_MESSAGES_DAYS = 30, 60


@pytest.mark.parametrize("state", [*FINAL, Status.RECEIVED])
def test_an_old_message_that_is_over_loses_its_texts(state: Status) -> None:
    row = old_message(31, state)
    run_all()
    row.refresh_from_db()
    assert (row.text, row.content, row.raw, row.content_deleted_at is None) == ("", {}, None, False)


@pytest.mark.parametrize("state", [*FINAL, Status.RECEIVED])
def test_a_message_beyond_its_period_is_deleted_with_its_timeline(state: Status) -> None:
    old_message(61, state)
    run_all()
    assert (Message.objects.count(), MessageEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize("state", OPEN)
def test_a_message_that_has_its_outcome_to_come_keeps_everything(state: Status) -> None:
    row = old_message(90, state, outcome_at=None)
    run_all()
    row.refresh_from_db()
    assert (row.text, row.content_deleted_at) == ("a secret", None)


def test_a_message_that_stays_does_not_stop_the_step_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "ROWS", 1)
    waiting = old_message(90, Status.PENDING)
    old_message(89)
    run_all()
    assert [row.pk for row in Message.objects.all()] == [waiting.pk]


@pytest.mark.parametrize(("days", "text"), [(29.9, "a secret"), (30.1, "")])
def test_the_period_of_texts_is_exact_from_both_sides(days: float, text: str) -> None:
    row = old_message(days)
    run_all()
    row.refresh_from_db()
    assert row.text == text


@pytest.mark.parametrize(("days", "left"), [(59.9, 1), (60.1, 0)])
def test_the_period_of_messages_is_exact_from_both_sides(days: float, left: int) -> None:
    old_message(days)
    run_all()
    assert Message.objects.count() == left


def test_a_message_whose_outcome_is_young_keeps_its_text() -> None:
    row = old_message(40, outcome_at=timezone.now())
    run_all()
    row.refresh_from_db()
    assert row.text == "a secret"


def test_without_a_period_nothing_is_deleted(settings: Any) -> None:
    settings.RETENTION_TEXTS_DAYS = settings.RETENTION_MESSAGES_DAYS = 0
    row = old_message(4000)
    run_all()
    row.refresh_from_db()
    assert row.text == "a secret"


def test_a_failed_message_without_its_text_is_not_sent_again() -> None:
    row = old_message(31, Status.FAILED)
    run_all()
    with pytest.raises(NotPossible, match="text has been deleted"):
        retry(row, "ann")


def test_a_webhook_of_a_deleted_message_does_not_store_it_anew() -> None:
    at = int(days_ago(61).timestamp())
    old_message(61, Status.RECEIVED, wamid="wamid.OLD")
    run_all()
    receive(webhook(inbound_text("wamid.OLD", at=at)))
    assert Message.objects.count() == 0


def test_a_status_of_a_deleted_message_stores_no_message() -> None:
    row = old_message(61, wamid="wamid.OLD")
    run_all()
    receive(webhook(statuses=(status("read", "wamid.OLD", callback=str(row.pk)),)))
    assert Message.objects.count() == 0


def test_a_webhook_within_the_period_is_stored() -> None:
    receive(webhook(inbound_text("wamid.NEW", at=int(days_ago(59).timestamp()))))
    assert Message.objects.count() == 1


def test_the_file_of_a_deleted_message_is_left_to_be_removed() -> None:
    row = old_message(61, Status.RECEIVED)
    Media.objects.create(message=row, kind="image", state=State.STORED, name="2026/01/01/x", give_up_at=timezone.now())
    run_all()
    assert list(FileRemoval.objects.values_list("name", flat=True)) == ["2026/01/01/x"]


@pytest.mark.parametrize("step", [messages.empty_old_messages, messages.delete_old_messages])
def test_a_step_deletes_only_messages_an_hour_older_than_the_period(step: Callable[[datetime, str], Step]) -> None:
    cutoff, position = days_ago(60), str(UUID(int=7))
    old_message(60 + 59 / 1440)
    assert step(cutoff, "") == Step("", 0, True)
    assert step(cutoff, position) == Step(position, 0, True)
    row = old_message(60 + 61 / 1440)
    assert step(cutoff, "") == Step(str(row.pk), 1, True)


def test_a_young_message_is_not_touched() -> None:
    (row,) = pending()
    run_all()
    assert Message.objects.get().text == row.text != ""


def test_what_waited_when_a_pass_went_by_is_found_a_week_later() -> None:
    row = old_message(90, Status.PENDING, outcome_at=None)
    old_message(70)
    run_all()
    Message.objects.filter(pk=row.pk).update(status=Status.DELIVERED, outcome_at=days_ago(70))
    now = timezone.now() + timedelta(days=8)
    while run_step(now):  # the pass that notices that a week has passed
        pass
    while run_step(now + timedelta(hours=2)):
        pass
    assert not Message.objects.filter(pk=row.pk).exists()
