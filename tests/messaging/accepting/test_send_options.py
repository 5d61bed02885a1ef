"""What a send may say beside its content: when, until when, whose, and what to do if the answer is lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.accepting.python_api import send_template_message, send_text_message
from messaging.accepting.send_times import InvalidTime, check_times
from messaging.models import ApiClient, Message, OnUnknown
from tests.messaging.accepting.test_api import TEMPLATE, listed, send
from tests.messaging.accepting.test_bulk import BULK, bodies
from tests.messaging.factories import pending

pytestmark = pytest.mark.django_db


def ahead(**time: float) -> str:
    return (timezone.now() + timedelta(**time)).isoformat()


def test_an_omitted_option_has_its_default(api: APIClient) -> None:
    send(api)
    message = Message.objects.get()
    assert (message.reference, message.campaign, message.expires_at, message.on_unknown) == ("", "", None, "wait")
    assert message.due_at == message.at


def test_a_scheduled_message_is_due_at_its_time(api: APIClient) -> None:
    at = timezone.now() + timedelta(days=29)
    send(api, send_at=at.isoformat())
    assert Message.objects.get().due_at == at


def test_send_options_are_stored_and_returned(api: APIClient) -> None:
    at = timezone.now() + timedelta(hours=1)
    given = {"reference": "order 1/2", "campaign": "Spring & more", "on_unknown": "resend"}
    message_id = send(api, expires_at=at.isoformat(), **given).data["id"]
    shown = api.get(f"/messaging/messages/{message_id}").json()
    assert {name: shown[name] for name in given} == given
    assert Message.objects.get().expires_at == at


def test_a_templates_name_is_stored_for_holds(api: APIClient) -> None:
    api.post("/messaging/send", TEMPLATE, format="json")
    assert Message.objects.get().template == "hello_world"


NO_TIMES: list[Any] = ["tomorrow", "", None, 1, 1.5, [], {}, True, "2026-02-30T00:00:00Z"]
NO_TIMES += ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
NO_LABELS: list[Any] = ["", None, 1, [], {}]
NO_CHOICES: list[Any] = ["", None, "retry", 1, []]
BAD: list[tuple[str, dict[str, Any]]] = [
    ("send_at", {"send_at": ahead(seconds=-1)}),
    ("send_at", {"send_at": ahead(days=31)}),
    *[("send_at", {"send_at": bad}) for bad in NO_TIMES],
    ("expires_at", {"expires_at": ahead(seconds=-1)}),
    ("expires_at", {"expires_at": ahead(hours=1), "send_at": ahead(hours=2)}),
    *[("expires_at", {"expires_at": bad}) for bad in NO_TIMES],
    *[("reference", {"reference": bad}) for bad in [*NO_LABELS, "x" * 256]],
    *[("campaign", {"campaign": bad}) for bad in [*NO_LABELS, "x" * 101]],
    *[("on_unknown", {"on_unknown": bad}) for bad in NO_CHOICES],
]


@pytest.mark.parametrize(("field", "changes"), BAD)
def test_a_bad_option_is_400_naming_the_field_and_stores_nothing(
    field: str, changes: dict[str, Any], api: APIClient
) -> None:
    answer = send(api, **changes)
    assert (answer.status_code, list(answer.data), Message.objects.count()) == (400, [field], 0)


@pytest.mark.parametrize(("field", "changes"), [("reference", {"reference": "a"}), ("campaign", {"campaign": "a"})])
def test_messages_are_found_by_reference_and_campaign(field: str, changes: dict[str, str], api: APIClient) -> None:
    pending(2)
    wanted = send(api, **changes).data["id"]
    assert listed(api, **{field: "a"}) == [wanted]


def test_python_takes_the_same_options() -> None:
    at = timezone.now() + timedelta(hours=1)
    send_text_message("+16502530000", "hi", send_at=at, reference="r", campaign="c", on_unknown="fail")
    message = Message.objects.get()
    assert (message.due_at, message.reference, message.campaign, message.on_unknown) == (at, "r", "c", OnUnknown.FAIL)


BAD_IN_PYTHON: list[dict[str, Any]] = [{"on_unknown": "retry"}, {"reference": "x" * 256}, {"campaign": "x" * 101}]


@pytest.mark.parametrize("options", BAD_IN_PYTHON, ids=lambda options: next(iter(options)))
def test_python_raises_for_an_invalid_option(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        send_template_message("+16502530000", "hello", "en_US", **options)


def test_python_raises_for_a_time_in_the_past() -> None:
    with pytest.raises(InvalidTime, match="send_at"):
        send_text_message("+16502530000", "hi", send_at=timezone.now() - timedelta(seconds=1))


NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
# send_at and expires_at as differences from now, and the field that is refused (None: both are fine).
TIMES = [
    (None, None, None),
    (timedelta(0), None, None),
    (-SECOND, None, "send_at"),
    (timedelta(days=30), None, None),
    (timedelta(days=30) + SECOND, None, "send_at"),
    (None, SECOND, None),
    (None, timedelta(0), "expires_at"),
    (None, -SECOND, "expires_at"),
    (timedelta(hours=1), timedelta(hours=1) + SECOND, None),
    (timedelta(hours=1), timedelta(hours=1), "expires_at"),
    (timedelta(hours=1), timedelta(hours=1) - SECOND, "expires_at"),
]


@pytest.mark.parametrize(("send_at", "expires_at", "refused"), TIMES)
def test_expires_at_before_send_at_is_a_400(
    send_at: timedelta | None, expires_at: timedelta | None, refused: str | None
) -> None:
    def moment(ahead: timedelta | None) -> datetime | None:
        return None if ahead is None else NOW + ahead

    try:
        check_times(moment(send_at), moment(expires_at), NOW)
    except InvalidTime as error:
        assert error.field == refused
    else:
        assert refused is None


def test_expires_at_equal_to_send_at_is_a_400(api: APIClient) -> None:
    at = ahead(hours=1)
    answer = send(api, send_at=at, expires_at=at)
    assert (answer.status_code, list(answer.data)) == (400, ["expires_at"])


@pytest.mark.parametrize(("priority", "status"), [("high", 400), ("normal", 202), ("low", 202)])
def test_a_client_without_high_priority_is_refused_it_and_no_other(priority: str, status: int, api: APIClient) -> None:
    ApiClient.objects.update(may_send_high=False)
    answer = send(api, priority=priority)
    assert (answer.status_code, "priority" in answer.data) == (status, status == 400)


def test_a_client_may_use_high_priority_by_default(api: APIClient) -> None:
    assert send(api, priority="high").status_code == 202


def test_of_a_bulk_only_the_items_with_high_priority_are_refused(api: APIClient) -> None:
    ApiClient.objects.update(may_send_high=False)
    items = [{**body, "priority": priority} for body, priority in zip(bodies(3), ("low", "high", "low"), strict=True)]
    results = api.post(BULK, {"messages": items}, format="json").json()["results"]
    assert [list(result.get("errors", {})) for result in results] == [[], ["priority"], []]


def test_spaces_around_labels_are_left_out_from_python_too() -> None:
    message_id = send_text_message("+16502530000", "hi", reference=" r ", campaign=" spring ")
    row = Message.objects.get(pk=message_id)
    assert (row.reference, row.campaign) == ("r", "spring")
