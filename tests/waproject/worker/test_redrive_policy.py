"""No process starts on a queue without a DLQ; other faults of redrive policies are reported; SQS may be away."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from deploy.local import procfile
from testkit.ports import free_port
from tests.processes import CHECKOUT
from tests.waproject.test_startup_errors import production, started
from waproject.queues import LANES
from waproject.sqs import control
from waproject.sqs.control import RedrivePolicy
from waproject.worker import redrive_policy

COMMANDS = procfile.read(CHECKOUT / "Procfile")
LANE = LANES["incoming"]
SENTENCE = (
    "The queue test-incoming has no RedrivePolicy, so a task that always fails would be lost: set one with the "
    "dead-letter queue test-incoming-dlq and maxReceiveCount 10 (docs/deploy.md)."
)
DLQ = "test-incoming-dlq"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (RedrivePolicy(DLQ, 10), ""),
        (None, SENTENCE),
        (
            RedrivePolicy("elsewhere", 10),
            "The RedrivePolicy of the queue 'incoming' moves messages to elsewhere, which nothing monitors: change it "
            "to test-incoming-dlq, or set SQS_INCOMING_DLQ_URL to the other one.",
        ),
        (
            RedrivePolicy(DLQ, 3),
            "The RedrivePolicy of the queue 'incoming' has maxReceiveCount 3, but its back-off needs 10 to outlast an "
            "outage of an hour. Set maxReceiveCount to 10.",
        ),
    ],
)
def test_a_wrong_redrive_policy_is_described(policy: RedrivePolicy | None, words: str) -> None:
    assert redrive_policy.fault(LANE, policy) == words


def test_created_queues_have_the_right_redrive_policy(sqs: Any) -> None:
    assert redrive_policy.faults(LANES.values()) == []


@pytest.fixture
def without_policy(sqs: Any) -> Iterator[None]:
    """The incoming queue loses its policy for a test."""
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes={"RedrivePolicy": ""})
    yield
    call_command("create_queues")


def test_a_queue_without_a_redrive_policy_is_reported(without_policy: None) -> None:
    (words,) = redrive_policy.faults(LANES.values())
    assert words == SENTENCE


@pytest.mark.parametrize("process", ["web", "incoming", "dispatcher", "monitor", "flower"])
def test_a_process_does_not_start_without_the_dlq_of_a_queue_that_it_uses(process: str, without_policy: None) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        redrive_policy.refuse_queues_without_dlq(process)
    assert str(refused.value) == SENTENCE


@pytest.mark.parametrize("process", ["outgoing", "analytics", "deliver", "beat"])
def test_a_process_starts_without_the_dlq_of_a_queue_that_it_does_not_use(process: str, without_policy: None) -> None:
    redrive_policy.refuse_queues_without_dlq(process)


def test_each_process_of_the_procfile_that_uses_a_queue_checks_it() -> None:
    assert redrive_policy.USED.keys() == COMMANDS.keys() - {"deliver"}


# One of each kind: gunicorn, a worker, a command, Flower; beat asks as a worker does.
@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.parametrize("process", ["web", "incoming", "dispatcher", "flower"])
def test_the_process_ends_with_the_sentence_and_without_a_traceback(
    process: str, without_policy: None, tmp_path: Path
) -> None:
    # A database that does not answer says nothing about its schema, which would be checked first.
    here = {name: value for name, value in os.environ.items() if name.startswith(("SQS_", "AWS_"))}
    here |= {"DATABASE_URL": f"postgres://nobody:x@127.0.0.1:{free_port()}/nothing", "SQS_HTTP": "true"}
    flower = {"SQS_MONITOR_QUEUE_URL": LANE.url.replace("incoming", "monitor"), "FLOWER_BASIC_AUTH": "ops:password"}
    done = started(COMMANDS[process], production(tmp_path, **here, **flower))
    assert done.returncode != 0
    assert SENTENCE in done.stderr.splitlines()
    assert "Traceback" not in done.stderr


def test_a_worker_warns_of_a_policy_that_gives_up_too_early(
    sqs: Any, without_policy: None, caplog: pytest.LogCaptureFixture
) -> None:
    dlq = f'{{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:{DLQ}", "maxReceiveCount": "3"}}'
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes={"RedrivePolicy": dlq})
    redrive_policy.refuse_queues_without_dlq("incoming")
    assert "has maxReceiveCount 3" in caplog.text


def test_the_deployment_check_warns(without_policy: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check", deploy=True)
    assert "waproject.W001" in capsys.readouterr().err


def test_queues_are_not_judged_while_sqs_is_unavailable(sqs_away: None) -> None:
    control.client.cache_clear()
    assert redrive_policy.faults(LANES.values()) == []
    redrive_policy.refuse_queues_without_dlq("web")
    control.client.cache_clear()


def refusing(error: Exception, asked: list[str]) -> Any:
    def ask(_: Any, url: str) -> None:
        asked.append(url)
        raise error

    return ask


@pytest.mark.parametrize(
    ("error", "asked"),
    [(ClientError({}, "x"), list(LANES)), (EndpointConnectionError(endpoint_url="x"), list(LANES)[:1])],
)
def test_a_queue_that_cannot_be_asked_about_is_skipped_and_all_are_if_sqs_is_away(
    error: Exception, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[str] = []
    monkeypatch.setattr(control, "redrive_policy", refusing(error, urls))
    assert redrive_policy.faults(LANES.values()) == []
    assert urls == [LANES[name].url for name in asked]
