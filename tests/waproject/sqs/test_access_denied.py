"""A request that was refused for lack of a permission is named once a minute."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.processes import CHECKOUT
from waproject.sqs import access_denied


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    access_denied.reset()
    yield
    access_denied.reset()


@pytest.mark.parametrize(
    ("code", "denied"),
    [
        ("AccessDenied", True),
        ("AccessDeniedException", True),
        ("KmsAccessDenied", True),
        ("KMS.AccessDeniedException", True),
        ("403", True),
        ("404", False),
        ("ThrottlingException", False),
        ("QueueDoesNotExist", False),
        ("", False),
    ],
)
def test_only_a_missing_permission_is_a_denial(code: str, denied: bool) -> None:
    assert access_denied.is_denied(code) is denied


@pytest.mark.parametrize(
    ("service", "action", "permission"),
    [
        ("sqs", "SendMessageBatch", "sqs:SendMessage"),
        ("sqs", "ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"),
        ("sqs", "GetQueueAttributes", "sqs:GetQueueAttributes"),
        ("s3", "PutObject", "s3:PutObject"),
        ("s3", "UploadPart", "s3:PutObject"),
        ("s3", "HeadObject", "s3:GetObject (for a file that is gone: s3:ListBucket)"),
    ],
)
def test_the_permission_has_the_name_that_iam_gives_it(service: str, action: str, permission: str) -> None:
    assert access_denied.permission(service, action) == permission


def test_a_permission_is_named_once_and_another_one_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    for action in ("SendMessage", "SendMessageBatch", "ReceiveMessage"):
        access_denied.report("sqs", action, "https://sqs.us-east-1.amazonaws.com/1/incoming", "AccessDenied")
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "not permitted: sqs:SendMessage on incoming",
        "not permitted: sqs:ReceiveMessage on incoming",
    ]


def test_the_key_of_a_queue_is_named_as_the_key(caplog: pytest.LogCaptureFixture) -> None:
    access_denied.report("sqs", "ReceiveMessage", "https://sqs.us-east-1.amazonaws.com/1/incoming", "KmsAccessDenied")
    assert "not permitted: the KMS key, for sqs:ReceiveMessage, on incoming" in caplog.text


@pytest.mark.parametrize(
    ("service", "action", "parameters", "line"),
    [
        ("sqs", "receive_message", {"QueueUrl": "https://sqs/1/q"}, "sqs:ReceiveMessage on q (AccessDenied)"),
        ("sqs", "create_queue", {"QueueName": "new"}, "sqs:CreateQueue on new (AccessDenied)"),
        ("sqs", "list_queues", {}, "sqs:ListQueues on * (AccessDenied)"),
        ("sqs", "list_message_move_tasks", {"SourceArn": "arn:aws:sqs:eu:1:dlq"},
         "sqs:ListMessageMoveTasks on dlq (AccessDenied)"),
        ("s3", "get_object", {"Bucket": "files", "Key": "k"},
         "s3:GetObject (for a file that is gone: s3:ListBucket) on files (AccessDenied)"),
    ],
)  # fmt: skip
def test_a_watched_client_reports_what_it_is_refused(
    service: str, action: str, parameters: dict[str, str], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = boto3.session.Session("k", "s", region_name="eu-west-1").client(service)
    access_denied.watch(client)
    with Stubber(client) as stub, pytest.raises(ClientError):
        stub.add_client_error(action, "AccessDenied")
        getattr(client, action)(**parameters)
    assert f"not permitted: {line}." in caplog.text


@pytest.mark.parametrize("code", ["QueueDoesNotExist", ""])
def test_a_watched_client_reports_no_other_error(code: str, caplog: pytest.LogCaptureFixture) -> None:
    client = boto3.session.Session("k", "s", region_name="eu-west-1").client("sqs")
    access_denied.watch(client)
    with Stubber(client) as stub, pytest.raises(ClientError):
        stub.add_client_error("list_queues", code)
        client.list_queues()
    assert caplog.text == ""


def test_a_permission_is_named_again_after_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((1000.0, 1059.9, 1060.0))
    monkeypatch.setattr("waproject.sqs.access_denied.time.monotonic", lambda: next(times))
    for _ in range(3):
        access_denied.report("sqs", "SendMessage", "https://sqs/1/q", "AccessDenied")
    assert len(caplog.records) == 2


def test_the_document_has_the_section() -> None:
    page, _, section = access_denied.DOCUMENT.partition("#")
    headings = [line.lstrip("# ").lower() for line in (CHECKOUT / page).read_text().splitlines() if line[:1] == "#"]
    assert section in headings
