"""An operator's alert is sent after the commit, with its kind, key and reason."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from messaging.lifecycle.operator_alerts import alert
from messaging.models import Message
from messaging.signals import lane_alert

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """What the receivers of `lane_alert` get."""
    seen: list[dict[str, Any]] = []

    def receive(signal: Any, **arguments: Any) -> None:
        seen.append(arguments)

    lane_alert.connect(receive)
    yield seen
    lane_alert.disconnect(receive)


def test_an_alert_carries_kind_key_and_reason(sent: list[dict[str, Any]]) -> None:
    alert("held", 17, "Meta paused it")
    assert sent == [{"sender": Message, "kind": "held", "key": "17", "reason": "Meta paused it"}]


def test_an_alert_is_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    alert("held", 17, "Meta paused it")
    assert caplog.messages == ["alert held 17: Meta paused it"]


def test_an_alert_waits_for_the_commit(sent: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        alert("held", 17, "Meta paused it")
        before = list(sent)
    assert (before, len(sent)) == ([], 1)


def test_an_alert_of_a_transaction_that_is_rolled_back_is_not_sent(sent: list[dict[str, Any]]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        alert("held", 17, "Meta paused it")
        raise ZeroDivisionError
    assert sent == []
