"""Subscriptions by the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.identifiers import first_uuid7
from messaging.messages import pagination
from messaging.models import ApiClient, ApiKey, AuditEntry, Delivery, Subscription
from messaging.subscriptions.changes import MAX_PER_CLIENT, change
from tests.messaging.factories import number
from tests.messaging.subscriptions.factories import BROKEN, URL, subscription, tell, waiting

pytestmark = pytest.mark.django_db
PATH = "/messaging/subscriptions"


def make(api: APIClient, **fields: Any) -> Any:
    return api.post(PATH, {"url": URL, **fields}, format="json")


@pytest.fixture
def other() -> APIClient:
    """Another client's key."""
    client = APIClient()
    key = ApiKey.issue(ApiClient.objects.create(name="other"))[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def test_the_secret_is_shown_once(api: APIClient) -> None:
    made = make(api)
    assert (made.status_code, made.json()["secret"].startswith("whsec_")) == (201, True)
    shown = [api.get(PATH).content, api.get(f"{PATH}/{made.json()['id']}").content]
    assert not any(b"whsec_" in page for page in shown)


def test_a_subscription_gets_all_events_by_default(api: APIClient) -> None:
    assert make(api).json()["events"] == [
        "message.received",
        "message.media",
        "message.status_changed",
        "account.event",
    ]
    assert make(api, events=["account.event", "account.event"]).json()["events"] == ["account.event"]


def test_a_number_is_named_by_metas_id(api: APIClient) -> None:
    sender = number().phone_number_id
    made = make(api, sender=sender).json()
    assert made["sender"] == sender
    assert api.patch(f"{PATH}/{made['id']}", {"sender": None}, format="json").json()["sender"] is None


BAD = [
    ({"url": "http://10.0.0.1/"}, "url"),
    ({"url": "https://user:password@127.0.0.1/"}, "url"),
    ({"url": "nonsense"}, "url"),
    ({"url": 7}, "url"),
    ({"url": None}, "url"),
    ({"url": "https://127.0.0.1/\x01"}, "url"),
    ({"events": []}, "events"),
    ({"events": ["message.sent"]}, "events"),
    ({"events": "message.received"}, "events"),
    ({"sender": "404"}, "sender"),
    ({"sender": 1}, "sender"),
    ({"active": "perhaps"}, "active"),
    ({"description": "x" * 201}, "description"),
    ({"secret": "whsec_mine"}, "secret"),
    ({"disabled_why": ""}, "disabled_why"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("fields", "field"), BAD, ids=range(len(BAD)))
def test_bad_input_names_its_field_and_stores_nothing(fields: dict[str, Any], field: str, api: APIClient) -> None:
    answer = make(api, **fields)
    assert (answer.status_code, list(answer.json()), Subscription.objects.count()) == (400, [field], 0)


@pytest.mark.parametrize(("fields", "field"), BAD, ids=range(len(BAD)))
def test_a_bad_change_names_its_field_and_changes_nothing(fields: dict[str, Any], field: str, api: APIClient) -> None:
    made = make(api).json()
    answer = api.patch(f"{PATH}/{made['id']}", fields, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Subscription.objects.get().url == URL


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_a_body_that_is_not_an_object_is_a_400(body: Any, api: APIClient) -> None:
    assert api.post(PATH, body, format="json").status_code == 400


def test_only_the_given_fields_are_changed(api: APIClient) -> None:
    made = make(api, description="mine").json()
    changed = api.patch(f"{PATH}/{made['id']}", {"active": False}, format="json").json()
    assert (changed["active"], changed["description"], changed["url"]) == (False, "mine", URL)


def test_a_rotation_that_is_asked_for_twice_keeps_the_secret_that_the_receiver_has(api: APIClient) -> None:
    made = make(api).json()
    for _ in range(2):
        shown = api.post(f"{PATH}/{made['id']}/rotate").json()["secret"]
    row = Subscription.objects.get()
    assert (row.secret, row.previous_secret) == (shown, made["secret"])


def test_a_later_rotation_ends_the_oldest_secret(api: APIClient) -> None:
    made = make(api).json()
    first = api.post(f"{PATH}/{made['id']}/rotate").json()["secret"]
    Subscription.objects.update(previous_secret_until=timezone.now() + timedelta(hours=23))
    second = api.post(f"{PATH}/{made['id']}/rotate").json()["secret"]
    row = Subscription.objects.get()
    assert (row.secret, row.previous_secret) == (second, first)


def test_a_rotation_shows_a_new_secret(api: APIClient) -> None:
    made = make(api).json()
    rotated = api.post(f"{PATH}/{made['id']}/rotate").json()
    assert rotated["secret"] != made["secret"] and rotated["previous_secret_until"]


def test_a_deleted_subscription_is_a_404(api: APIClient) -> None:
    path = f"{PATH}/{make(api).json()['id']}"
    assert api.delete(path).status_code == 204
    assert (api.get(path).status_code, api.get(PATH).json()["results"]) == (404, [])


def test_another_client_sees_and_changes_nothing(api: APIClient, other: APIClient) -> None:
    path = f"{PATH}/{make(api).json()['id']}"
    (delivery,) = waiting(Subscription.objects.get())
    answers = [
        other.get(path),
        other.patch(path, {"active": False}, format="json"),
        other.delete(path),
        other.post(f"{path}/rotate"),
        other.post(f"{path}/test"),
        other.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}, format="json"),
        other.get(f"{path}/deliveries"),
        other.get(f"/messaging/deliveries/{delivery.pk}"),
        other.post(f"/messaging/deliveries/{delivery.pk}/replay"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert (other.get(PATH).json()["results"], Subscription.objects.get().active) == ([], True)


def test_a_client_has_at_most_twenty_subscriptions(api: APIClient, other: APIClient) -> None:
    assert {make(api).status_code for _ in range(MAX_PER_CLIENT)} == {201}
    assert (make(api).status_code, make(other).status_code) == (400, 201)


def test_deliveries_are_listed_with_their_attempts(api: APIClient) -> None:
    path = f"{PATH}/{make(api).json()['id']}"
    assert api.post(f"{path}/test").status_code == 202
    tell(BROKEN)
    (row,) = api.get(f"{path}/deliveries?state=pending&event=subscription.test").json()["results"]
    assert (row["attempts"], row["error"], row["log"][0]["status_code"]) == (1, "Answered 500.", 500)
    assert api.get(f"{path}/deliveries?state=failed").json()["results"] == []
    assert api.get(f"{path}/deliveries?state=lost").status_code == 400


def test_an_unknown_event_of_the_list_of_deliveries_is_a_400_with_the_allowed_ones(api: APIClient) -> None:
    path = f"{PATH}/{make(api).json()['id']}/deliveries"
    answer = api.get(f"{path}?event=mesage.received")
    allowed = "message.received, message.media, message.status_changed, account.event, subscription.test"
    assert (answer.status_code, list(answer.json())) == (400, ["event"])
    assert allowed in answer.json()["event"][0]


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name has an allowed address when the request is validated, and a private one a moment later."""
    monkeypatch.setattr("messaging.subscriptions.serializers.check_endpoint", lambda _: None)


@pytest.mark.usefixtures("turned")
def test_an_address_that_is_refused_after_the_validation_is_a_400_that_names_it(api: APIClient) -> None:
    made = api.post(PATH, {"url": "http://10.0.0.1/"}, format="json")
    row = Subscription.objects.create(url=URL, client=ApiClient.objects.get(), secret="s" * 40)
    changed = api.patch(f"{PATH}/{row.pk}", {"url": "http://10.0.0.1/"}, format="json")
    for answer in (made, changed):
        assert (answer.status_code, list(answer.json())) == (400, ["url"])
        assert "not on this machine" in answer.json()["url"][0]
    assert Subscription.objects.get().url == URL


def test_a_page_looks_among_the_deliveries_of_the_time_that_was_asked_for(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "SCANNED", 2)
    path = f"{PATH}/{make(api).json()['id']}/deliveries"
    row = Subscription.objects.get()
    (old,) = waiting(
        row, created_at=timezone.now() - timedelta(hours=2), id=first_uuid7(timezone.now() - timedelta(hours=2))
    )
    waiting(row, 4)
    before = (timezone.now() - timedelta(hours=1)).isoformat()
    found = api.get(path, {"state": "pending", "created_before": before}).json()["results"]
    assert [one["id"] for one in found] == [str(old.pk)]


def test_one_delivery_is_replayed_once_it_has_ended(api: APIClient) -> None:
    made = make(api).json()
    delivery = api.post(f"{PATH}/{made['id']}/test").json()
    path = f"/messaging/deliveries/{delivery['id']}"
    assert api.post(f"{path}/replay").status_code == 409
    tell()
    assert (api.get(path).json()["state"], api.post(f"{path}/replay").json()["state"]) == ("delivered", "pending")


def test_all_deliveries_that_failed_since_a_time_are_replayed(api: APIClient) -> None:
    path = f"{PATH}/{make(api).json()['id']}/replay"
    waiting(Subscription.objects.get(), 3, state="failed", finished_at=timezone.now())
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    answer = api.post(path, {"since": since}, format="json")
    assert (answer.status_code, answer.json()) == (202, {"replayed": 3})


@pytest.mark.parametrize("body", [{}, {"since": "yesterday"}, {"since": None}])
def test_a_replay_of_failed_deliveries_needs_since(body: Any, api: APIClient) -> None:
    answer = api.post(f"{PATH}/{make(api).json()['id']}/replay", body, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["since"])


def test_an_inactive_subscription_is_a_409_with_the_remedy(api: APIClient) -> None:
    path = f"{PATH}/{make(api, active=False).json()['id']}"
    answers = [api.post(f"{path}/test"), api.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}, format="json")]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert "active" in answers[0].json()["detail"]


def test_every_change_of_a_subscription_is_in_the_audit_log(api: APIClient) -> None:
    path = f"{PATH}/{make(api).json()['id']}"
    for step in ("rotate", "test"):
        api.post(f"{path}/{step}")
    api.patch(path, {"active": False}, format="json")
    api.patch(path, {"active": True}, format="json")
    api.delete(path)
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["subscribe", "rotate", "test", "change", "switch on", "unsubscribe"]
    assert "whsec" not in str(list(AuditEntry.objects.values()))


def test_a_client_does_not_see_a_subscription_of_the_operators(api: APIClient) -> None:
    subscription()
    assert (api.get(PATH).json()["results"], Delivery.objects.count()) == ([], 0)


def test_a_subscription_that_is_disabled_while_it_is_activated_starts_without_failures() -> None:
    row = subscription()
    Subscription.objects.update(active=False, failures=12, disabled_at=timezone.now(), disabled_why="Failed.")
    change(row, "ann", active=True)
    stored = Subscription.objects.get()
    assert (stored.active, stored.failures, stored.disabled_at, stored.disabled_why) == (True, 0, None, "")
