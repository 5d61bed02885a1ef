"""The database goes away in the middle of a request."""

import socket
from collections.abc import Iterator
from contextlib import suppress
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
from testkit.silent_proxy import SilentProxy
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


class AnswerLost(SilentProxy):
    """Loses one answer of PostgreSQL, and the connection with it, once `loses` is set."""

    loses = is_gone = False

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.loses and source.getpeername()[1] == self._target:
                    self.loses = False
                    if self.is_gone:
                        self.close()
                    break
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnswerLost]:
    """PostgreSQL behind a proxy that loses the answer to the next statement that stores messages."""
    proxy = AnswerLost(int(connection.settings_dict["PORT"]))
    real = accept.store

    def store(*args: Any) -> bool:
        connection.ensure_connection()
        proxy.loses = True
        return real(*args)

    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(proxy.port))
    monkeypatch.setattr(sending, "store", store)
    yield proxy
    connection.close()
    monkeypatch.undo()
    proxy.close()


@pytest.mark.parametrize("url", [SEND, BULK])
@pytest.mark.parametrize("key", [None, "order-1"])
def test_a_send_whose_commit_was_not_answered_is_accepted_once(
    url: str, key: str | None, api: APIClient, proxy: AnswerLost
) -> None:
    body = bodies(1)[0] if url == SEND else {"messages": bodies(3)}
    answer = post(api, key, body, url)
    assert (answer.status_code, Message.objects.count()) == (202, 1 if url == SEND else 3)


def test_a_send_of_which_nothing_is_known_is_not_said_to_be_not_stored(
    api: APIClient, proxy: AnswerLost, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.is_gone = True
    answer = post(api, "order-1", bodies(1)[0])
    assert (answer.status_code, "not known whether the request was stored" in answer.json()["detail"]) == (503, True)
    connection.close()
    monkeypatch.undo()
    assert Message.objects.count() == 1


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
