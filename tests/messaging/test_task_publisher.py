"""The publisher: the messages that Celery would make, and a log line for refusals."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery.signals import before_task_publish

from messaging import task_publisher
from messaging.incoming import tasks
from messaging.task_publisher import REPRS, SqsUnavailable, message, publish, publish_many
from waproject.logs.throttle import LogThrottle
from waproject.sqs.transport import collected

ARGUMENTS: tuple[Any, ...] = ({"text": "Grüße \ud83d\ude00"}, 7)


def published_by_celery() -> Any:
    with collected() as messages:
        tasks.receive.apply_async(ARGUMENTS, **REPRS)
    return messages[0]


def without_ids(body: str) -> dict[str, Any]:
    """The envelope without the ids, which differ from message to message."""
    envelope: dict[str, Any] = json.loads(body)
    for part, name in (
        ("headers", "id"),
        ("headers", "root_id"),
        ("properties", "correlation_id"),
        ("properties", "delivery_tag"),
    ):
        assert envelope[part].pop(name)
    return envelope


def test_a_message_equals_the_one_that_celery_publishes() -> None:
    assert without_ids(message(tasks.receive, ARGUMENTS).body) == without_ids(published_by_celery().body)


def test_a_message_goes_to_the_queue_that_celery_chooses() -> None:
    assert message(tasks.receive, ARGUMENTS).url == published_by_celery().url


def test_every_message_has_its_own_id() -> None:
    bodies = [json.loads(message(tasks.receive, ()).body) for _ in range(2)]
    assert (
        len({body[part][name] for body in bodies for part, name in (("headers", "id"), ("properties", "delivery_tag"))})
        == 4
    )


@pytest.fixture
def traced() -> Iterator[None]:
    """A receiver of `before_task_publish` that adds a header."""

    def add(headers: dict[str, Any], **_: Any) -> None:
        headers["trace"] = "abc"

    before_task_publish.connect(add)
    yield
    before_task_publish.disconnect(add)


def test_a_receiver_of_before_task_publish_may_add_a_header(traced: None) -> None:
    assert json.loads(message(tasks.receive, ()).body)["headers"]["trace"] == "abc"


def delete_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    url, *envelope = task_publisher._envelope_from_celery(tasks.receive, ())
    monkeypatch.setitem(task_publisher._envelopes, tasks.receive.name, (f"{url}-gone", *envelope))
    monkeypatch.setattr(task_publisher, "_refusals", LogThrottle(60))


def test_a_refusal_by_sqs_is_logged_once(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    delete_the_queue(monkeypatch)
    for _ in range(3):
        with pytest.raises(SqsUnavailable):
            publish(tasks.receive, ())
    (line,) = [record.getMessage() for record in caplog.records if record.name == task_publisher.__name__]
    assert line.startswith("SQS refuses tasks messaging.receive: ") and "QueueDoesNotExist" in line


def test_a_refused_batch_is_logged(sqs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    delete_the_queue(monkeypatch)
    assert publish_many(tasks.receive, [((),), ((),)]) == [False, False]
    assert "SQS refuses tasks messaging.receive" in caplog.text
