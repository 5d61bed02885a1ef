"""A status becomes a row of the trail with its source, its time and a code that the column holds."""

import pytest

from messaging.incoming.statuses import _renormalised
from messaging.incoming.store import receive
from messaging.models import Message, MessageEvent, OrphanStatus
from messaging.states import Status
from tests.messaging.bodies import status, webhook
from tests.messaging.factories import in_state

pytestmark = pytest.mark.django_db


def event_after(update: dict[str, object]) -> MessageEvent:
    """The trail's row of one status of an accepted message."""
    message = in_state(Status.ACCEPTED, wamid="wamid.OUT1")
    receive(webhook(statuses=(update,)))
    return MessageEvent.objects.get(message=message, source="webhook")


def test_a_status_is_by_the_webhook_at_metas_time() -> None:
    event = event_after(status("sent", at=1_790_000_007))
    assert (event.status, event.at.timestamp(), event.key) == ("sent", 1_790_000_007, "wamid.OUT1:sent")


@pytest.mark.parametrize(
    ("code", "kept"), [(131026, 131026), (2**31 - 1, 2**31 - 1), (2**31, None), (-(2**31 - 1), -(2**31 - 1))]
)
def test_a_code_is_kept_if_the_column_holds_it(code: int, kept: int | None) -> None:
    event = event_after(status("failed", errors=[{"code": code, "title": "no"}]))
    assert (event.error_code, event.error_title) == (kept, "no")


def test_a_failure_without_a_title_has_one() -> None:
    event_after(status("failed"))
    assert Message.objects.get().error_title == "failed"


def test_a_success_has_no_title() -> None:
    assert event_after(status("sent")).error_title == ""


@pytest.mark.parametrize("number_id", ["106540352242922", None])
def test_a_status_without_a_message_is_kept_with_its_number_or_none(number_id: str | None) -> None:
    body = webhook(statuses=(status("sent"),))
    body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = number_id
    receive(body)
    kept = OrphanStatus.objects.get()
    assert (kept.phone_number_id, kept.callback_data, kept.participant) == (number_id or "", "", "")


def test_a_status_that_is_looked_at_again_has_its_number() -> None:
    (update,) = _renormalised(status("sent"), "1065")
    assert (update.wamid, update.status, update.phone_number_id) == ("wamid.OUT1", "sent", "1065")
