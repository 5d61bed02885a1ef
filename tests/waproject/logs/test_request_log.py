"""Each request has an id and a log line, without personal data."""

import json
import logging
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from messaging.accepting.business_numbers import sending_number
from messaging.incoming import tasks
from messaging.task_publisher import message
from tests.api.test_permissions import MESSAGE
from tests.messaging.accepting.test_api import SEND
from waproject.logs.context import is_request_id, log_context

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
