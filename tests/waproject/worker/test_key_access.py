"""A process whose role may not use the KMS key ends at its start, with a sentence."""

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage

from deploy.local import procfile
from testkit.ports import free_port
from tests.processes import CHECKOUT
from tests.servers.http import Handler, serving
from tests.waproject.test_startup_errors import production, started
from waproject.environment.file_storage import media_storage
from waproject.queues import LANES
from waproject.sqs import publisher
from waproject.worker.key_access import refuse_without_key

COMMANDS = procfile.read(CHECKOUT / "Procfile")
KEY = "arn:aws:kms:us-east-1:000000000000:key/8a6f0c3e-0000-4000-8000-000000000000"
S3_REFUSAL = (
    b"<Error><Code>AccessDenied</Code><Message>not authorized to perform: kms:GenerateDataKey</Message></Error>"
)


class Aws(ThreadingHTTPServer):
    """SQS and S3 that answer each request with `code`; there is no local server that knows KMS."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.code = "KmsAccessDenied"


class _Handler(Handler):
    server: Aws

    def do_POST(self) -> None:
        self._refuse(400, json.dumps({"__type": f"com.amazonaws.sqs#{self.server.code}", "message": "no"}).encode())

    def do_PUT(self) -> None:
        self._refuse(403, S3_REFUSAL)

    def do_HEAD(self) -> None:
        self._refuse(404, b"")

    def _refuse(self, status: int, body: bytes) -> None:
        self.body()
        self.answer(status, body)


@pytest.fixture
def aws() -> Iterator[Aws]:
    server = Aws()
    with serving(server):
        yield server


@pytest.fixture
def asked(aws: Aws, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """That server instead of SQS and S3."""
    settings.SQS_KMS_KEY_ARN, settings.MEDIA_S3_BUCKET = KEY, "files"
    settings.STORAGES = {**settings.STORAGES, "media": media_storage(Path("x"), "files", "", aws.url, "us-east-1")}
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    publisher.reset_shared()
    return aws


@pytest.mark.parametrize("process", [name for name in COMMANDS if name != "flower"])
def test_each_process_names_the_key_and_the_document(process: str, asked: Aws) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"{process} may not .*{KEY}.*docs/deploy.md"):
        refuse_without_key(process)


def test_flowers_queues_are_not_encrypted_with_the_key(asked: Aws) -> None:
    refuse_without_key("flower")


@pytest.mark.parametrize("process", [name for name in COMMANDS if name not in ("flower", "deliver")])
@pytest.mark.parametrize("code", ["KmsThrottled", "AccessDenied", "InternalError"])
def test_an_error_that_is_not_about_the_key_is_ignored(process: str, code: str, asked: Aws) -> None:
    asked.code = code
    refuse_without_key(process)


@pytest.mark.parametrize("process", COMMANDS)
def test_without_a_key_of_ones_own_nothing_is_asked(process: str, settings: Any) -> None:
    settings.SQS_KMS_KEY_ARN = ""
    refuse_without_key(process)


# One of each kind: gunicorn, a worker, beat, a command.
@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.parametrize("process", ["web", "incoming", "beat", "dispatcher"])
def test_the_process_ends_with_the_sentence_and_without_a_traceback(process: str, aws: Aws, tmp_path: Path) -> None:
    # A database that does not answer says nothing about its schema, which would be checked first.
    database = f"postgres://nobody:x@127.0.0.1:{free_port()}/nothing"
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL_SQS": aws.url, "SQS_HTTP": "true"}
    env = production(tmp_path, DATABASE_URL=database, SQS_KMS_KEY_ARN=KEY, **keys)
    done = started(COMMANDS[process], env)
    assert (done.returncode != 0, "Traceback" in done.stderr) == (True, False), done.stderr
    assert f"{process} may not use the KMS key {KEY}" in done.stderr


def test_the_message_that_a_worker_looks_at_stays_visible(sqs: Any, settings: Any) -> None:
    settings.SQS_KMS_KEY_ARN = KEY
    url = LANES["incoming"].url
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="{}")
    refuse_without_key("incoming")
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 2


@pytest.mark.parametrize(
    ("process", "lane", "task"),
    [
        ("dispatcher", "outgoing", "messaging.send"),
        *((name, "analytics", "analytics.sweep_message_events") for name in ("web", "monitor", "beat")),
    ],
)
def test_a_process_that_publishes_sends_a_task_that_does_nothing(
    process: str, lane: str, task: str, sqs: Any, settings: Any
) -> None:
    settings.SQS_KMS_KEY_ARN = KEY
    publisher.reset_shared()
    refuse_without_key(process)
    (message,) = sqs.receive_message(QueueUrl=LANES[lane].url, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["headers"]["task"] == task


class Files(FileSystemStorage):
    """Files of a directory; notes what is saved."""

    saved: list[tuple[str, bytes]]

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        self.saved.append((str(name), content.read()))
        return str(super().save(name, content, max_length))


def test_the_file_that_deliver_writes_is_empty_and_deleted(settings: Any, tmp_path: Path) -> None:
    Files.saved = []
    settings.SQS_KMS_KEY_ARN, settings.MEDIA_S3_BUCKET = KEY, "files"
    storage = {"BACKEND": f"{__name__}.Files", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": storage}
    refuse_without_key("deliver")
    assert (Files.saved, list(tmp_path.iterdir())) == ([("started", b"")], [])


@pytest.mark.parametrize(
    ("process", "sentence"),
    [
        (
            "incoming",
            f"incoming may not use the KMS key {KEY} (SQS answered KmsAccessDenied): its role needs kms:Decrypt, to "
            "send also kms:GenerateDataKey, and the key's policy must leave that to IAM (docs/deploy.md).",
        ),
        (
            "deliver",
            "deliver may not write to the bucket files (S3 answered AccessDenied): its role needs s3:PutObject, and "
            f"kms:GenerateDataKey and kms:Decrypt for the KMS key {KEY} (docs/deploy.md).",
        ),
    ],
)
def test_the_sentence_names_the_permissions_that_are_missing(process: str, sentence: str, asked: Aws) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        refuse_without_key(process)
    assert str(refused.value) == sentence


def test_deliver_without_a_bucket_writes_nothing(asked: Aws, settings: Any) -> None:
    settings.MEDIA_S3_BUCKET = ""
    refuse_without_key("deliver")
