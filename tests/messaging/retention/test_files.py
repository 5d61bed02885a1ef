"""Old files go from the storage, and a record of them stays."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging.identifiers import first_uuid7
from messaging.media import storage
from messaging.media.records import download_again
from messaging.media_states import State
from messaging.models import FileRemoval, Media
from messaging.retention import Step, files
from messaging.retention.deletion_steps import run_step
from messaging.states import Status
from tests.messaging.plans import repeat_subqueries
from tests.messaging.retention.old_rows import days_ago, old_message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored_in(settings: Any, tmp_path: Path) -> None:
    """Files for 30 days, in a directory of the test."""
    settings.RETENTION_FILES_DAYS = 30
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": media}


def stored_file(days: float) -> Media:
    """A stored file of a message of so many days ago."""
    row = old_message(days, Status.RECEIVED, type="image")
    name = storage().save(f"2026/01/01/{row.pk}", ContentFile(b"a picture"))
    return Media.objects.create(
        message=row, kind="image", state=State.STORED, name=name, filename="ann.jpg", size=9, digest="d",
        created_at=row.at, finished_at=row.at, give_up_at=timezone.now(),
    )  # fmt: skip


def remove_all() -> None:
    """Retention, and then what `deliver` does with its outbox."""
    while run_step():
        pass
    files.record_removals([files.remove(one) for one in files.claim_removals(10)])


def test_an_old_file_is_removed_from_the_storage() -> None:
    name = stored_file(31).name
    remove_all()
    assert not storage().exists(name)


def test_a_young_file_stays() -> None:
    name = stored_file(29).name
    remove_all()
    assert storage().exists(name)


def test_a_step_reads_no_young_files() -> None:
    for days in (1, 2, 3, 29):
        stored_file(days)
    made: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        made.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        files.delete_old_files(days_ago(30), "")
    ((sql, params),) = made
    with connection.cursor() as cursor:
        # As the planner does with more rows.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN ANALYZE {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Rows Removed by Filter" not in plan


def test_a_file_that_stays_does_not_stop_the_step_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS", 1)
    Media.objects.filter(pk=stored_file(40).pk).update(state=State.FAILED)
    behind = stored_file(35)
    remove_all()
    behind.refresh_from_db()
    assert behind.state == State.DELETED


def test_the_record_says_that_the_file_was_deleted() -> None:
    media = stored_file(31)
    remove_all()
    media.refresh_from_db()
    assert (media.state, media.name, media.filename, media.size) == (State.DELETED, "", "", 9)


def test_a_deleted_file_is_not_downloaded_again() -> None:
    media = stored_file(31)
    remove_all()
    assert download_again([media.pk], "ann") == []


def test_the_page_of_its_message_says_so(admin_client: Client) -> None:
    media = stored_file(31)
    remove_all()
    page = admin_client.get(f"/admin/messaging/message/{media.pk}/change/").content.decode()
    assert ("The file was deleted." in page, "Download again" in page) == (True, False)


def test_a_file_that_the_storage_does_not_give_up_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stored_file(31)

    def refuse(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(type(storage()), "delete", refuse)
    remove_all()
    assert FileRemoval.objects.get().due_at > timezone.now()


def test_a_removal_says_whether_the_file_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.remove(files.Removal("nowhere")) == files.Removed("nowhere", True)

    def refuse(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(type(storage()), "delete", refuse)
    assert files.remove(files.Removal("x")) == files.Removed("x", False)


def test_only_files_that_are_gone_are_forgotten() -> None:
    for name in "ab":
        FileRemoval.objects.create(name=name, due_at=days_ago(1))
    files.record_removals([files.Removed("a", True), files.Removed("b", False)])
    assert FileRemoval.objects.get().name == "b"


def test_a_step_returns_its_position_and_its_count() -> None:
    position = str(UUID(int=7))
    assert files.delete_old_files(days_ago(30), "") == Step("", 0, True)
    assert files.delete_old_files(days_ago(30), position) == Step(position, 0, True)
    media = stored_file(31)
    assert files.delete_old_files(days_ago(30), "") == Step(str(media.pk), 1, True)


def test_a_file_whose_message_has_the_id_of_a_clock_that_is_ahead_is_deleted() -> None:
    cutoff = days_ago(30)
    row = old_message(30, Status.RECEIVED, id=first_uuid7(cutoff, 30_000))
    at = cutoff - timedelta(seconds=1)
    Media.objects.create(message=row, kind="image", state=State.STORED, created_at=at, finished_at=at, give_up_at=at)
    assert files.delete_old_files(cutoff, "").removed == 1


def test_a_removed_file_is_forgotten() -> None:
    stored_file(31)
    remove_all()
    assert FileRemoval.objects.count() == 0


def test_a_removal_is_claimed_once() -> None:
    FileRemoval.objects.create(name="x", due_at=days_ago(1))
    assert (len(files.claim_removals(5)), len(files.claim_removals(5))) == (1, 0)


def test_no_more_removals_are_claimed_than_asked_for() -> None:
    for n in range(5):
        FileRemoval.objects.create(name=str(n), due_at=days_ago(1))
    repeat_subqueries()
    assert len(files.claim_removals(2)) == 2
