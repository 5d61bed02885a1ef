"""Each request has an id and a log line, without personal data."""

import json
import logging
import time
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from rest_framework.test import APIClient

from messaging.accepting.sending_numbers import sending_number
from messaging.incoming import tasks
from messaging.task_publisher import message
from tests.api.test_permissions import MESSAGE
from tests.messaging.accepting.test_api import SEND
from waproject.logs import request_log
from waproject.logs.context import TouchedMessages, is_request_id, log_context

pytestmark = pytest.mark.django_db
SENT = {"phone_number": "+15551230001", "message_type": "text", "message_data": {"content": "Hello"}}


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name == "waproject.logs.request_log"]


def test_a_request_gets_an_id() -> None:
    assert is_request_id(Client().get("/api/docs/").headers["X-Request-ID"])


def test_a_proxys_id_is_kept() -> None:
    answer = Client().get("/api/docs/", headers={"X-Request-ID": "1-67891233-abcdef012345678912345678"})
    assert answer.headers["X-Request-ID"] == "1-67891233-abcdef012345678912345678"


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"b', "a{b", "+15551230001", "15551230001"])
def test_an_invalid_id_is_replaced(given: str) -> None:
    assert Client().get("/api/docs/", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


def test_a_requests_line_has_method_path_and_status(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Client().get("/messaging/messages?phone_number=15551230001")
    (line,) = lines(caplog)
    assert (line.method, line.path, line.status) == ("GET", "/messaging/messages", 401)


def test_the_line_of_a_send_names_its_message(api: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    sending_number()
    with caplog.at_level(logging.INFO):
        answer = api.post(SEND, SENT, format="json")
    (line,) = lines(caplog)
    assert (line.messages, line.message_ids) == (1, [answer.json()["id"]])


def test_a_refused_request_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Client().post("/webhook/whatsapp", b"{}", content_type="application/json")
    assert [record.name for record in caplog.records if record.name.startswith("django")] == []
    assert len(lines(caplog)) == 1


@pytest.mark.parametrize(("made_in", "later"), [("r-1", "r-2"), ("r-1", ""), ("", "r-1")])
def test_a_tasks_message_carries_the_request_that_caused_it_and_no_other(made_in: str, later: str) -> None:
    for request_id in (made_in, later):
        with log_context(**({"request_id": request_id} if request_id else {})):
            made = json.loads(message(tasks.receive, ({},)).body)
        assert made["headers"].get("request_id", "") == request_id


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/messaging/campaigns/maria-garcia/hold", "/messaging/campaigns/…/hold"),
        ("/messaging/campaigns/clinic/maria/resume", "/messaging/campaigns/…/resume"),
        ("/messaging/campaigns/maria-garcia/holt", "/messaging/campaigns/…"),
        ("/messaging/campaigns/maria-garcia", "/messaging/campaigns/…"),
        ("/messaging/sent", "/messaging/sent"),
        (f"/admin/messaging/message/{MESSAGE}/change/", f"/admin/messaging/message/{MESSAGE}/change/"),
    ],
)
def test_a_campaigns_name_is_not_in_its_line(
    path: str, logged: str, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.post(path)
    assert [line.path for line in lines(caplog)] == [logged]


@pytest.mark.parametrize(
    ("path", "status", "level"),
    [
        ("/webhook/whatsapp", 200, "DEBUG"),
        ("/static/x.css", 304, "DEBUG"),
        ("/webhook/whatsapp", 400, "INFO"),
        ("/webhook/whatsapp", 499, "INFO"),
        ("/messaging/messages", 200, "INFO"),
        ("/webhook/whatsapp", 500, "ERROR"),
        ("/messaging/messages", 503, "ERROR"),
    ],
)
def test_the_level_of_a_line_is_its_importance(
    path: str, status: int, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        request_log.log_request("POST", path, status, time.perf_counter(), TouchedMessages())
    assert [line.levelname for line in lines(caplog)] == [level]


def test_a_line_has_the_time_that_its_request_took(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waproject.logs.request_log.time.perf_counter", lambda: 12.34567)
    touched = TouchedMessages()
    touched.add([UUID(MESSAGE)])
    with caplog.at_level(logging.INFO):
        request_log.log_request("GET", "/" + "x" * 300, 200, 12.0, touched)
    (line,) = lines(caplog)
    assert (line.getMessage(), line.run_ms, len(line.path), line.messages) == ("request", 345.7, 200, 1)


def test_a_quiet_request_costs_no_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        request_log.log_request("POST", "/webhook/whatsapp", 200, time.perf_counter(), TouchedMessages())
    assert lines(caplog) == []


@pytest.mark.parametrize(("info", "kept"), [(None, False), ((), False), ((ValueError, ValueError(), None), True)])
def test_of_djangos_own_lines_tracebacks_are_kept(info: Any, kept: bool) -> None:
    record = logging.getLogger("x").makeRecord("x", logging.ERROR, "", 0, "words", (), info)
    assert request_log.traceback_filter()(record) is kept


@pytest.mark.parametrize("given", [None, "", "a b"])
def test_each_request_without_an_id_gets_its_own(given: str | None) -> None:
    ids = {request_log.id_for(given) for _ in range(2)}
    assert {str(UUID(one)) for one in ids} == ids and len(ids) == 2
