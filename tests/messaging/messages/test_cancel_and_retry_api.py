"""Cancelling and retrying by the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.models import ApiClient, AuditEntry, Message
from messaging.outgoing.cancel_and_retry import OPTIONS
from messaging.outgoing.claims import claim
from messaging.outgoing.release import release
from messaging.states import Status
from tests.messaging.access.test_idempotency import client_named
from tests.messaging.factories import in_state, number, pending, states_of, trail

pytestmark = pytest.mark.django_db
UNSENT = (Status.PENDING, Status.QUEUED)


def shops(message: Message) -> Message:
    """The message as one of the caller's."""
    Message.objects.filter(pk=message.pk).update(client=ApiClient.objects.get(name="shop"))
    return message


def act(api: Any, message: Message, verb: str) -> Any:
    return api.post(f"/messaging/messages/{message.id}/{verb}", content_type="application/json")


def test_a_waiting_message_is_cancelled(api: APIClient) -> None:
    (message,) = map(shops, pending())
    answer = act(api, message, "cancel")
    assert (answer.status_code, answer.data["status"], states_of(message.id)) == (200, "cancelled", ["cancelled"])


def test_a_cancelled_message_is_never_released(api: APIClient) -> None:
    (message,) = map(shops, pending())
    act(api, message, "cancel")
    assert release(number().pk) == []


def test_a_queued_message_that_is_cancelled_is_not_claimed(api: APIClient) -> None:
    (message,) = map(shops, pending())
    (batch,) = release(message.number_id)
    act(api, message, "cancel")
    assert claim([batch]) == []


@pytest.mark.parametrize("state", [state for state in Status if state not in UNSENT])
def test_cancelling_a_sent_or_finished_message_is_409_with_its_status(state: Status, api: APIClient) -> None:
    message = shops(in_state(state))
    answer = act(api, message, "cancel")
    assert (answer.status_code, answer.data["status"], states_of(message.id)) == (409, state, [state])
    assert OPTIONS[state] in answer.data["detail"]


def test_a_refused_cancel_leaves_no_trace(api: APIClient) -> None:
    message = shops(in_state(Status.SENT))
    act(api, message, "cancel")
    assert (trail(message.id), AuditEntry.objects.count()) == ([("pending", True)], 0)


def test_a_retry_resets_the_attempts(api: APIClient) -> None:
    message = shops(in_state(Status.FAILED, attempts=5, releases=5, exhausted_at=timezone.now()))
    answer = act(api, message, "retry")
    message.refresh_from_db()
    assert (answer.status_code, message.status, message.attempts, message.releases) == (200, "pending", 0, 0)
    assert (message.generation, message.exhausted_at) == (1, None)


def test_a_retried_message_is_released(api: APIClient) -> None:
    message = shops(in_state(Status.FAILED))
    act(api, message, "retry")
    assert [batch.message_ids for batch in release(message.number_id)] == [[message.id]]


@pytest.mark.parametrize("state", [state for state in Status if state != Status.FAILED])
def test_only_a_failed_message_is_retried(state: Status, api: APIClient) -> None:
    message = shops(in_state(state))
    answer = act(api, message, "retry")
    assert (answer.status_code, answer.data["status"], states_of(message.id)) == (409, state, [state])


def test_an_expired_message_is_not_retried(api: APIClient) -> None:
    message = shops(in_state(Status.FAILED, expires_at=timezone.now() - timedelta(seconds=1)))
    answer = act(api, message, "retry")
    assert (answer.status_code, "expires_at" in answer.data["detail"]) == (409, True)


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_another_clients_message_is_not_touched(verb: str, api: APIClient) -> None:
    message = in_state(Status.FAILED if verb == "retry" else Status.PENDING)
    shops(message)
    assert act(client_named("bank"), message, verb).status_code == 403


def test_staff_may_cancel_every_clients_message(api: APIClient, admin_client: Client) -> None:
    (message,) = map(shops, pending())
    assert act(admin_client, message, "cancel").status_code == 200


@pytest.mark.parametrize(("verb", "state"), [("cancel", Status.PENDING), ("retry", Status.FAILED)])
def test_cancel_and_retry_are_in_the_audit_log(verb: str, state: Status, api: APIClient) -> None:
    message = shops(in_state(state))
    act(api, message, verb)
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.object) == ("API client shop", verb, f"message {message.id}")
