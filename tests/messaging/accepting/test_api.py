"""Sending one message, and looking at messages."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from messaging.accepting import api as endpoint
from messaging.estimates import estimate
from messaging.identifiers import first_uuid7
from messaging.incoming.store import receive
from messaging.models import ApiClient, BusinessNumber, Message, Priority
from messaging.outgoing.holds.suspensions import pause
from messaging.states import Status
from tests.environment import PHONE_NUMBER_ID
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import in_state, number, pending
from tests.messaging.message_templates.rows import synced_template

SEND = "/messaging/send"
LIST = "/messaging/messages"
EXAMPLE: dict[str, Any] = {
    "phone_number": "+1234567890",
    "message_type": "text",
    "message_data": {"content": "Hello from SQS!"},
    "priority": "high",
}
TEMPLATE = {**EXAMPLE, "message_type": "template", "message_data": {"name": "hello_world", "language": "en_US"}}


def send(api: APIClient, **changes: Any) -> Any:
    """The documented example with changes; a value of `...` leaves the field out."""
    body = {name: value for name, value in {**EXAMPLE, **changes}.items() if value is not ...}
    return api.post(SEND, body, format="json")


def raw(api: APIClient, body: bytes, content_type: str = "application/json", url: str = SEND) -> Any:
    return api.generic("POST", url, body, content_type)  # type: ignore[arg-type]  # bytes are taken as they are


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "status", "stored"),
    [("", 202, 1), ("?estimate=false", 202, 1), ("?estimate=true", 200, 0), ("?estimate=FALSE", 400, 0),
     ("?estimate=", 400, 0), ("?estimate=true&estimate=true", 400, 0)],
)  # fmt: skip
def test_only_a_clear_answer_asks_for_an_estimate(api: APIClient, query: str, status: int, stored: int) -> None:
    answer = api.post(f"{SEND}{query}", EXAMPLE, format="json")
    assert (answer.status_code, Message.objects.count()) == (status, stored)


@pytest.mark.django_db
@pytest.mark.parametrize(("url", "body"), [(SEND, EXAMPLE), (f"{SEND}/bulk", {"messages": [EXAMPLE]})])
def test_an_estimate_is_for_the_client_that_asks(
    url: str, body: Any, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimated: list[Message] = []
    monkeypatch.setattr(endpoint, "estimate", lambda rows: estimated.extend(rows) or estimate(rows))  # type: ignore[func-returns-value]
    assert api.post(f"{url}?estimate=true", body, format="json").status_code == 200
    assert [row.client and row.client.name for row in estimated] == [ApiClient.objects.get().name]


def listed(api: APIClient, **query: Any) -> list[str]:
    """The ids of a page."""
    return [row["id"] for row in api.get(LIST, query).data["results"]]


def test_the_documented_example_is_accepted_with_a_warning(api: APIClient) -> None:
    answer = send(api)
    message = Message.objects.get()
    assert (answer.status_code, answer.data["id"], answer.data["status"]) == (202, str(message.id), "pending")
    assert "not a valid number" in answer.data["warnings"][0]


def test_a_valid_number_brings_no_warning(api: APIClient) -> None:
    number(waba_id="77")
    synced_template("hello_world", "en_US")
    assert "warnings" not in api.post(SEND, {**TEMPLATE, "phone_number": "+1 (650) 253-0000"}, format="json").data


def test_a_send_is_stored_as_requested(api: APIClient) -> None:
    send(api)
    message = Message.objects.select_related("number", "client").get()
    assert (message.peer, message.text, message.priority) == ("1234567890", "Hello from SQS!", Priority.HIGH)
    assert (message.number.phone_number_id, str(message.client)) == (PHONE_NUMBER_ID, "shop")


def test_a_template_is_accepted(api: APIClient) -> None:
    assert api.post(SEND, TEMPLATE, format="json").status_code == 202


def test_another_business_number_can_be_the_sender(api: APIClient) -> None:
    BusinessNumber.objects.create(phone_number_id="777")
    send(api, sender="777")
    assert Message.objects.get().number.phone_number_id == "777"


NO_NUMBERS: list[Any] = [..., None, "", "hello", "+12", 15551234567, 1.5e10, [], {}, True, "1" * 16]
NO_NUMBERS += ["+1 650 253 0000 ext. 12", "+16502530000#12", "1-800-FLOWERS", "++16502530000"]
NO_TYPES: list[Any] = [..., None, "", "fax", 1, [], {}]
NO_DATA: list[Any] = [..., None, "hello", 1, []]
NO_CONTENT: list[Any] = [None, "", "x" * 4097, 1, [], {}]
NO_SENDERS: list[Any] = ["999", "", None, 7, []]
BAD: list[tuple[str, dict[str, Any]]] = [
    *[("phone_number", {"phone_number": bad}) for bad in NO_NUMBERS],
    *[("message_type", {"message_type": bad}) for bad in NO_TYPES],
    *[("message_data", {"message_data": bad}) for bad in NO_DATA],
    *[("message_data.content", {"message_data": {"content": bad}}) for bad in NO_CONTENT],
    ("message_data.content", {"message_data": {}}),
    ("message_data.colour", {"message_data": {"content": "x", "colour": "red"}}),
    ("message_data.preview_url", {"message_data": {"content": "x", "preview_url": "yes"}}),
    ("message_data.name", {"message_type": "template", "message_data": {"language": "en"}}),
    ("message_data.language", {"message_type": "template", "message_data": {"name": "hello"}}),
    ("priority", {"priority": "urgent"}),
    ("priority", {"priority": None}),
    ("priority", {"priority": 0}),
    *[("sender", {"sender": bad}) for bad in NO_SENDERS],
    ("colour", {"colour": "red"}),
]


@pytest.mark.parametrize(("field", "changes"), BAD, ids=str)
def test_bad_input_is_400_naming_the_field_and_stores_nothing(
    field: str, changes: dict[str, Any], api: APIClient
) -> None:
    answer = send(api, **changes)
    assert (answer.status_code, list(answer.data)) == (400, [field])
    assert not Message.objects.exists()


def test_the_longest_text_is_accepted(api: APIClient) -> None:
    assert send(api, message_data={"content": "x" * 4096}).status_code == 202


NO_OBJECTS = [
    b"[]",
    b"1",
    b"null",
    b'"text"',
    b"true",
    b"",
    b"hello",
    b"{",
    b'{"a": 1e999}',
    b'{"a": NaN}',
    b'{"a": "\xff"}',
]
UNSTORABLE = [b'{"a": "\\u0000"}', b'{"a": "\\ud83d"}', b'{"\\u0000": 1}', b'{"a": ' + b"9" * 5000 + b"}"]
DEEP = [
    opening * depth + b"1" + closing * depth
    for depth in (101, 500, 100_000)
    for opening, closing in [(b"[", b"]"), (b'{"a":', b"}")]
]


@pytest.mark.parametrize("url", [SEND, "/messaging/send/bulk", "/messaging/analytics"])
@pytest.mark.parametrize("body", [*NO_OBJECTS, *UNSTORABLE, *DEEP], ids=lambda body: str(body[:16]))
def test_a_body_that_is_not_a_valid_object_is_400(body: bytes, url: str, api: APIClient) -> None:
    assert raw(api, body, url=url).status_code == 400


OVER_LIMITS = {
    b"[" * 101 + b"]" * 101: "nested deeper than 100 levels",
    b'{"a": ' + b"9" * 101 + b"}": "a number of more than 100 characters",
    b"[" + b"[]," * 150_000 + b"[]]": "more than 150,000 values and keys",
}


@pytest.mark.parametrize("url", [SEND, "/messaging/send/bulk", "/messaging/analytics"])
@pytest.mark.parametrize(("body", "words"), OVER_LIMITS.items(), ids=OVER_LIMITS.values())
def test_a_body_over_a_limit_is_a_400_that_names_the_limit(body: bytes, words: str, url: str, api: APIClient) -> None:
    answer = raw(api, body, url=url)
    assert (answer.status_code, words in answer.json()["detail"]) == (400, True)


def test_the_json_limits_apply_in_every_charset(api: APIClient) -> None:
    deep = ("[" * 101 + "]" * 101).encode("utf-16")
    answer = raw(api, deep, "application/json; charset=utf-16")
    assert (answer.status_code, "nested deeper" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("depth", [95, 99, 200, 400, 800])
def test_depth_in_a_field_is_never_a_500(depth: int, api: APIClient) -> None:
    body = json.dumps({**EXAMPLE, "message_data": ...}, default=lambda _: "DEEP")
    nested = body.replace('"DEEP"', '{"content": ' + "[" * depth + "]" * depth + "}")
    assert raw(api, nested.encode()).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_other_content_types_are_415(kind: str, api: APIClient) -> None:
    assert raw(api, b"x", kind).status_code == 415


def test_an_unknown_charset_is_400(api: APIClient) -> None:
    assert raw(api, b"{}", "application/json; charset=nonsense").status_code == 400


def test_an_oversized_body_is_413_by_its_length_alone(api: APIClient) -> None:
    assert api.post(SEND, EXAMPLE, format="json", CONTENT_LENGTH=str(9 * 1024 * 1024)).status_code == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["phone_number", "message_type", "message_data", "priority", "sender", "messages", "event_type"]
FIELDS += ["event_data", "event_id", "occurred_at", "reference", "campaign", "send_at", "expires_at", "on_unknown"]
NEAR = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5)


@pytest.mark.slow("sends random bodies")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON | NEAR | st.lists(NEAR, max_size=3) | st.builds(lambda rows: {"messages": rows}, st.lists(NEAR)))
def test_no_malformed_json_is_a_server_error(body: Any, api: APIClient, sqs_away: None) -> None:
    text = json.dumps(body).encode()
    answers = [raw(api, text, url=url) for url in (SEND, "/messaging/send/bulk", "/messaging/analytics")]
    assert all(answer.status_code < 500 for answer in answers)


def test_with_the_database_unavailable_the_answer_is_a_503_with_retry_after(database_away: None) -> None:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION="Bearer wak_abcdefgh_secret")
    answer = send(client)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_with_sqs_unavailable_a_message_is_accepted(api: APIClient, sqs_away: None) -> None:
    assert send(api).status_code == 202
    assert Message.objects.get().status == Status.PENDING


def test_messages_are_listed_newest_first_and_pages_stay_consistent_while_new_ones_arrive(api: APIClient) -> None:
    expected = sorted((str(message.id) for message in pending(5)), reverse=True)
    page = api.get(LIST, {"page_size": 2}).data
    seen = [row["id"] for row in page["results"]]
    while page["next"]:
        pending(1, peer="15559999999")
        page = api.get(page["next"]).data
        seen += [row["id"] for row in page["results"]]
    assert seen == expected


@pytest.mark.parametrize("size", [1, 2, 200])
def test_a_page_has_up_to_200_messages(size: int, api: APIClient) -> None:
    pending(205)
    assert len(listed(api, page_size=size)) == size


@pytest.mark.parametrize("size", ["0", "-1", "201", "9" * 30, "ten", "", "\u00b2"])
def test_an_invalid_page_size_is_400(size: str, api: APIClient) -> None:
    answer = api.get(LIST, {"page_size": size})
    assert (answer.status_code, list(answer.data)) == (400, ["page_size"])


@pytest.mark.parametrize("count", [1, 50])
def test_a_page_takes_the_same_number_of_queries_at_every_size(
    count: int, api: APIClient, django_assert_max_num_queries: Any
) -> None:
    pending(count)
    api.get(LIST)
    with django_assert_max_num_queries(2):
        assert len(listed(api)) == count


FILTERS = [
    {"direction": "inbound"},
    {"status": "received"},
    {"type": "text", "direction": "inbound"},
    {"phone_number": "15551230001"},
    {"phone_number": "+15551230001"},
    {"phone_number": " 15551230001"},
    {"phone_number": "+1 (555) 123-0001"},
    {"wamid": "wamid.IN1"},
]


@pytest.mark.parametrize("query", FILTERS, ids=str)
def test_a_filter_finds_the_matching_message(query: dict[str, str], api: APIClient) -> None:
    pending(3)
    receive(webhook(inbound_text()))
    assert listed(api, **query) == [str(Message.objects.get(direction="inbound").id)]


def test_the_list_can_be_filtered_by_several_statuses(api: APIClient) -> None:
    pending(1, peer="15550009999")
    in_state(Status.READ)
    assert len(listed(api, status=["pending", "read"])) == 2


def test_messages_can_be_filtered_by_sender(api: APIClient) -> None:
    pending(2)
    assert (len(listed(api, sender=PHONE_NUMBER_ID)), listed(api, sender="999")) == (2, [])


def test_messages_can_be_filtered_by_time(api: APIClient) -> None:
    (new,) = pending(1)
    long_ago = timezone.now() - timedelta(days=2)
    old = Message.objects.create(
        id=first_uuid7(long_ago), created_at=long_ago, number=new.number, direction="inbound", status="received"
    )
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    assert listed(api, created_after=yesterday) == [str(new.id)]
    assert listed(api, created_before=yesterday) == [str(old.id)]


@pytest.mark.parametrize("clock_set_by_s", [-30, 30])
def test_a_message_is_found_by_its_time_though_the_clock_was_set_after_its_id(
    clock_set_by_s: int, api: APIClient
) -> None:
    created_at = timezone.now() - timedelta(days=1)
    made = first_uuid7(created_at - timedelta(seconds=clock_set_by_s))
    Message.objects.create(id=made, created_at=created_at, number=number(), direction="inbound", status="received")
    second = timedelta(seconds=1)
    around = {"created_after": (created_at - second).isoformat(), "created_before": (created_at + second).isoformat()}
    assert listed(api, **around) == [str(made)]


BAD_FILTERS = [
    ("direction", "sideways"),
    ("status", "lost"),
    ("created_after", "yesterday"),
    ("created_before", "2026-13-01"),
    ("type", "\x00"),
    ("phone_number", "\x00"),
]


@pytest.mark.parametrize(("name", "value"), BAD_FILTERS)
def test_a_bad_filter_value_is_400_naming_the_filter(name: str, value: str, api: APIClient) -> None:
    answer = api.get(LIST, {name: value})
    assert (answer.status_code, list(answer.data)) == (400, [name])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00"])
def test_extreme_times_are_not_a_server_error(moment: str, api: APIClient) -> None:
    assert api.get(LIST, {"created_after": moment}).status_code < 500


@pytest.mark.parametrize("cursor", ["x", "cD1ub3QtYS11dWlk", "cD0lMDA=", "bz05OTk5OTk5OTk5OTk5"])
def test_a_forged_cursor_is_not_a_server_error(cursor: str, api: APIClient) -> None:
    assert api.get(LIST, {"cursor": cursor}).status_code in {200, 404}


def test_one_message_is_shown_with_its_timeline_in_order(api: APIClient) -> None:
    message = in_state(Status.SENDING)
    noon = timezone.now().replace(microsecond=0) + timedelta(seconds=5)
    for state in ("read", "delivered", "sent"):
        message.events.create(status=state, at=noon, source="webhook", key=f"w:{state}")
    shown = api.get(f"{LIST}/{message.id}").data
    assert [event["status"] for event in shown["timeline"]] == ["pending", "sent", "delivered", "read"]


def test_one_message_takes_few_queries(api: APIClient, django_assert_max_num_queries: Any) -> None:
    (message,) = pending()
    api.get(LIST)
    with django_assert_max_num_queries(4):
        api.get(f"{LIST}/{message.id}")


@pytest.mark.parametrize("name", [str(UUID(int=7)), "nonsense", "1"])
def test_an_unknown_id_is_404(name: str, api: APIClient) -> None:
    assert api.get(f"{LIST}/{name}").status_code == 404


def test_a_message_of_a_paused_number_shows_the_hold_number(api: APIClient) -> None:
    (message,) = pending()
    path = f"/messaging/messages/{message.id}"
    before = api.get(path).json()["hold"]
    pause([message.number_id], reason="x", by="ann")
    assert (before, api.get(path).json()["hold"]) == (None, "number")


@pytest.mark.parametrize(
    "text", ["20261120", "now", "%", "%s", "%(value)s", "2026-11-20T12:00:00 01:00", "9999-12-31T23:59:59-01"]
)
@pytest.mark.parametrize("name", ["created_after", "created_before"])
def test_a_time_that_is_none_is_a_400_that_shows_one(name: str, text: str, api: APIClient) -> None:
    answer = api.get("/messaging/messages", {name: text})
    assert (answer.status_code, list(answer.json())) == (400, [name])
