"""Queues of the bus: made, found, swept, on the real SQS server."""

from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.core.exceptions import ImproperlyConfigured

from waproject.bus import queues
from waproject.bus.addresses import Addresses, queue_name
from waproject.sqs import control


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "x")


class Refusing:
    """Answers each request with this error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Any:
        def fail(**__: Any) -> None:
            raise self._error

        return fail


def test_a_queue_keeps_its_messages_for_the_given_time(bus: Addresses, settings: Any) -> None:
    queues.create(bus.node("a"), 60)
    found = control.client(settings.AWS_REGION).get_queue_attributes(QueueUrl=bus.node("a"), AttributeNames=["All"])
    assert found["Attributes"]["MessageRetentionPeriod"] == "60"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("QueueAlreadyExists", nullcontext()),
        ("QueueNameExists", nullcontext()),
        ("AccessDenied", pytest.raises(ClientError)),
    ],
)
def test_a_queue_that_exists_is_used_as_it_is(code: str, expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "_sqs", lambda: Refusing(refused(code)))
    with expected:
        queues.create("https://sqs.test/1/q", 60)


def test_a_queue_is_deleted_and_may_be_gone_already(bus: Addresses) -> None:
    queues.create(bus.node("a"), 60)
    queues.delete(bus.node("a"))
    assert queues.names(bus.nodes_prefix) == []
    queues.delete(bus.node("a"))


@pytest.mark.parametrize("error", [refused("AccessDenied"), EndpointConnectionError(endpoint_url="x")])
def test_only_the_end_of_a_process_ignores_that_a_queue_cannot_be_deleted(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "_sqs", lambda: Refusing(error))
    queues.delete_quietly("https://sqs.test/1/q")
    with pytest.raises(type(error)):
        queues.delete("https://sqs.test/1/q")


def test_a_sweep_deletes_old_queues_without_an_owner(bus: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {bus.node("living"), bus.replies("flower"), bus.node("young")}
    gone = {bus.node("killed"), bus.replies("killed")}
    for url in kept | gone:
        queues.create(url, 60)
    monkeypatch.setattr(queues, "_age", lambda url: 299.9 if url == bus.node("young") else 300.0)
    assert queues.sweep(bus, {"living"}) == sorted(map(queue_name, gone), key=lambda name: "replies" in name)
    left = [bus.named(name) for prefix in (bus.nodes_prefix, bus.replies_prefix) for name in queues.names(prefix)]
    assert set(left) == kept


def test_a_new_queue_is_young(bus: Addresses) -> None:
    queues.create(bus.node("a"), 60)
    assert -5 <= queues._age(bus.node("a")) < 120
    assert queues._age(bus.node("no such")) == 0.0


def test_an_age_that_sqs_does_not_tell_is_no_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "_sqs", lambda: Refusing(refused("AccessDenied")))
    with pytest.raises(ClientError):
        queues._age("https://sqs.test/1/q")


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", True),
        ("com.amazonaws.sqs#QueueDoesNotExist", True),
        ("QueueDoesNotExist.Odd", False),
        ("AccessDenied", False),
    ],
)
def test_a_missing_queue_is_known_by_its_code(code: str, missing: bool) -> None:
    assert queues.is_missing(code) is missing


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refused("AccessDenied"), "AccessDenied"),
        (ClientError({}, "x"), ""),
        (ClientError({"Error": {}}, "x"), ""),
        (EndpointConnectionError(endpoint_url="x"), "EndpointConnectionError"),
    ],
)
def test_an_error_is_named_by_its_code_or_class(error: Any, code: str) -> None:
    assert queues.code_of(error) == code


def test_a_bus_that_is_off_says_how_to_switch_it_on(settings: Any) -> None:
    settings.SQS_MONITOR_QUEUE_URL = ""
    with pytest.raises(ImproperlyConfigured, match="set SQS_MONITOR_QUEUE_URL"):
        queues.bus()
