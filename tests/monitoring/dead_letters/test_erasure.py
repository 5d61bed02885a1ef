"""Dead letters that mention an erased person are discarded; the others stay."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from messaging.erasure import CannotReadYet
from messaging.erasure.erase import CannotEraseYet, erase
from messaging.erasure.person import person_of
from messaging.incoming.store import receive
from messaging.incoming.tasks import receive as task
from monitoring.dead_letters import erasure
from monitoring.models import RedriveJob
from tests.messaging.bodies import inbound_text, webhook
from tests.monitoring.dead_letters.bodies import finished, on, put, task_body
from waproject.queues import LANES
from waproject.sqs import control, sampling

ANN, BOB = "15551230001", "15551230002"


@pytest.fixture
def letters(db: None, sqs: Any) -> Any:
    """A dead letter of Ann's and one of Bob's, and Ann's contact."""
    receive(webhook(inbound_text(sender=ANN)))
    put(sqs, *(task_body(task, webhook(inbound_text(f"wamid.{sender}", sender=sender))) for sender in (ANN, BOB)))
    return sqs


def test_only_the_persons_dead_letters_are_discarded(letters: Any) -> None:
    erase(person_of(ANN), "ann")
    finished(RedriveJob.objects.get())
    left = [json.loads(message["Body"]) for message in on(letters, LANES["incoming"].dlq_url)]
    assert len(left) == 1


@pytest.mark.parametrize(
    "body",
    [
        f"call +{ANN}: at nine", f'{{"text": "电话{ANN}"}}', json.dumps({"text": f"电话{ANN}"}),
        json.dumps({"text": f"Ann:\n{ANN}"}), "[" * 200 + f'"{ANN}"' + "]" * 200,
    ],
    ids=["text", "JSON", "escaped JSON", "line break", "never decoded"],
)  # fmt: skip
def test_a_dead_letter_of_any_form_that_mentions_the_person_is_discarded(body: str, db: None, sqs: Any) -> None:
    receive(webhook(inbound_text(sender=ANN)))
    put(sqs, body)
    erase(person_of(ANN), "ann")
    assert finished(RedriveJob.objects.get()).done == 1


def test_the_export_holds_the_persons_dead_letter(letters: Any) -> None:
    found = list(erasure.dead_letters_of(person_of(ANN)))
    assert [(one["lane"], ANN in str(one["arguments"]), BOB in str(one["arguments"])) for one in found] == [
        ("incoming", True, False)
    ]


@pytest.fixture
def one_seen(letters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the two dead letters, one alone can be read."""
    sample = sampling.sample
    monkeypatch.setattr(sampling, "sample", lambda sqs, url: sample(sqs, url, 1))


def test_nothing_is_exported_while_more_dead_letters_wait_than_can_be_seen(one_seen: None) -> None:
    with pytest.raises(CannotReadYet, match=r"incoming has more messages \(2\) than can be read \(1\)"):
        list(erasure.dead_letters_of(person_of(ANN)))


def test_nothing_is_erased_while_more_dead_letters_wait_than_can_be_seen(one_seen: None) -> None:
    with pytest.raises(CannotEraseYet, match="redrive or discard"):
        erase(person_of(ANN), "ann")


def test_nothing_is_erased_while_sqs_is_away(letters: Any, sqs_away: None) -> None:
    with pytest.raises(CannotEraseYet, match="SQS is unavailable"):
        erase(person_of(ANN), "ann")


def test_dead_letters_of_every_lane_are_discarded_and_exported(letters: Any) -> None:
    put(letters, f"call +{ANN}", f"again +{ANN}", lane="analytics")
    ann = person_of(ANN)
    found = list(erasure.dead_letters_of(ann))
    assert [(one["lane"], one["arguments"]) for one in found[1:]] == [
        ("analytics", f"call +{ANN}"), ("analytics", f"again +{ANN}"),
    ]  # fmt: skip
    assert all(one["sent_at"] for one in found)
    assert erasure.refusal(ann) == ""
    assert erasure.discard(ann) == 3
    jobs = RedriveJob.objects.order_by("lane").values_list("lane", "action", "requested_by", "total")
    assert list(jobs) == [("analytics", "discard", "erasure", 2), ("incoming", "discard", "erasure", 1)]


@pytest.mark.parametrize(
    ("sender", "lane", "refusal"),
    [
        (ANN, "incoming", "Dead letters of incoming are being moved. Erase again in a minute."),
        (ANN, "outgoing", ""),
        ("15551230003", "incoming", ""),
    ],
    ids=["hers", "another lane", "another person"],
)
def test_dead_letters_that_are_being_moved_are_not_erased(sender: str, lane: str, refusal: str, letters: Any) -> None:
    receive(webhook(inbound_text("wamid.other", sender=sender)))
    RedriveJob.objects.create(lane=lane, action="redrive", requested_by="x")
    assert erasure.refusal(person_of(sender)) == refusal


def test_each_lane_is_read_within_four_seconds(letters: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def sample(*given: Any) -> sampling.Sample:
        asked.append(given)
        return sampling.Sample([], control.Depth(0, 0, 0))

    settings.AWS_REGION = "eu-central-1"
    monkeypatch.setattr(control, "client", lambda *given: given)
    monkeypatch.setattr(sampling, "sample", sample)
    assert erasure.discard(person_of(ANN)) == 0
    assert asked == [(("eu-central-1", 4.0), lane.dlq_url) for lane in LANES.values()]
    assert not RedriveJob.objects.exists()


def test_the_refusal_while_sqs_is_away_says_what_to_do(letters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr(sampling, "sample", away)
    assert erasure.refusal(person_of(ANN)) == (
        "SQS is unavailable, so dead letters cannot be read. Repeat once it answers."
    )
