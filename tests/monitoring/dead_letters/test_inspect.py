"""A look at a dead-letter queue: everything is explained, nothing is taken, nobody's text is shown."""

import json
import time
from typing import Any

import pytest

from monitoring.dead_letters.inspect import Letter, look
from monitoring.models import TaskFailure
from tests.monitoring.dead_letters.letters import (
    FOREIGN,
    PHONE,
    PICKLE,
    PICKLED_TASK,
    RAW,
    SECRET,
    on,
    put,
    task_body,
)
from waproject.queues import LANES
from waproject.sqs import sampling

pytestmark = pytest.mark.django_db
LANE = LANES["incoming"]
KINDS = {
    "task": task_body(),
    "raw": RAW,
    "foreign": FOREIGN,
    "list": json.dumps([SECRET]),
    "pickle": PICKLE,
    "pickled task": PICKLED_TASK,
    "unknown task": task_body(task="os.system"),
    "wrong arguments": json.dumps({**json.loads(task_body()), "body": json.dumps(SECRET)}),
}


def seen(sqs: Any, body: str, in_full: bool = False) -> Letter:
    put(sqs, body)
    (letter,) = look(LANE, in_full).letters
    return letter


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_body_shows_a_text_or_a_number(sqs: Any, kind: str) -> None:
    shown = repr(seen(sqs, KINDS[kind]))
    assert [secret for secret in (SECRET, PHONE[1:]) if secret in shown] == []


@pytest.mark.parametrize(("kind", "words"), [
    ("task", ""),
    ("raw", "no JSON"),
    ("foreign", "no Celery envelope"),
    ("list", "no Celery envelope"),
    ("pickle", "no JSON"),
    ("pickled task", "application/x-python-serialize, which is never read"),
    ("unknown task", "a task that does not belong on this queue"),
    ("wrong arguments", "the body is not [args, kwargs, embed]"),
])  # fmt: skip
def test_each_says_why_it_is_no_task(sqs: Any, kind: str, words: str) -> None:
    fault = seen(sqs, KINDS[kind]).fault
    assert (words in fault) if words else fault == ""


def test_a_pickle_is_never_read(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    monkeypatch.setattr(pickle, "loads", lambda *_: pytest.fail("unpickled"))
    put(sqs, PICKLE, PICKLED_TASK)
    assert len(look(LANE, in_full=True).letters) == 2


@pytest.mark.parametrize("kind", ["task", "raw", "foreign"])
def test_in_full_the_text_is_there(sqs: Any, kind: str) -> None:
    assert SECRET in repr(seen(sqs, KINDS[kind], in_full=True))


def test_the_shape_of_arguments_is_shown(sqs: Any) -> None:
    change = json.loads(seen(sqs, task_body()).arguments)["args"][0]["entry"][0]["changes"][0]
    message = change["value"]["messages"][0]
    assert (change["field"], message["type"], message["timestamp"]) == ("messages", "text", "1790000000")


def test_the_form_of_a_raw_text_is_shown(sqs: Any) -> None:
    assert seen(sqs, "<a id='7'>Hello</a>").body == "<x xx='0'>xxxxx</x>"


def test_it_is_given_back_at_once(sqs: Any) -> None:
    put(sqs, *[RAW] * 12)
    look(LANE)
    assert len(look(LANE).letters) == 12


def test_whoever_is_killed_while_looking_hides_nothing_for_more_than_ten_seconds(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sqs, RAW)
    asked = []
    receive = sampling.receive

    def spied(*args: Any, hide_s: int, limit: int) -> Any:
        asked.append(hide_s)
        return receive(*args, hide_s=hide_s, limit=limit)

    monkeypatch.setattr(sampling, "receive", spied)
    look(LANE)
    assert asked == [10]


def test_a_look_raises_the_receive_count(sqs: Any) -> None:
    put(sqs, RAW)
    assert [look(LANE).letters[0].receive_count for _ in range(2)] == [1, 2]


def test_what_was_sent_first_is_at_the_top(sqs: Any) -> None:
    first = put(sqs, RAW)
    time.sleep(0.01)
    put(sqs, *[RAW] * 11)
    letters = look(LANE).letters
    assert letters[0].message_id == first[0]
    assert sorted(letters, key=lambda letter: letter.sent_at) == letters


def test_no_more_than_200_are_looked_at(sqs: Any) -> None:
    url = LANE.dlq_url
    for _ in range(21):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(10)])
    found = look(LANE)
    assert (len(found.letters), found.total) == (200, 210)


def test_an_empty_queue_is_an_empty_look(sqs: Any) -> None:
    assert look(LANE).letters == []


def test_the_last_failure_is_shown_with_its_task(sqs: Any) -> None:
    TaskFailure.objects.create(task_id="t-7", task="messaging.receive", error="IntegrityError")
    letter = seen(sqs, task_body(id="t-7"))
    assert letter.failure is not None
    assert letter.failure.error == "IntegrityError"


@pytest.mark.parametrize("task_id", ["a\0b", "x" * 5000, ""])
def test_a_strange_task_id_breaks_nothing(sqs: Any, task_id: str) -> None:
    put(sqs, task_body(id=task_id))
    assert len(look(LANE).letters) == 1


def test_message_attributes_are_seen_as_they_can_be_sent(sqs: Any) -> None:
    put(sqs, RAW, MessageAttributes={"who": {"DataType": "String", "StringValue": "me"}})
    (message,) = sampling.sample(sqs, LANE.dlq_url).messages
    assert message.attributes == {"who": {"DataType": "String", "StringValue": "me"}}
    assert len(on(sqs, LANE.dlq_url)) == 1
