"""Events are stored, each once."""

import json
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, OperationalError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from analytics import storage, tasks
from analytics.event_ids import contact_key, event_key
from analytics.models import Event
from analytics.services import atrack_event, track_event
from messaging.models import ApiClient, ApiKey
from waproject.queues import LANES

pytestmark = pytest.mark.django_db
URL = "/analytics/events"
EXAMPLE = {"event_type": "user_action", "event_data": {"action": "button_click", "user_id": "123"}}


def work(sqs: Any) -> None:
    """Store the events that lie on the analytics queue, as its worker would; other tests' hints may come in late."""
    answer = sqs.receive_message(QueueUrl=LANES["analytics"].url, MaxNumberOfMessages=10)
    for body in (json.loads(message["Body"]) for message in answer.get("Messages", [])):
        if body["headers"]["task"] == tasks.record_events.name:
            (args, _, _) = json.loads(body["body"])
            tasks.record_events(*args)


@pytest.mark.parametrize("url", [URL, "/messaging/analytics"])
def test_both_addresses_take_an_event(url: str, api: APIClient, sqs: Any) -> None:
    (event_id,) = api.post(url, EXAMPLE, format="json").json()["ids"]
    work(sqs)
    assert Event.objects.filter(pk=event_id).exists()


def test_an_event_is_taken_and_stored(api: APIClient, sqs: Any) -> None:
    (event_id,) = api.post(URL, EXAMPLE, format="json").json()["ids"]
    work(sqs)
    event = Event.objects.get(pk=event_id)
    assert (event.event_type, event.data, event.client_name) == ("user_action", EXAMPLE["event_data"], "shop")


def test_a_message_that_sqs_delivers_twice_stores_its_events_once(api: APIClient, sqs: Any) -> None:
    named = [{**EXAMPLE, "event_id": "order-1"}, EXAMPLE]
    ids = api.post(URL, named, format="json").json()["ids"]
    url = LANES["analytics"].url
    for _ in range(2):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        assert len(answer["Messages"]) == 1
        for message in answer["Messages"]:
            (args, _, _) = json.loads(json.loads(message["Body"])["body"])
            tasks.record_events(*args)
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert {str(pk) for pk in Event.objects.values_list("pk", flat=True)} == set(ids)
    assert Event.objects.count() == 2


def test_a_list_is_taken_whole(api: APIClient, sqs: Any) -> None:
    assert len(api.post(URL, [EXAMPLE] * 3, format="json").json()["ids"]) == 3
    work(sqs)
    assert Event.objects.count() == 3


def test_one_bad_event_in_a_list_is_named_and_nothing_is_taken(api: APIClient, sqs: Any) -> None:
    answer = api.post(URL, [EXAMPLE, {"event_data": {}}], format="json")
    work(sqs)
    assert (answer.status_code, list(answer.json()["1"]), Event.objects.count()) == (400, ["event_type"], 0)


def test_the_clients_own_event_id_makes_a_repetition_harmless(api: APIClient, sqs: Any) -> None:
    for _ in range(2):
        api.post(URL, {**EXAMPLE, "event_id": MINE}, format="json")
    work(sqs)
    assert Event.objects.count() == 1


MINE = "0190a1b2-0000-7000-8000-00000000000a"


def test_an_event_id_that_is_a_uuid_is_the_events_own(api: APIClient, sqs: Any) -> None:
    assert api.post(URL, {**EXAMPLE, "event_id": MINE}, format="json").json()["ids"] == [MINE]


@pytest.mark.parametrize("event_id", ["order-4711", "ch_3MtwBwLkdIwHu7ix28a3tqPa", "Ж" * 200, "0", " x ", MINE.upper()])
def test_any_text_is_an_event_id_and_stays_as_it_was_given(event_id: str, api: APIClient, sqs: Any) -> None:
    for _ in range(2):
        assert api.post(URL, {**EXAMPLE, "event_id": event_id}, format="json").status_code == 202
    work(sqs)
    assert [event.event_id for event in Event.objects.all()] == [event_id]


@pytest.mark.parametrize("event_id", ["x" * 201, "", 5, None, ["x"], "nul \x00"])
def test_what_is_no_event_id_is_refused(event_id: Any, api: APIClient) -> None:
    assert api.post(URL, {**EXAMPLE, "event_id": event_id}, format="json").status_code == 400


def test_two_clients_may_use_the_same_event_id(api: APIClient, sqs_away: None) -> None:
    other = APIClient()
    other.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiKey.issue(ApiClient.objects.create(name='crm'))[1]}")
    for client in (api, other):
        client.post(URL, {**EXAMPLE, "event_id": "order-1"}, format="json")
    assert sorted(Event.objects.values_list("client_name", flat=True)) == ["crm", "shop"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["shop", "crm"])), min_size=1, max_size=12))
def test_a_repeated_event_is_stored_once_in_any_batches(stream: list[tuple[str, str]]) -> None:
    Event.objects.all().delete()
    for at in range(0, len(stream), 3):
        storage.store([stored(event_id, owner) for event_id, owner in stream[at : at + 3]])
    assert Event.objects.count() == len(set(stream))


def stored(event_id: str, owner: str, **more: Any) -> dict[str, Any]:
    """An event of a task's arguments."""
    now = datetime.now(UTC).isoformat()
    event = {"id": str(event_key(event_id, owner)), "event_id": event_id, "event_type": "t", "data": {}}
    return {**event, "source": "api", "client_name": owner, "occurred_at": now, **more}


def test_a_task_of_the_version_before_is_stored(db: None) -> None:
    old = {name: value for name, value in stored(MINE, "shop").items() if name != "event_id"}
    tasks.record_events([old])
    assert Event.objects.values_list("pk", "event_id", "contact", "reference").get() == (UUID(MINE), "", "", "")


def test_the_tasks_that_copied_the_trail_do_nothing_any_more(db: None) -> None:
    tasks.record_message_events([1, 2], [3])
    tasks.sweep_message_events()
    assert Event.objects.count() == 0


@pytest.mark.parametrize("broken", [{"id": "no id"}, {}, {"id": MINE}, {"id": MINE, "event_type": "x" * 101}])
def test_a_task_that_is_none_fails_whole(broken: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        tasks.record_events([stored("a", "shop"), broken])
    assert Event.objects.count() == 0


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_events_of_a_batch_are_stored_in_the_order_of_their_ids(order: tuple[str, ...]) -> None:
    storage.store([stored(event_id, "shop") for event_id in order])
    assert Event.objects.count() == 3


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("+1 (555) 123-4567", "15551234567"),
        ("15551234567", "15551234567"),
        ("+55 11 7654-3210", "5511976543210"),
        ("US.13491208655302741918", "US.13491208655302741918"),
        (" 15551234567 ", "15551234567"),
    ],
)
def test_a_contact_is_kept_in_the_form_of_messages(given: str, kept: str, api: APIClient, sqs_away: None) -> None:
    assert api.post(URL, {**EXAMPLE, "contact": given}, format="json").status_code == 202
    assert Event.objects.get().contact == kept


@pytest.mark.parametrize("contact", ["Ann", "123", "1" * 16, "", "us.1", 15551234567, None, "+1 555 ext 5"])
def test_what_is_no_contact_is_refused_by_name(contact: Any, api: APIClient) -> None:
    answer = api.post(URL, {**EXAMPLE, "contact": contact}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["contact"])


def test_a_refused_contact_is_not_quoted() -> None:
    with pytest.raises(ValueError, match="phone number") as refused:
        contact_key("555-0199 is mine")
    assert "0199" not in str(refused.value)


def test_with_sqs_away_an_event_is_stored_at_once(api: APIClient, sqs_away: None) -> None:
    assert api.post(URL, EXAMPLE, format="json").status_code == 202
    assert Event.objects.count() == 1


def test_a_list_is_stored_whole_or_not_at_all_where_the_database_is_lost_on_the_way(
    api: APIClient, sqs_away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, is_there = storage.store, iter([True, False])

    def store_or_fail(payload: Any) -> None:
        if not next(is_there):
            raise OperationalError
        store(payload)

    monkeypatch.setattr(storage, "store", store_or_fail)
    big = [{**EXAMPLE, "event_data": {"text": "x" * 60_000}} for _ in range(10)]
    assert (api.post(URL, big, format="json").status_code, Event.objects.count()) == (503, 0)


def test_data_that_looks_like_a_codecs_own_stays_data(api: APIClient, sqs: Any) -> None:
    data = {"__type__": "uuid", "__value__": "x"}
    api.post(URL, {**EXAMPLE, "event_data": data}, format="json")
    work(sqs)
    assert Event.objects.get().data == data


def test_events_too_many_for_one_task_are_all_stored(api: APIClient, sqs: Any) -> None:
    big = [{**EXAMPLE, "event_data": {"text": 'quoted "Ж" ' * 2000}} for _ in range(30)]
    assert api.post(URL, big, format="json").status_code == 202
    work(sqs)
    assert Event.objects.count() == 30


def test_python_code_tracks_an_event(sqs: Any) -> None:
    event_id = track_event("user_signup", {"user_id": "123"})
    work(sqs)
    assert Event.objects.get(pk=event_id).source == "python"


def test_its_asynchronous_twin_does_so_too(sqs: Any) -> None:
    event_id = async_to_sync(atrack_event)("user_signup", {"user_id": "123", "source": "web_app"})
    work(sqs)
    assert Event.objects.filter(pk=event_id).exists()


@pytest.mark.parametrize("event_type", ["", "x" * 101, "nul \x00"])
def test_a_type_that_cannot_be_kept_is_refused(event_type: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        track_event(event_type)


@pytest.mark.parametrize(
    "wrong",
    [{"event_id": "x" * 201}, {"reference": "x" * 256}, {"contact": "Ann"}, {"occurred_at": datetime(2026, 1, 1)}],
)
def test_an_event_that_cannot_be_stored_raises_in_python(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        track_event("t", **wrong)


def test_python_code_tracks_the_same_event_once(sqs_away: None) -> None:
    ids = {track_event("paid", event_id="order-1", contact="+1 555 123 4567", reference="A-1") for _ in range(2)}
    event = Event.objects.get()
    assert ({event.pk}, event.contact, event.reference, event.source) == (ids, "15551234567", "A-1", "python")
