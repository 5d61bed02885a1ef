"""Where Meta calls."""

import json
import logging
import os
import time
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from gunicorn.http.errors import InvalidChunkSize  # type: ignore[import-untyped]

from messaging.incoming import webhook as endpoint
from messaging.incoming.store import receive, receive_stored
from messaging.models import Message, StoredWebhook, UnknownUpdate
from messaging.outgoing.lost_answers.incoming_evidence import evidence
from messaging.whatsapp.inbound.signature import sign
from testkit.sqs_proxy import Fault, SqsProxy
from tests.environment import APP_SECRET, VERIFY_TOKEN
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.incoming.wsgi import ask, webhook_environ
from tests.messaging.outgoing.test_database_lost import end_the_backend
from tests.messaging.whatsapp.samples import FOLDER
from waproject.logs.throttle import LogThrottle
from waproject.metrics import counters
from waproject.queues import LANES
from waproject.sqs import publisher
from waproject.web.rejected_webhooks import note_rejection, take_rejection

URL = "/webhook/whatsapp"
SAMPLES = sorted(FOLDER.glob("webhooks/*.json"))


def post(body: object, secret: str = APP_SECRET, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(webhook_environ(raw, **{"X-Hub-Signature-256": sign(raw, secret), **headers}))


def queued(sqs: Any) -> list[Any]:
    """The arguments of the tasks on the incoming queue."""
    answer = sqs.receive_message(QueueUrl=LANES["incoming"].url, MaxNumberOfMessages=10)
    return [json.loads(json.loads(message["Body"])["body"])[0][0] for message in answer.get("Messages", [])]


def test_the_handshake_answers_the_challenge() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY_TOKEN}
    assert Client().get(URL, query).content == b"1158201444"


def test_the_handshake_with_another_token_is_refused() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "guess"}
    assert Client().get(URL, query).status_code == 403


def test_a_signed_webhook_is_queued_without_a_database_query(sqs: Any, settings: Any) -> None:
    body = webhook(inbound_text())
    assert post(body).status_code == 200  # without the db fixture any query would raise
    assert queued(sqs) == [body]


def test_the_signature_is_checked_on_the_raw_bytes(sqs: Any) -> None:
    raw = json.dumps(webhook(inbound_text(text="für@dich"))).replace("/", "\\/").encode()
    assert post(raw).status_code == 200


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "\N{SNOWMAN}"])
def test_a_webhook_without_a_valid_signature_is_refused(header: str) -> None:
    raw = json.dumps(webhook(inbound_text())).encode()
    assert ask(webhook_environ(raw, **{"X-Hub-Signature-256": header})).status_code == 403


def test_a_refusal_logs_nothing_of_the_body_or_the_signature(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post(webhook(inbound_text(text="secret words", sender="15550001111")), secret="wrong")
    assert not any(word in caplog.text for word in ("secret words", "15550001111", "sha256", APP_SECRET))


def test_many_refusals_are_one_log_line_and_all_are_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "_unsigned", LogThrottle(60))
    counters.drain()
    for _ in range(20):
        post(webhook(inbound_text()), secret="wrong")
    lines = [record for record in caplog.records if "signature" in record.getMessage()]
    assert (len(lines), counters.drain()["waproject_webhooks_total", "unsigned"]) == (1, 20)


def test_the_next_log_line_has_the_number_of_suppressed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = LogThrottle(60)
    now = time.monotonic()
    monkeypatch.setattr("waproject.logs.throttle.time.monotonic", lambda: now)
    assert [throttle.admit() for _ in range(3)] == [0, None, None]
    now += 61
    assert throttle.admit() == 2


def test_the_previous_secret_is_valid_while_it_is_rotated(sqs: Any, settings: Any) -> None:
    settings.WA_APP_SECRET_PREVIOUS = "old-secret"
    assert post(webhook(inbound_text()), secret="old-secret").status_code == 200


def test_an_empty_previous_secret_is_not_accepted(settings: Any) -> None:
    assert post(webhook(inbound_text()), secret="").status_code == 403


def test_a_body_over_metas_limit_is_413() -> None:
    assert post(b"x" * (3 * 1024 * 1024 + 1)).status_code == 413


def chunked(body: bytes, source: Any = None) -> Any:
    """A request whose body comes in chunks, as gunicorn hands it over: without a length, and with an end."""
    return ask(
        webhook_environ(b"", **{"X-Hub-Signature-256": sign(body, APP_SECRET)}) | in_chunks(source or BytesIO(body))
    )


def in_chunks(source: Any) -> dict[str, Any]:
    return {
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": source,
        "wsgi.input_terminated": True,
    }


def test_a_body_in_chunks_is_taken_like_any_other(sqs: Any) -> None:
    body = webhook(inbound_text())
    assert (chunked(json.dumps(body).encode()).status_code, queued(sqs)) == (200, [body])


class Endless(RawIOBase):
    """A body that never ends; counts what was read of it."""

    given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += size
        return b"x" * size


def test_an_endless_body_is_413_and_not_read_to_its_end() -> None:
    endless = Endless()
    assert chunked(b"", endless).status_code == 413
    assert endless.given < 3 * 1024 * 1024 + 128 * 1024


class Broken(RawIOBase):
    """Chunks that are none."""

    def read(self, size: int = -1) -> bytes:
        raise InvalidChunkSize(b"zz")


def test_broken_chunks_are_400() -> None:
    assert chunked(b"", Broken()).status_code == 400


@pytest.mark.parametrize(("source", "status"), [(BytesIO(b"{}"), 401), (Endless(), 413), (Broken(), 400)])
def test_chunks_for_the_api_are_limited_too(source: Any, status: int, db: None) -> None:
    environ = RequestFactory().post("/messaging/send", content_type="application/json").META
    assert ask(environ | in_chunks(source)).status_code == status


def test_a_client_that_disconnects_within_its_body_is_400() -> None:
    assert ask(webhook_environ(b"{}") | {"wsgi.input": Broken()}).status_code == 400


def test_a_signed_body_that_is_no_json_is_400() -> None:
    assert post(b"hello").status_code == 400


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_signed_body_in_another_encoding_than_utf_8_is_400(encoding: str) -> None:
    deep = '["\u0122",' + "[" * 900 + "]" * 901
    assert post(deep.encode(encoding)).status_code == 400


OVER_LIMITS = {
    "nested 101 levels": (b"[" * 101 + b"]" * 101, "nested deeper than 100 levels"),
    "nested 480 levels": (b'{"entry":' * 480 + b"1" + b"}" * 480, "nested deeper than 100 levels"),
    "a message nested 900 levels": (
        json.dumps(webhook({**inbound_text(), "new": ...}), default=lambda _: "DEEP")
        .replace('"DEEP"', "[" * 900 + "]" * 900)
        .encode(),
        "nested deeper than 100 levels",
    ),
    "nested without an end": (b"[" * 100_000, "nested deeper than 100 levels"),
    "a number of 5,000 digits": (b'{"object": ' + b"9" * 5000 + b"}", "a number of more than 100 characters"),
    "a million lists": (b"[" + b"[]," * 999_999 + b"[]]", "more than 150,000 values and keys"),
    "too many keys": (json.dumps(dict.fromkeys(map(str, range(80_000)))).encode(), "more than 150,000 values and keys"),
    "a NUL in it": (b"[" * 101 + b'"\\u0000 \x00"' + b"]" * 101, "nested deeper than 100 levels"),
}


@pytest.mark.parametrize(("raw", "reason"), OVER_LIMITS.values(), ids=OVER_LIMITS)
def test_json_over_a_limit_is_kept_as_text_with_its_reason(raw: bytes, reason: str, sqs: Any, db: None) -> None:
    assert post(raw).status_code == 200
    for body in queued(sqs):
        receive_stored(body) if isinstance(body, int) else receive(body)
    (update,) = UnknownUpdate.objects.all()
    value: Any = update.raw and update.raw["value"]
    assert update.kind == "field:over_limits"
    assert reason in value["reason"]
    assert value["text"] == raw.decode().replace("\0", "\ufffd")


@pytest.mark.skipif(not SAMPLES, reason="Meta's sample bodies are not here")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_metas_own_samples_are_answered_200_and_stored(sample: Path, sqs: Any, db: None) -> None:
    assert post(sample.read_bytes()).status_code == 200
    for body in queued(sqs):
        receive(body)
    assert Message.objects.count() + UnknownUpdate.objects.count() == 1


@pytest.mark.skipif(not SAMPLES, reason="Meta's sample bodies are not here")
def test_none_of_metas_samples_is_dropped_though_some_share_a_wamid(db: None) -> None:
    for sample in SAMPLES * 2:
        receive(json.loads(sample.read_bytes()))
    assert Message.objects.count() + UnknownUpdate.objects.count() == len(SAMPLES)


def test_a_large_body_is_split_for_the_queue(sqs: Any) -> None:
    body = webhook(*[inbound_text(wamid=f"wamid.{n}", text="x" * 4000) for n in range(300)])
    assert post(body).status_code == 200
    wamids = [m["id"] for piece in queued(sqs) for m in piece["entry"][0]["changes"][0]["value"]["messages"]]
    assert sorted(wamids) == sorted(f"wamid.{n}" for n in range(300))


@pytest.mark.parametrize("letter", ["Ж", "\N{GRINNING FACE}", '"', "\\", "\x01"], ids=ascii)
def test_letters_that_json_escapes_still_fit_in_sqs(letter: str, sqs: Any, db: None) -> None:
    body = webhook(*[inbound_text(wamid=f"wamid.{n}", text=letter * 4000) for n in range(60)])
    assert post(body).status_code == 200
    wamids = [m["id"] for piece in queued(sqs) for m in piece["entry"][0]["changes"][0]["value"]["messages"]]
    assert sorted(wamids) == sorted(f"wamid.{n}" for n in range(60))


def test_data_in_the_form_of_a_codec_marker_stays_data(sqs: Any) -> None:
    body = webhook({**inbound_text(), "extra": {"__type__": "datetime", "__value__": "x"}})
    post(body)
    assert queued(sqs) == [body]


def test_an_update_too_large_for_sqs_travels_through_the_database(sqs: Any, db: None) -> None:
    assert post(webhook(inbound_text(text="x" * 1_500_000))).status_code == 200
    (stored_id,) = queued(sqs)
    receive_stored(stored_id)
    assert (Message.objects.count(), StoredWebhook.objects.count()) == (1, 0)


def test_with_sqs_unavailable_the_webhook_is_processed_in_the_request(db: None, sqs_away: None) -> None:
    assert post(webhook(inbound_text(text="hello"))).status_code == 200
    assert Message.objects.get().text == "hello"


def test_the_rest_of_a_body_that_was_partly_published_is_processed_in_the_request(
    sqs: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = SqsProxy(urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"]).port or 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", proxy.endpoint)
    publisher.reset_shared()
    proxy.set(Fault.ENTRIES_FAIL, one_in=2)
    monkeypatch.setattr(publisher, "RETRY_S", 1.0)  # past the deadline
    body = webhook(*[inbound_text(wamid=f"wamid.{n}", text="x" * 4000) for n in range(300)])
    assert post(body).status_code == 200
    proxy.close()
    in_the_request = set(Message.objects.values_list("wamid", flat=True))
    published = {m["id"] for piece in queued(sqs) for m in piece["entry"][0]["changes"][0]["value"]["messages"]}
    assert (bool(in_the_request), bool(published)) == (True, True)
    assert in_the_request | published == {f"wamid.{n}" for n in range(300)}


def test_with_sqs_and_the_database_unavailable_the_answer_is_a_503_with_retry_after(
    sqs_away: None, database_away: None
) -> None:
    answer = post(webhook(inbound_text()))
    assert (answer.status_code, "Retry-After" in answer.headers, bool(take_rejection())) == (503, True, True)


def test_a_refused_webhook_is_recorded_once_the_database_is_back(sqs: Any, db: None) -> None:
    before = timezone.now()
    note_rejection()
    after = timezone.now()
    assert post(webhook(inbound_text())).status_code == 200
    found = evidence(None, 0)
    assert [found.may_have_lost_since(moment) for moment in (before, after)] == [True, False]


def test_a_refused_webhook_is_recorded_once(sqs: Any, db: None) -> None:
    note_rejection()
    post(webhook(inbound_text()))
    assert take_rejection() is None


def test_a_webhook_is_accepted_for_any_host(sqs: Any) -> None:
    """A load balancer may call by address; the signature says who it is."""
    answer = post(webhook(inbound_text()), host="10.0.0.7")
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "0")


def test_the_request_id_is_returned_and_passed_to_the_task(sqs: Any) -> None:
    answer = post(webhook(inbound_text()), **{"X-Request-ID": "r-1"})
    (message,) = sqs.receive_message(QueueUrl=LANES["incoming"].url)["Messages"]
    assert (answer.headers["X-Request-ID"], json.loads(message["Body"])["headers"]["request_id"]) == ("r-1", "r-1")


def test_a_refusal_has_a_request_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    post(webhook(inbound_text()), secret="wrong")
    (line,) = [record for record in caplog.records if record.name == "waproject.logs.request_log"]
    assert (line.method, line.path, line.status) == ("POST", URL, 403)  # type: ignore[attr-defined]


def test_an_unexpected_error_is_a_500_with_a_traceback(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "enqueue", lambda *_: 1 / 0)
    assert post(webhook(inbound_text())).status_code == 500
    assert "ZeroDivisionError" in caplog.text


def test_a_webhook_that_met_an_unexpected_error_is_to_be_recorded_as_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "enqueue", lambda *_: 1 / 0)
    post(webhook(inbound_text()))
    assert take_rejection() is not None


def test_django_answers_a_webhook_like_the_fast_path(sqs: Any) -> None:
    raw = json.dumps(webhook(inbound_text())).encode()
    headers = {"X-Hub-Signature-256": sign(raw, APP_SECRET)}
    answer = Client().post(URL, raw, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert queued(sqs) == [json.loads(raw)]


def test_other_requests_are_passed_to_django() -> None:
    assert ask(RequestFactory().get("/health/live").META).status_code == 200


def test_a_connection_that_broke_is_dropped_before_the_webhook_is_processed_in_the_request(
    transactional_db: None, sqs_away: None
) -> None:
    end_the_backend()
    connection.errors_occurred = True  # as Django knows after a query that failed
    assert post(webhook(inbound_text(text="hello"))).status_code == 200
