"""`GET /messaging/queue/status`."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from waproject.queues import LANES
from waproject.sqs import control

pytestmark = pytest.mark.django_db
URL = "/messaging/queue/status"


@pytest.fixture
def unreachable(sqs_away: None) -> Iterator[None]:
    """Have SQS unreachable for the control client too."""
    control.client.cache_clear()
    yield
    control.client.cache_clear()


def test_empty_lanes_are_all_zero(api: APIClient, sqs: Any) -> None:
    empty = {"waiting": 0, "in_flight": 0, "delayed": 0, "dlq": 0}
    assert api.get(URL).json() == {"queues": dict.fromkeys(LANES, empty)}


def test_waiting_in_flight_delayed_and_dead_messages_are_counted(api: APIClient, sqs: Any) -> None:
    lane = LANES["outgoing"]
    sqs.send_message(QueueUrl=lane.url, MessageBody="in flight")
    sqs.receive_message(QueueUrl=lane.url)
    sqs.send_message(QueueUrl=lane.url, MessageBody="waiting")
    sqs.send_message(QueueUrl=lane.url, MessageBody="delayed", DelaySeconds=60)
    sqs.send_message(QueueUrl=lane.dlq_url, MessageBody="dead")
    assert api.get(URL).json()["queues"]["outgoing"] == {"waiting": 1, "in_flight": 1, "delayed": 1, "dlq": 1}


def test_without_sqs_the_queue_status_is_a_503_with_retry_after(api: APIClient, unreachable: None) -> None:
    answer = api.get(URL)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_the_schema_describes_every_endpoint_of_the_api(api: APIClient) -> None:
    paths = api.get("/api/schema/?format=json").json()["paths"]
    assert {"/messaging/send", "/messaging/send/bulk", "/messaging/messages", "/messaging/analytics"} <= set(paths)


def test_the_schema_describes_authentication(api: APIClient) -> None:
    schemes = api.get("/api/schema/?format=json").json()["components"]["securitySchemes"]
    assert schemes["ApiKey"]["scheme"] == "bearer"


def test_the_docs_page_loads_nothing_from_other_hosts(api: APIClient) -> None:
    page = api.get("/api/docs/").content.decode()
    assert 'src="http' not in page and 'href="http' not in page
