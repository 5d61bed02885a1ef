"""A sandbox process whose users send files, a storage of each test's own, and fetching by hand."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.incoming.store import receive
from messaging.media.download import Downloader
from messaging.media.records import DownloadResult, claim_media, record_media, storage
from messaging.models import Media, Message
from messaging.retention import files as removals
from messaging.whatsapp.media_api import MediaApi
from tests.messaging.sandbox.process import TOKEN, Sandbox, start_with_secrets, started_port
from tests.messaging.sandbox.receiver import Receiver
from tests.waiting import PATIENCE_S

Sends = Callable[..., Message]


@pytest.fixture(scope="session")
def meta_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def meta_process(meta_receiver: Receiver) -> Iterator[Sandbox]:
    process = start_with_secrets("--port", "0", "--webhook-url", meta_receiver.url)
    yield Sandbox(started_port(process))
    process.terminate()
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert stderr == "", "the sandbox logs one line at its start, then nothing"


@pytest.fixture
def meta(meta_process: Sandbox, meta_receiver: Receiver) -> Sandbox:
    meta_process.post("/_sandbox/reset")
    meta_receiver.clear()
    return meta_process


@pytest.fixture
def webhooks(meta: Sandbox, meta_receiver: Receiver) -> Callable[..., dict[str, Any]]:
    """A user sends something; the webhook's body."""

    def send(**inbound: Any) -> dict[str, Any]:
        before = len(meta_receiver.hooks)
        meta.post("/_sandbox/inbound", {"from": "15551230001", "type": "image", **inbound})
        meta_receiver.wait_for(before + 1, lambda _: True)
        body: dict[str, Any] = json.loads(meta_receiver.hooks[-1].body)
        return body

    return send


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    """The directory of this test's files."""
    directory = tmp_path / "media"
    media = {**settings.STORAGES["media"]}
    media["OPTIONS"] = {**media["OPTIONS"], "location": str(directory)}
    settings.STORAGES = {**settings.STORAGES, "media": media}
    return directory


@pytest.fixture
def sends(db: None, files: Path, webhooks: Callable[..., dict[str, Any]]) -> Sends:
    """A user sends something and it is received; the message."""

    def send(**inbound: Any) -> Message:
        receive(webhooks(**inbound))
        return Message.objects.order_by("-id")[0]

    return send


@pytest.fixture
def media_api(meta: Sandbox) -> Iterator[MediaApi]:
    api = MediaApi(f"http://127.0.0.1:{meta.port}", "v25.0", TOKEN)
    yield api
    api.close()


@pytest.fixture
def fetch(media_api: MediaApi) -> Callable[[], list[DownloadResult]]:
    """Fetch all that is due, as the process does."""
    downloader = Downloader(lambda _: media_api)

    def go() -> list[DownloadResult]:
        tried = [downloader.download(download) for download in claim_media(50)]
        record_media(tried)
        return tried

    return go


def content_of(message: Message) -> bytes:
    """What is stored of it."""
    with storage().open(Media.objects.get(pk=message.pk).name) as file:
        return bytes(file.read())


def remove_queued_files() -> None:
    """What `deliver` does with the files that are due for removal."""
    removals.record_removals([removals.remove(one) for one in removals.claim_removals(10)])


def data(content: bytes) -> str:
    """For a `media.data` of the sandbox."""
    return base64.b64encode(content).decode()


def media_of(message: Message) -> Media:
    """Its row, read anew."""
    return Media.objects.get(pk=message.pk)
