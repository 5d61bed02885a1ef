"""Cancelling, retrying, holding and resuming by the API."""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.models import ApiClient, AuditEntry, Hold, Message
from messaging.outgoing.cancel_and_retry import OPTIONS
from messaging.outgoing.claims import claim
from messaging.outgoing.holds.holds import sweep_holds
from messaging.outgoing.release import release
from messaging.states import Status
from tests.messaging.accepting.test_api import send
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


@pytest.fixture
def spring(api: APIClient) -> None:
    """A message of the campaign "spring"."""
    send(api, phone_number="+16502530001", campaign="spring")


def campaign(api: Any, verb: str, name: str = "spring") -> Any:
    return api.post(f"/messaging/campaigns/{name}/{verb}", content_type="application/json")


def test_a_held_campaign_says_how_many_wait(api: APIClient) -> None:
    for n in range(3):
        send(api, phone_number=f"+165025300{n:02d}", campaign="spring")
    send(api, campaign="autumn")
    limit = {"waiting_for_limit": 0, "limit_done_at": None}
    expected = {"campaign": "spring", "held": True, "waiting": 3, "on_their_way": 0, **limit}
    assert campaign(api, "hold").json() == expected


def test_holding_twice_makes_one_hold(api: APIClient, spring: None) -> None:
    campaign(api, "hold")
    campaign(api, "hold")
    assert (Hold.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_a_resumed_campaign_can_be_held_again(api: APIClient, spring: None) -> None:
    held = [campaign(api, verb).data["held"] for verb in ("hold", "resume", "hold")]
    assert (held, Hold.objects.filter(resumed_at=None).count()) == ([True, False, True], 1)


def test_a_client_holds_only_its_own_campaign_of_that_name(api: APIClient) -> None:
    bank = client_named("bank")
    send(bank, phone_number="+16502530001", campaign="spring")
    campaign(bank, "hold")
    send(api, campaign="spring")
    answer = campaign(api, "resume").json()
    assert (answer["held"], answer["waiting"]) == (False, 1)
    assert Hold.objects.filter(resumed_at=None, client__name="bank").exists()


def test_a_client_cannot_resume_a_hold_of_staff(api: APIClient, admin_client: Client, spring: None) -> None:
    campaign(admin_client, "hold")
    assert campaign(api, "resume").data["held"] is True


@pytest.mark.parametrize("name", ["spring sale", "a/b", "%C3%BCber", "hold"])
def test_a_campaigns_name_may_be_almost_anything(name: str, api: APIClient) -> None:
    send(api, campaign=unquote(name))
    assert campaign(api, "hold", name).status_code == 200


@pytest.mark.parametrize("name", ["x" * 101, "%20", "%00"])
def test_an_invalid_campaign_name_is_400(name: str, api: APIClient) -> None:
    answer = campaign(api, "hold", name)
    assert (answer.status_code, list(answer.data)) == (400, ["campaign"])


def test_a_held_campaign_is_not_released_until_it_is_resumed(api: APIClient) -> None:
    message_id = send(api, campaign="spring").data["id"]
    campaign(api, "hold")
    held = release(number().pk)
    campaign(api, "resume")
    sweep_holds()
    assert (held, [str(row) for batch in release(number().pk) for row in batch.message_ids]) == ([], [message_id])


def test_a_message_of_a_held_campaign_can_be_cancelled(api: APIClient) -> None:
    message_id = send(api, campaign="spring").data["id"]
    campaign(api, "hold")
    release(number().pk)
    answer = api.post(f"/messaging/messages/{message_id}/cancel", content_type="application/json")
    assert (answer.status_code, answer.data["hold"]) == (200, None)


@pytest.mark.parametrize("verb", ["hold", "resume"])
def test_a_campaign_that_no_message_names_is_404(verb: str, api: APIClient, spring: None) -> None:
    answer = campaign(api, verb, "sprnig")
    assert (answer.status_code, "campaign" in answer.data["detail"], Hold.objects.count()) == (404, True, 0)


def test_another_clients_campaign_is_404(api: APIClient, spring: None) -> None:
    assert campaign(client_named("bank"), "hold").status_code == 404


def test_staff_hold_a_campaign_of_any_client(admin_client: Client, spring: None) -> None:
    assert campaign(admin_client, "hold").json()["held"] is True
