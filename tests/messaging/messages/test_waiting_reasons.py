"""Why a message waits, in an operator's words."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from messaging.messages import waiting_reason
from messaging.models import BusinessNumber, Message
from messaging.states import Status

# Each worker of a run must collect the same names.
PAST = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = datetime(2100, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hold": "pair"}, "an earlier message to the same recipient"),
        ({"hold": "campaign:spring"}, "its campaign to be resumed"),
        ({"hold": "template:x:en"}, "its template to be resumed"),
        ({"hold": "budget:spring"}, "its budget to be raised"),
        ({"hold": "limit"},
         "the portfolio's messaging limit: enough new recipients were written to in the last 24 hours"),
        ({"hold": "unknown", "status": Status.UNKNOWN},
         "your decision: Meta's answer was lost, and no status has arrived"),
        ({"hold": "quality", "status": Status.ACCEPTED},
         "Meta's quality assessment of its template: Meta has the message, and delivers or drops it afterwards"),
        ({"hold": "new:kind"}, "new:kind"),
        ({"status": Status.UNKNOWN}, "a status from WhatsApp: Meta's answer was lost"),
        ({"due_at": LATER}, f"{timezone.localtime(LATER):%Y-%m-%d %H:%M:%S}"),
        ({"due_at": PAST}, "its release"),
        ({}, "its release"),
        ({"status": Status.QUEUED, "due_at": LATER}, ""),
        ({"status": Status.SENT}, ""),
    ],
)  # fmt: skip
def test_the_reason_is_what_the_message_waits_for(fields: dict[str, Any], reason: str) -> None:
    assert waiting_reason(Message(**{"number": BusinessNumber(), "status": Status.PENDING, **fields})) == reason


@pytest.mark.parametrize(("status", "reason"), [(Status.PENDING, "its number to be resumed"), (Status.QUEUED, "")])
def test_a_paused_number_comes_before_the_time(status: Status, reason: str) -> None:
    message = Message(number=BusinessNumber(paused_at=PAST), status=status, due_at=LATER)
    assert waiting_reason(message) == reason
