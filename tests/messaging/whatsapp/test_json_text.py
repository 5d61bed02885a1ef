"""Every JSON text that the library reads is bounded before objects are built from it."""

import io
import json
import tracemalloc
from collections.abc import Callable

import pytest

from messaging.whatsapp.client import CloudApi
from messaging.whatsapp.errors import OutcomeUnknown, Rejected, Throttled, Unavailable, from_response
from messaging.whatsapp.inbound.message_types import FlowReply
from messaging.whatsapp.media_api import MediaApi, MediaError, TransferFailure
from tests.messaging.whatsapp.calls import TOKEN, failure_of
from tests.messaging.whatsapp.inbound.bodies import only_message
from tests.messaging.whatsapp.wire import OK, Server, answering, http


def inside(filling: str, key: str = "x") -> str:
    """An object with this JSON text under a key."""
    return f'{{"{key}":{filling}}}'


EXCESSIVE = {
    "nested lists": inside("[" * 100 + "]" * 100),
    "nested objects": inside('{"a":' * 100 + "1" + "}" * 100),
    "nested to a stack's end": inside("[" * 20_000 + "]" * 20_000),
    "many empty lists": inside(f"[{'[],' * 20_000}[]]"),
    "many keys": inside(json.dumps({str(number): number for number in range(10_000)})),
    "many numbers": inside(f"[{'1,' * 20_000}1]"),
    "a long number": inside("9" * 101),
    "a number longer than Python converts": inside("9" * 5_000),
    "a long exponent": inside("1e" + "9" * 101),
}
OTHER_ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
excessive = pytest.mark.parametrize("text", EXCESSIVE.values(), ids=EXCESSIVE)


def with_first(entry: str, text: str) -> str:
    """An object that begins with an entry, and then holds those of the text."""
    return "{" + entry + "," + text[1:]


@pytest.fixture
def media_api(server: Server) -> MediaApi:
    return MediaApi(server.url, "v26.0", TOKEN)


def flow_reply(response_json: str) -> FlowReply:
    node = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": response_json}}
    details = only_message(type="interactive", interactive=node).details
    assert isinstance(details, FlowReply)
    return details


@excessive
def test_an_excessive_success_of_a_send_is_of_unknown_outcome(api: CloudApi, server: Server, text: str) -> None:
    server.behaviour = answering(http(body=with_first('"messages":[{"id":"wamid.A"}]', text).encode()))
    assert isinstance(failure_of(api), OutcomeUnknown)


@excessive
def test_an_excessive_refusal_is_sorted_by_its_http_status(api: CloudApi, server: Server, text: str) -> None:
    server.behaviour = answering(http(400, with_first('"error":{"code":131026}', text).encode()))
    error = failure_of(api)
    assert (type(error), error.code) == (Unavailable, None)


@excessive
def test_an_excessive_look_up_of_a_file_is_a_later_try(media_api: MediaApi, server: Server, text: str) -> None:
    server.behaviour = answering(http(body=with_first(f'"url":"{server.url}/file"', text).encode()))
    with pytest.raises(MediaError) as caught:
        media_api.look_up("77")
    assert caught.value.failure is TransferFailure.UNAVAILABLE


@excessive
def test_an_excessive_answer_to_an_upload_is_a_later_try(media_api: MediaApi, server: Server, text: str) -> None:
    server.behaviour = answering(http(body=with_first('"id":"77"', text).encode()))
    with pytest.raises(MediaError) as caught:
        media_api.upload("106", io.BytesIO(b"file"), "image/png", "a.png")
    assert caught.value.failure is TransferFailure.UNAVAILABLE


@excessive
def test_an_excessive_usage_header_asks_for_no_wait(text: str) -> None:
    header = with_first('"1":[{"estimated_time_to_regain_access":3}]', text)
    error = from_response(429, {"error": {"code": 131056}}, {"X-Business-Use-Case-Usage": header})
    assert isinstance(error, Throttled)
    assert error.wait == 4.0


@excessive
def test_an_excessive_flow_response_is_kept_as_text(text: str) -> None:
    found = flow_reply(text)
    assert (found.response, found.response_json) == (None, text)


@pytest.mark.parametrize("encoding", OTHER_ENCODINGS)
def test_an_answer_in_another_encoding_than_utf_8_is_not_read(
    api: CloudApi, media_api: MediaApi, server: Server, encoding: str
) -> None:
    server.behaviour = answering(http(body=json.dumps({**OK, "id": "77", "url": "x"}).encode(encoding)))
    assert isinstance(failure_of(api), OutcomeUnknown)
    with pytest.raises(MediaError):
        media_api.look_up("77")


LARGEST: dict[str, Callable[[], object]] = {
    "a flow response of 3 MB": lambda: flow_reply(f"[{'[],' * 1_000_000}[]]"),
    "a flow response of 3 MB of objects": lambda: flow_reply(f"[{'{},' * 1_000_000}1]"),
    "a usage header of 64 KB": lambda: from_response(429, None, {"X-Business-Use-Case-Usage": "[[]" + ",[]" * 21_000}),
}


@pytest.mark.parametrize("read", LARGEST.values(), ids=LARGEST)
def test_the_largest_texts_take_little_memory(read: Callable[[], object]) -> None:
    tracemalloc.start()
    read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 25_000_000  # the texts themselves and their copies, at most six of 3 MB


def test_the_largest_form_that_a_flow_may_hold_is_read() -> None:
    form = {f"screen_{screen}_field_{field}": ["0_Yes", "1_No"] for screen in range(20) for field in range(50)}
    assert flow_reply(json.dumps(form)).response == form


@pytest.mark.parametrize("text", ['{"name":"Zoë","city":"北京"}', '{"half":"\\ud800"}', '{"half":"\ud800"}'])
def test_a_flow_response_in_any_script_is_read(text: str) -> None:
    assert flow_reply(text).response is not None


def test_metas_longest_answers_are_read(api: CloudApi, server: Server) -> None:
    server.behaviour = answering(http(400, {"error": {"code": 131026, "error_data": {"details": "x" * 100_000}}}))
    assert isinstance(failure_of(api), Rejected)
