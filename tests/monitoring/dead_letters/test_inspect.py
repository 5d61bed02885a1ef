"""Inspection of a dead-letter queue: explains each message, removes none, shows no message text."""

import json
import time
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from messaging.incoming.tasks import receive
from messaging.outgoing.tasks import revive, send
from messaging.states import Status
from monitoring.dead_letters.inspect import (
    DeadLetter,
    Decoded,
    OutboundMessage,
    audit_details,
    decode,
    inspect_queue,
    message_ids,
)
from monitoring.models import TaskFailure
from tests.messaging.factories import in_state
from tests.monitoring.dead_letters.bodies import (
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
from waproject.sqs import control, sampling

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


def inspect_one(sqs: Any, body: str, in_full: bool = False) -> DeadLetter:
    put(sqs, body)
    (message,) = inspect_queue(LANE, in_full).messages
    return message


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_body_shows_a_text_or_a_phone_number(sqs: Any, kind: str) -> None:
    shown = repr(inspect_one(sqs, KINDS[kind]))
    assert [secret for secret in (SECRET, PHONE[1:]) if secret in shown] == []


@pytest.mark.parametrize(
    ("body", "decoded"),
    [
        (
            task_body(receive, {"a": 1}, id="t-7"),
            Decoded("messaging.receive", "t-7", "", [{"a": 1}], {"args": [{"a": 1}]}),
        ),
        (
            json.dumps({**json.loads(task_body(id="t-7")), "body": '[[1],{"k":2},{}]'}),
            Decoded("messaging.receive", "t-7", "", [1], {"args": [1], "kwargs": {"k": 2}}),
        ),
        (
            '{"headers": 1}',
            Decoded(
                "", "",
                "Not a task: the body is JSON, but not a Celery envelope. Another program writes to this queue.",
                [], {"headers": 1},
            ),
        ),
        (
            '{"headers": {"task": "os.system", "id": "t-8"}}',
            Decoded(
                "os.system", "t-8", "The worker rejected it: a task that does not belong on this queue.",
                [], {"headers": {"task": "os.system", "id": "t-8"}},
            ),
        ),
        (
            '{"headers": {"task": "messaging.receive", "id": "t"}, "content-type": "text/yaml"}',
            Decoded(
                "messaging.receive", "t", "The arguments are text/yaml, not JSON, and are never decoded.",
                [], {"headers": {"task": "messaging.receive", "id": "t"}, "content-type": "text/yaml"},
            ),
        ),
        (
            '{"headers": {"task": "messaging.receive", "id": "t"}, "content-type": "call Ann"}',
            Decoded(
                "messaging.receive", "t", "The worker rejected it: not JSON.",
                [], {"headers": {"task": "messaging.receive", "id": "t"}, "content-type": "call Ann"},
            ),
        ),
        (
            '{"headers": {"task": "messaging.receive", "id": "t"}}',
            Decoded(
                "messaging.receive", "t", "The worker rejected it: not JSON.",
                [], {"headers": {"task": "messaging.receive", "id": "t"}},
            ),
        ),
        (
            '{"headers": {"task": "messaging.receive", "id": 7}}',
            Decoded(
                "messaging.receive", "", "The worker rejected it: no task name or id in the headers.",
                [], {"headers": {"task": "messaging.receive", "id": 7}},
            ),
        ),
        (
            "hello",
            Decoded("", "", "Not a task: the body is not JSON. Another program writes to this queue.", []),
        ),
        ("[1]", Decoded("", "", "Not a task: the body is JSON, but not a Celery envelope.", [], [1])),
        (
            "[" * 129 + "]" * 129,
            Decoded("", "", "Not a task: it is nested deeper than 128 levels. It is never decoded.", []),
        ),
        ("\ud800", Decoded("", "", "Not a task: the body is not JSON. Another program writes to this queue.", [])),
    ],
    ids=[
        "task", "keywords", "no headers", "foreign task", "other arguments", "words as type", "no type", "number as id",
        "text", "JSON", "deep", "half a pair",
    ],
)  # fmt: skip
def test_a_body_is_decoded_as_its_worker_would(body: str, decoded: Decoded) -> None:
    assert decode(body, LANE) == decoded


def test_arguments_of_another_shape_are_a_fault() -> None:
    fault = decode(KINDS["wrong arguments"], LANE).fault
    assert fault == "The worker rejected it: the body is not [args, kwargs, embed]."


FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("task", "fault", "args", "ids"),
    [
        ("messaging.revive", "", [str(FIRST), 0], [FIRST]),
        ("messaging.revive", "", [str(FIRST), str(SECOND)], [FIRST]),
        ("messaging.revive", "", ["no id"], []),
        ("messaging.revive", "", [], []),
        ("messaging.revive", "a fault", [str(FIRST)], []),
        ("messaging.send", "", [[7, [str(FIRST), "x", str(SECOND)]]], [FIRST, SECOND]),
        ("messaging.send", "", [[7, [str(FIRST)]], [8, [str(SECOND)]]], [FIRST, SECOND]),
        ("messaging.send", "", [[7, [str(FIRST)], 3]], [FIRST]),
        ("messaging.send", "", ["text", [7], [7, "text"], [str(FIRST)], [[str(FIRST)], 7]], []),
        ("messaging.receive", "", [str(FIRST)], []),
    ],
)
def test_a_dead_letter_of_the_outgoing_lane_names_its_messages(
    task: str, fault: str, args: list[Any], ids: list[UUID]
) -> None:
    assert list(message_ids(Decoded(task, "t", fault, args))) == ids


def received(body: str) -> sampling.SampledMessage:
    now = timezone.now()
    return sampling.SampledMessage("sqs-1", "h", body, now, now, 1)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (
            task_body(revive, str(FIRST), 0, id="t-9"),
            {"sqs": "sqs-1", "task": "messaging.revive", "task_id": "t-9", "messages": [str(FIRST)]},
        ),
        (
            task_body(send, [7, [str(UUID(int=n)) for n in range(1, 13)]], id="x" * 101),
            {
                "sqs": "sqs-1", "task": "messaging.send", "task_id": "x" * 100,
                "messages": [str(UUID(int=n)) for n in range(1, 11)],
            },
        ),
        (task_body(revive, "no id", id=PHONE), {"sqs": "sqs-1", "task": "messaging.revive", "task_id": "…"}),
        (RAW, {"sqs": "sqs-1"}),
    ],
    ids=["one message", "many", "a phone number as id", "no task"],
)  # fmt: skip
def test_the_audit_log_gets_the_ids_of_a_dead_letter_and_no_content(body: str, details: dict[str, Any]) -> None:
    assert audit_details(received(body), LANES["outgoing"]) == details


@pytest.mark.parametrize(
    ("status", "generation", "revivable"), [("failed", 0, True), ("failed", 1, False), ("sent", 0, False)]
)
def test_a_dead_letter_shows_the_state_of_its_message(
    sqs: Any, status: str, generation: int, *, revivable: bool
) -> None:
    message = in_state(Status(status), error_code=2, error_title="busy")
    put(sqs, task_body(revive, str(message.pk), generation), lane="outgoing")
    put(sqs, task_body(send, [7, [str(FIRST), str(message.pk)]]), lane="outgoing")
    one, several = (found.outbound for found in inspect_queue(LANES["outgoing"]).messages)
    assert one == OutboundMessage(message.pk, status, 2, "busy", revivable)
    assert several == one


def test_a_release_of_failed_messages_shows_that_they_can_be_sent_again(sqs: Any) -> None:
    message = in_state(Status.FAILED)
    put(sqs, task_body(send, [7, [str(message.pk)]]), lane="outgoing")
    (found,) = inspect_queue(LANES["outgoing"]).messages
    assert found.outbound is not None and found.outbound.revivable


def test_a_dead_letter_has_what_sqs_knows_of_it(sqs: Any) -> None:
    before = timezone.now().replace(microsecond=0)
    message = inspect_one(sqs, "größer")
    assert (message.size, message.receive_count, message.task, message.task_id) == (8, 1, "", "")
    assert before <= message.sent_at <= message.first_received_at <= timezone.now()
    assert message.message_id and (message.failure, message.outbound) == (None, None)


def test_an_inspection_counts_at_least_what_it_has_received(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def sample(*given: Any) -> sampling.Sample:
        asked.append(given)
        return sampling.Sample([received(RAW), received(RAW)], control.Depth(1, 0, 0))

    settings.AWS_REGION = "eu-central-1"
    monkeypatch.setattr(control, "client", lambda *given: given)
    monkeypatch.setattr(sampling, "sample", sample)
    found = inspect_queue(LANE)
    assert (found.lane, found.total, asked) == ("incoming", 2, [(("eu-central-1", 4.0), LANE.dlq_url)])


def test_a_failure_belongs_to_a_task_and_not_to_another_body_with_its_id(sqs: Any) -> None:
    TaskFailure.objects.create(task_id="t-7", task="messaging.receive", error="IntegrityError")
    assert inspect_one(sqs, task_body(task="os.system", id="t-7")).failure is None


def test_of_a_long_body_the_beginning_is_shown(sqs: Any) -> None:
    put(sqs, "x" * 20_001, json.dumps(["x" * 20_001]), json.dumps(["ö" * 19_993]))
    raw, beyond, just = inspect_queue(LANE, in_full=True).messages
    assert raw.body == "x" * 20_000
    assert (len(beyond.arguments), beyond.arguments[-3:]) == (20_002, "x\n…")
    assert just.arguments == f'[\n "{"ö" * 19_993}"\n]'


def test_a_pickle_is_never_decoded(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    monkeypatch.setattr(pickle, "loads", lambda *_: pytest.fail("unpickled"))
    put(sqs, PICKLE, PICKLED_TASK)
    assert len(inspect_queue(LANE, in_full=True).messages) == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested deeper than 128 levels"),
        ('{"a":' * 500 + "1" + "}" * 500, "nested deeper than 128 levels"),
        (f"[{','.join(['[]'] * 250_000)}]", "more than 200,000 values and keys"),
        (f'{{"number": {"7" * 5_000}}}', "a number of more than 100 characters"),
        (f'{{"number": {"7" * 101}}}', "a number of more than 100 characters"),
    ],
    ids=["deep list", "deep object", "many lists", "number without end", "long number"],
)
def test_a_body_beyond_the_bounds_is_listed_and_never_decoded(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    monkeypatch.setattr(json, "loads", lambda text, **_: pytest.fail("decoded") if len(text) > 100 else {})
    fault = decode(body, LANE).fault
    monkeypatch.undo()
    shown = inspect_one(sqs, body)
    assert (words in fault, shown.fault, shown.arguments, bool(shown.body)) == (True, fault, "", True)


@pytest.mark.parametrize("kind", ["task", "raw", "foreign"])
def test_an_inspection_in_full_shows_texts(sqs: Any, kind: str) -> None:
    assert SECRET in repr(inspect_one(sqs, KINDS[kind], in_full=True))


def test_redacted_arguments_keep_their_structure(sqs: Any) -> None:
    change = json.loads(inspect_one(sqs, task_body()).arguments)["args"][0]["entry"][0]["changes"][0]
    message = change["value"]["messages"][0]
    assert (change["field"], message["type"], message["timestamp"]) == ("messages", "text", "1790000000")


def test_a_raw_text_shows_its_form(sqs: Any) -> None:
    assert inspect_one(sqs, "<a id='7'>Hello</a>").body == "<x xx='0'>xxxxx</x>"


@pytest.mark.parametrize(
    ("body", "raw", "is_decoded"), [(RAW, RAW, False), (task_body(), "", True)], ids=["raw", "task"]
)
def test_a_body_is_shown_raw_only_if_it_has_no_decoded_form(sqs: Any, body: str, raw: str, is_decoded: bool) -> None:
    message = inspect_one(sqs, body, in_full=True)
    assert (message.body, message.arguments != "") == (raw, is_decoded)


def test_an_inspection_returns_the_messages_at_once(sqs: Any) -> None:
    put(sqs, *[RAW] * 12)
    inspect_queue(LANE)
    assert len(inspect_queue(LANE).messages) == 12


def test_an_inspection_hides_messages_for_ten_seconds_at_most(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(sqs, RAW)
    hide_times = []
    receive = sampling.receive

    def spied(*args: Any, hide_s: int, limit: int) -> Any:
        hide_times.append(hide_s)
        return receive(*args, hide_s=hide_s, limit=limit)

    monkeypatch.setattr(sampling, "receive", spied)
    inspect_queue(LANE)
    assert hide_times == [10]


def test_an_inspection_raises_the_receive_count(sqs: Any) -> None:
    put(sqs, RAW)
    assert [inspect_queue(LANE).messages[0].receive_count for _ in range(2)] == [1, 2]


def test_the_oldest_message_comes_first(sqs: Any) -> None:
    first = put(sqs, RAW)
    time.sleep(0.01)
    put(sqs, *[RAW] * 11)
    messages = inspect_queue(LANE).messages
    assert messages[0].message_id == first[0]
    assert sorted(messages, key=lambda message: message.sent_at) == messages


def test_an_inspection_receives_at_most_200_messages(sqs: Any) -> None:
    url = LANE.dlq_url
    for _ in range(21):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(10)])
    inspection = inspect_queue(LANE)
    assert (len(inspection.messages), inspection.total) == (200, 210)


def test_an_empty_queue_has_no_dead_letters(sqs: Any) -> None:
    assert inspect_queue(LANE).messages == []


def test_the_last_failure_is_shown_with_its_task(sqs: Any) -> None:
    TaskFailure.objects.create(task_id="t-7", task="messaging.receive", error="IntegrityError")
    message = inspect_one(sqs, task_body(id="t-7"))
    assert message.failure is not None
    assert message.failure.error == "IntegrityError"


@pytest.mark.parametrize("task_id", ["a\0b", "x" * 5000, "", "\ud800"])
def test_an_invalid_task_id_does_not_break_the_inspection(sqs: Any, task_id: str) -> None:
    put(sqs, task_body(id=task_id))
    assert len(inspect_queue(LANE).messages) == 1


@pytest.mark.parametrize("name", ["call +4915123456789", "x" * 101, "", 5])
def test_a_text_in_place_of_a_task_name_is_not_shown(name: Any) -> None:
    assert decode(task_body(task=name), LANE).task == ""


def test_a_body_without_a_task_name_has_none() -> None:
    payload = json.loads(task_body())
    del payload["headers"]["task"]
    assert decode(json.dumps(payload), LANE).task == ""


def test_received_message_attributes_can_be_sent_again(sqs: Any) -> None:
    put(sqs, RAW, MessageAttributes={"who": {"DataType": "String", "StringValue": "me"}})
    (message,) = sampling.sample(sqs, LANE.dlq_url).messages
    assert message.attributes == {"who": {"DataType": "String", "StringValue": "me"}}
    assert len(on(sqs, LANE.dlq_url)) == 1
