"""Where files are kept: a directory, or a bucket by settings alone."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from django.core.exceptions import ImproperlyConfigured
from rest_framework.test import APIClient

from deploy.local.sqs import Sqs
from messaging.media.records import storage
from messaging.models import Message
from testkit.ports import free_port
from tests.environment import VAR_DIR
from tests.messaging.media.conftest import data, media_of
from waproject.environment.file_storage import media_limits, media_storage

PHOTO = bytes(range(256)) * 20_000


class S3(Sqs):
    """The same server, for buckets."""

    def __init__(self, state_dir: Path, port: int) -> None:
        super().__init__(state_dir, port)
        self.env = {**self.env, "SERVICES": "sqs,s3"}


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3]:
    server = S3(VAR_DIR / "s3", free_port())
    server.start()
    client = boto3.client("s3", endpoint_url=server.endpoint_url, region_name="us-east-1")
    client.create_bucket(Bucket="files")
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server: S3, settings: Any, tmp_path: Path) -> Any:
    """The bucket that the settings name; what is in it by name."""
    media = media_storage(tmp_path, "files", "wa", s3_server.endpoint_url, "us-east-1")
    settings.STORAGES = {**settings.STORAGES, "media": media}
    return boto3.resource("s3", endpoint_url=s3_server.endpoint_url, region_name="us-east-1").Bucket("files")


def test_a_file_is_stored_in_the_bucket_and_read_by_ranges(
    db: None, bucket: Any, webhooks: Callable[..., Any], fetch: Callable[[], Any], api: APIClient
) -> None:
    from messaging.incoming.store import receive

    receive(webhooks(media={"data": data(PHOTO), "mime_type": "image/jpeg"}))
    fetch()
    message = Message.objects.get()
    part = api.get(f"/messaging/messages/{message.pk}/media", headers={"Range": "bytes=1000-1999"})
    keys = [each.key for each in bucket.objects.all()]
    assert keys == [f"wa/{media_of(message).name}"]
    assert (part.status_code, b"".join(part.streaming_content) == PHOTO[1000:2000]) == (206, True)  # type: ignore[attr-defined]


@pytest.fixture
def stored(db: None, bucket: Any, webhooks: Callable[..., Any], fetch: Callable[[], Any]) -> Message:
    """A message whose photo is in the bucket."""
    from messaging.incoming.store import receive

    receive(webhooks(media={"data": data(PHOTO), "mime_type": "image/jpeg"}))
    fetch()
    return Message.objects.get()


def vanish(bucket: Any, key: str) -> None:
    bucket.Object(key).delete()


def fall_silent(*_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="http://bucket")


@pytest.mark.parametrize(("happen", "status"), [(vanish, 410), (fall_silent, 503)])
def test_a_file_that_the_bucket_announces_and_does_not_give_is_no_broken_answer(
    happen: Callable[..., None], status: int, bucket: Any, stored: Message, api: APIClient
) -> None:
    key = f"wa/{media_of(stored).name}"
    # Between the HEAD, which opens the file, and the GET.
    storage().bucket.meta.client.meta.events.register(  # type: ignore[attr-defined]
        "before-call.s3.GetObject", lambda **_: happen(bucket, key)
    )
    assert api.get(f"/messaging/messages/{stored.pk}/media").status_code == status


def test_in_the_bucket_too_a_second_file_replaces_the_first(bucket: Any) -> None:
    names = {storage().save("twice", io.BytesIO(content)) for content in (b"first", b"second")}
    with storage().open("twice") as file:
        assert (names, file.read()) == ({"twice"}, b"second")


def test_a_file_that_is_missing_in_the_bucket_is_not_found(bucket: Any) -> None:
    with pytest.raises(FileNotFoundError):
        storage().open("nothing", "rb")


def test_limits_are_read_by_kind() -> None:
    assert media_limits("X", ["document=20000000", " image=1 "]) == {"document": 20_000_000, "image": 1}


@pytest.mark.parametrize("text", ["photo=1", "image", "image=0", "image=-1", "image=many"])
def test_an_invalid_limit_is_named(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="WA_MEDIA_LIMITS"):
        media_limits("WA_MEDIA_LIMITS", [text])
