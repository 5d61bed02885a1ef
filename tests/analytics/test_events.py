"""Events are stored, each once."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from rest_framework.test import APIClient

from analytics import storage, tasks
from analytics.models import Cursor, Event
from analytics.services import atrack_event, track_event
from messaging.models import MessageEvent
from messaging.states import Status
from tests.messaging.factories import in_state, pending
from waproject.queues import LANES

pytestmark = pytest.mark.django_db
URL = "/messaging/analytics"
EXAMPLE = {"event_type": "user_action", "event_data": {"action": "button_click", "user_id": "123"}}


def work(sqs: Any) -> None:
    """Store the events that lie on the analytics queue, as its worker would; other tests' hints may come in late."""
    answer = sqs.receive_message(QueueUrl=LANES["analytics"].url, MaxNumberOfMessages=10)
    for body in (json.loads(message["Body"]) for message in answer.get("Messages", [])):
        if body["headers"]["task"] == tasks.record_events.name:
            (args, _, _) = json.loads(body["body"])
            tasks.record_events(*args)


def test_an_event_is_taken_and_stored(api: APIClient, sqs: Any) -> None:
    (event_id,) = api.post(URL, EXAMPLE, format="json").json()["ids"]
    work(sqs)
    event = Event.objects.get(pk=event_id)
    assert (event.event_type, event.data, event.client_name) == ("user_action", EXAMPLE["event_data"], "shop")


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


MINE = str(uuid4())


def test_with_sqs_away_an_event_is_stored_at_once(api: APIClient, sqs_away: None) -> None:
    assert api.post(URL, EXAMPLE, format="json").status_code == 202
    assert Event.objects.count() == 1


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


def test_a_message_becomes_events_however_often_they_are_hinted_at() -> None:
    pending()
    ids = list(MessageEvent.objects.values_list("id", flat=True))
    for _ in range(3):
        storage.store_message_events(ids)
    assert list(Event.objects.values_list("event_type", flat=True)) == ["message.pending"]


def test_the_sweep_finds_what_no_hint_brought_and_remembers_where_it_was() -> None:
    in_state(Status.ACCEPTED)
    MessageEvent.objects.update(recorded_at=timezone.now() - 2 * storage.SETTLED_AFTER)
    assert (storage.sweep_message_events(), storage.sweep_message_events()) == (1, 0)
    assert Cursor.objects.get().position == MessageEvent.objects.get().pk


def test_the_sweep_waits_until_rows_have_settled() -> None:
    pending()
    assert (storage.sweep_message_events(), Event.objects.count()) == (0, 0)


def test_the_sweep_stops_at_a_young_row_though_older_ones_follow() -> None:
    pending(3)
    old = timezone.now() - 2 * storage.SETTLED_AFTER
    first, young, last = MessageEvent.objects.order_by("id").values_list("id", flat=True)
    MessageEvent.objects.filter(id__in=[first, last]).update(recorded_at=old)
    read = storage.sweep_message_events()
    MessageEvent.objects.filter(id=young).update(recorded_at=old)
    assert (read, storage.sweep_message_events(), Event.objects.count()) == (1, 2, 3)


@pytest.mark.parametrize(("seconds", "read"), [(59, 0), (61, 1)])
def test_a_row_has_settled_after_a_minute(seconds: int, read: int) -> None:
    pending()
    MessageEvent.objects.update(recorded_at=timezone.now() - timedelta(seconds=seconds))
    assert storage.sweep_message_events() == read
