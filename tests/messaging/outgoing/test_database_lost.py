"""The database goes away in the middle of a request."""

from typing import Any
from unittest.mock import Mock

import psycopg2
import pytest
from django.conf import settings
from django.core.signals import request_started
from django.db import OperationalError, connection, connections
from rest_framework.test import APIClient

from messaging.accepting import accept
from messaging.accepting import api as sending
from messaging.models import IdempotencyKey, Message, MessageEvent
from tests.messaging.accepting.test_api import SEND
from tests.messaging.accepting.test_bulk import BULK, bodies
from tests.messaging.access.test_idempotency import post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cut_before_the_insert(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request's connection is ended by the server after its validation; the one after that is spared."""
    real = accept.store

    def store(*args: Any) -> bool:
        monkeypatch.undo()
        end_the_backend()
        return real(*args)

    monkeypatch.setattr(sending, "store", store)


def end_the_backend() -> None:
    """The server ends this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    database = settings.DATABASES["default"]
    other = psycopg2.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"],
        password=database["PASSWORD"], dbname=connection.settings_dict["NAME"],
    )  # fmt: skip
    try:
        other.autocommit = True
        other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()


@pytest.mark.parametrize("url", [SEND, BULK])
def test_the_request_is_503_and_stores_nothing_and_its_repetition_is_accepted(
    url: str, api: APIClient, cut_before_the_insert: None
) -> None:
    body = bodies(1)[0] if url == SEND else {"messages": bodies(3)}
    lost = post(api, "order-1", body, url)
    connection.close()
    stored = [model.objects.count() for model in (Message, MessageEvent, IdempotencyKey)]
    assert (lost.status_code, "Retry-After" in lost.headers, stored) == (503, True, [0, 0, 0])
    assert post(api, "order-1", body, url).status_code == 202


def test_a_connection_that_broke_between_requests_is_replaced(api: APIClient) -> None:
    post(api, "order-1", bodies(1)[0])
    end_the_backend()
    assert post(api, "order-2", bodies(1)[0]).status_code == 202


def test_the_idempotency_look_up_replaces_djangos_connection_check(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Mock(return_value=True)
    monkeypatch.setattr(connections["default"], "is_usable", check)
    request_started.send(None)
    post(api, "order-1", bodies(1)[0])
    assert not check.called


def test_a_request_tries_an_unavailable_database_once(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    refuse = Mock(side_effect=OperationalError)
    monkeypatch.setattr(connections["default"], "get_new_connection", refuse)
    assert post(api, "order-1", bodies(1)[0]).status_code == 503
    assert refuse.call_count == 1
