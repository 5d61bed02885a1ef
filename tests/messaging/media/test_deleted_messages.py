"""Files whose message is deleted, or whose person is erased, while they are downloaded: none of them stays."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from messaging.erasure.erase import erase
from messaging.erasure.person import person_of
from messaging.media.download import Downloader
from messaging.media.records import claim_media, record_media
from messaging.models import FileRemoval, Media, Message
from messaging.retention import files as removals
from messaging.retention.messages import delete_old_messages
from messaging.whatsapp.media_api import MediaApi
from tests.messaging.media.conftest import Sends, media_of


def test_a_file_of_a_message_that_was_deleted_during_the_download_is_removed(
    sends: Sends, media_api: MediaApi, files: Path
) -> None:
    message = sends()
    tried = Downloader(lambda _: media_api).download(claim_media(1)[0])
    message.delete()
    record_media([tried])
    assert [path for path in files.rglob("*") if path.is_file()] == []


def test_a_file_of_a_person_who_was_erased_during_the_download_is_removed(
    sends: Sends, media_api: MediaApi, files: Path, sqs: Any
) -> None:
    message = sends()
    tried = Downloader(lambda _: media_api).download(claim_media(1)[0])
    erase(person_of(message.peer), "ann")
    record_media([tried])
    assert [path for path in files.rglob("*") if path.is_file()] == []


def erase_its_person(message: Message) -> None:
    erase(person_of(message.peer), "ann")


def delete_by_age(_: Message) -> None:
    delete_old_messages(timezone.now() + timedelta(days=1), "")


def delete_by_hand(message: Message) -> None:
    message.delete()


@pytest.mark.parametrize("delete", [erase_its_person, delete_by_age, delete_by_hand])
def test_a_file_that_a_killed_process_has_stored_is_removed_with_its_message(
    delete: Callable[[Message], None], sends: Sends, media_api: MediaApi, files: Path, sqs: Any
) -> None:
    message = sends()
    (claimed,) = claim_media(1)
    Downloader(lambda _: media_api).download(claimed)
    delete(message)
    early = removals.claim_removals(10)
    FileRemoval.objects.filter(due_at=claimed.lease_until).update(due_at=timezone.now())
    for removal in removals.claim_removals(10):
        removals.remove(removal)
    assert (early, [path for path in files.rglob("*") if path.is_file()]) == ([], [])


def test_the_file_of_a_deleted_message_is_queued_for_removal_in_the_same_transaction(
    sends: Sends, media_api: MediaApi, files: Path
) -> None:
    message = sends()
    record_media([Downloader(lambda _: media_api).download(claim_media(1)[0])])
    name = media_of(message).name
    message.delete()
    assert (list(FileRemoval.objects.values_list("name", flat=True)), (files / name).exists()) == ([name], True)


def test_a_file_that_retention_has_deleted_is_not_queued_again(sends: Sends) -> None:
    message = sends()
    Media.objects.update(state="deleted", name="")
    message.delete()
    assert not FileRemoval.objects.exists()


def test_a_late_file_that_cannot_be_removed_at_once_is_queued(sends: Sends, media_api: MediaApi, files: Path) -> None:
    message = sends()
    tried = Downloader(lambda _: media_api).download(claim_media(1)[0])
    message.delete()
    FileRemoval.objects.all().delete()
    path = files / tried.download.name
    path.unlink()
    # A directory that is not empty cannot be removed.
    (path / "more").mkdir(parents=True)
    record_media([tried])
    assert FileRemoval.objects.get().name == tried.download.name
