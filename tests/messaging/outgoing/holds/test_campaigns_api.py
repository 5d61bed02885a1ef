"""Holding and resuming a campaign by the API."""

from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from rest_framework.test import APIClient

from messaging.models import AuditEntry, Hold, Message
from messaging.outgoing.holds.holds import sweep_holds
from messaging.outgoing.release import release
from tests.messaging.accepting.test_api import send
from tests.messaging.access.test_idempotency import client_named
from tests.messaging.factories import number

pytestmark = pytest.mark.django_db


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


def test_a_client_cannot_resume_what_staff_hold_for_it_alone(api: APIClient, spring: None) -> None:
    client = Message.objects.get().client
    Hold.objects.create(kind="campaign", key="spring", client=client, by="ann")
    Hold.objects.create(kind="campaign", key="spring", client=client, number=number(), by="ann")
    campaign(api, "hold")
    assert campaign(api, "resume").data["held"] is True
    assert list(Hold.objects.filter(resumed_at=None).values_list("by", flat=True)) == ["ann", "ann"]


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
