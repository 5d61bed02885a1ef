"""Messages that we make ourselves are those that Celery would make."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery.signals import before_task_publish

from messaging import task_publisher
from messaging.incoming import tasks
from messaging.task_publisher import REPRS, SqsAway, message, publish, publish_many
from waproject.logs.throttle import LogThrottle
from waproject.sqs.transport import collected

ARGUMENTS: tuple[Any, ...] = ({"text": "Grüße \ud83d\ude00"}, 7)


def published_by_celery() -> Any:
    with collected() as messages:
        tasks.receive.apply_async(ARGUMENTS, **REPRS)
    return messages[0]


def without_ids(body: str) -> dict[str, Any]:
    """A message but for what differs from one to the next."""
    envelope: dict[str, Any] = json.loads(body)
    for part, name in (
        ("headers", "id"),
        ("headers", "root_id"),
        ("properties", "correlation_id"),
        ("properties", "delivery_tag"),
    ):
        assert envelope[part].pop(name)
    return envelope


def test_a_message_is_the_one_that_celery_would_publish() -> None:
    assert without_ids(message(tasks.receive, ARGUMENTS).body) == without_ids(published_by_celery().body)


def test_it_goes_to_the_queue_that_celery_would_choose() -> None:
    assert message(tasks.receive, ARGUMENTS).url == published_by_celery().url


def test_every_message_has_its_own_id() -> None:
    bodies = [json.loads(message(tasks.receive, ()).body) for _ in range(2)]
    assert (
        len({body[part][name] for body in bodies for part, name in (("headers", "id"), ("properties", "delivery_tag"))})
        == 4
    )


@pytest.fixture
def traced() -> Iterator[None]:
    """Somebody adds a header to each task."""

    def add(headers: dict[str, Any], **_: Any) -> None:
        headers["trace"] = "abc"

    before_task_publish.connect(add)
    yield
    before_task_publish.disconnect(add)


def test_who_listens_to_publishing_may_add_a_header(traced: None) -> None:
    assert json.loads(message(tasks.receive, ()).body)["headers"]["trace"] == "abc"


def lose_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    url, *envelope = task_publisher._made_by_celery(tasks.receive, ())
    monkeypatch.setitem(task_publisher._envelopes, tasks.receive.name, (f"{url}-gone", *envelope))
    monkeypatch.setattr(task_publisher, "_refusals", LogThrottle(60))


def test_a_refusal_of_sqs_is_named_in_the_log_once(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lose_the_queue(monkeypatch)
    for _ in range(3):
        with pytest.raises(SqsAway):
            publish(tasks.receive, ())
    (line,) = [record.getMessage() for record in caplog.records if record.name == task_publisher.__name__]
    assert line.startswith("SQS refuses tasks messaging.receive: ") and "QueueDoesNotExist" in line


def test_a_refusal_of_many_is_named_in_the_log(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lose_the_queue(monkeypatch)
    assert publish_many(tasks.receive, [((),), ((),)]) == [False, False]
    assert "SQS refuses tasks messaging.receive" in caplog.text
