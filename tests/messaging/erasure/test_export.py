"""A person's export holds everything that is known, and nothing of anybody else."""

import json
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from messaging.erasure.erase import CannotEraseYet, erase
from messaging.erasure.export import Exported, export
from messaging.erasure.person import person_of
from messaging.media import storage
from messaging.media_states import State
from messaging.models import AuditEntry, Contact, Media, Message
from messaging.states import Status
from messaging.whatsapp.recipients import canonical
from tests.messaging.erasure.personal_rows import BYSTANDER, NAME, NUMBER, TEXT, WRITTEN
from tests.messaging.factories import in_state

pytestmark = pytest.mark.usefixtures("planted")


@pytest.fixture
def archive(tmp_path: Path) -> zipfile.ZipFile:
    """The export of the planted person."""
    export(person_of(WRITTEN), tmp_path / "person.zip")
    return zipfile.ZipFile(tmp_path / "person.zip")


def text_of(archive: zipfile.ZipFile) -> str:
    """All parts."""
    return "".join(archive.read(name).decode() for name in archive.namelist())


def test_the_parts_are_there(archive: zipfile.ZipFile) -> None:
    names = {name for name in archive.namelist() if not name.startswith("files/")}
    assert names == {
        "contacts.json", "messages.json", "events.json", "unknown_updates.json", "orphan_statuses.json",
        "account_events.json", "whatsapp_ids.json", "opened_recipients.json",
    }  # fmt: skip


def test_every_message_is_there_with_its_text(archive: zipfile.ZipFile) -> None:
    assert [row["text"] for row in json.loads(archive.read("messages.json"))] == [TEXT] * 3


def test_the_rows_of_other_tables_have_these_columns(archive: zipfile.ZipFile) -> None:
    names = ("unknown_updates", "orphan_statuses", "account_events", "whatsapp_ids", "opened_recipients")
    columns = {name: [list(row) for row in json.loads(archive.read(f"{name}.json"))] for name in names}
    assert columns == {
        "unknown_updates": [["raw", "received_at"]], "orphan_statuses": [["raw", "received_at"]],
        "account_events": [["raw", "received_at"]], "whatsapp_ids": [["phone", "wa_id", "learned_at"]],
        "opened_recipients": [["peer", "opened_at"]],
    }  # fmt: skip


def test_messages_come_in_their_order_with_their_raw_pieces(archive: zipfile.ZipFile) -> None:
    rows = json.loads(archive.read("messages.json"))
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert [row["raw"] is None for row in rows] == [False, False, True]


def test_the_parts_of_an_archive_are_compressed_with_64_bit_sizes(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    # The version of the format that has 64-bit sizes.
    assert {(part.compress_type, part.extract_version) for part in parts} == {(zipfile.ZIP_DEFLATED, 45)}


def test_texts_are_readable_in_every_script(tmp_path: Path) -> None:
    Contact.objects.filter(phone=NUMBER).update(name="王小明")
    export(person_of(WRITTEN), tmp_path / "person.zip")
    assert "王小明" in zipfile.ZipFile(tmp_path / "person.zip").read("contacts.json").decode()


def test_an_export_reports_its_progress(tmp_path: Path) -> None:
    progress: list[int] = []
    export(person_of(WRITTEN), tmp_path / "person.zip", progress.append)
    assert progress == [1, 2, 3]


def stored_file(message: Message, content: bytes | None, state: State = State.STORED) -> None:
    """A file of the message; None: the storage has lost it."""
    name = f"2026/01/02/{message.pk}"
    if content is not None:
        storage().save(name, ContentFile(content))
    Media.objects.update_or_create(
        message=message, defaults={"kind": "image", "state": state, "name": name, "give_up_at": timezone.now()}
    )


def test_only_stored_files_of_the_person_are_exported_and_all_lost_ones_counted(tmp_path: Path) -> None:
    *mine, bystanders = [
        *Message.objects.exclude(peer=BYSTANDER).order_by("pk"),
        *in_state_of(4),
        Message.objects.get(peer=BYSTANDER),
    ]
    contents = (None, None, b"", b"whole", b"of old", b"failed", b"later")
    for message, content in zip(mine, contents, strict=True):
        stored_file(message, content, State.FAILED if content == b"failed" else State.STORED)
    stored_file(bystanders, b"another's")
    assert export(person_of(WRITTEN), tmp_path / "person.zip") == Exported(messages=7, lost_files=2)
    archive = zipfile.ZipFile(tmp_path / "person.zip")
    files = {name: archive.read(name) for name in archive.namelist() if name.startswith("files/")}
    assert sorted(files.values()) == [b"", b"later", b"of old", b"whole"]


def in_state_of(count: int) -> list[Message]:
    return [in_state(Status.DELIVERED, peer=canonical(NUMBER), wamid=f"wamid.MORE{n}") for n in range(count)]


def test_the_file_is_there(archive: zipfile.ZipFile) -> None:
    (name,) = [name for name in archive.namelist() if name.startswith("files/")]
    assert archive.read(name).decode() == TEXT


def test_a_file_that_the_storage_no_longer_has_keeps_nothing_else_from_the_person(tmp_path: Path, files: Path) -> None:
    for path in [path for path in files.rglob("*") if path.is_file()]:
        path.unlink()
    assert export(person_of(WRITTEN), tmp_path / "person.zip") == Exported(messages=3, lost_files=1)


def test_the_command_says_how_many_files_the_storage_no_longer_has(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in [path for path in files.rglob("*") if path.is_file()]:
        path.unlink()
    call_command("export_contact", WRITTEN, str(tmp_path / "person.zip"))
    assert "Not in it: 1 files" in capsys.readouterr().err


def test_a_storage_that_fails_is_no_fault_of_the_zip_file(tmp_path: Path, files: Path) -> None:
    (name,) = [path for path in files.rglob("*") if path.is_file()]
    name.unlink()
    name.mkdir()
    with pytest.raises(CommandError, match="storage of files failed"):
        call_command("export_contact", WRITTEN, str(tmp_path / "person.zip"))
    assert not (tmp_path / "person.zip").exists()


def test_nothing_is_written_while_sqs_is_away(tmp_path: Path, sqs_away: None) -> None:
    with pytest.raises(CommandError, match="SQS is unavailable"):
        call_command("export_contact", WRITTEN, str(tmp_path / "person.zip"))
    assert not (tmp_path / "person.zip").exists()


def test_a_person_who_may_be_known_to_dead_letters_alone_is_not_called_unknown(tmp_path: Path, sqs_away: None) -> None:
    with pytest.raises(CommandError, match="SQS is unavailable"):
        call_command("export_contact", "+49 170 000000", str(tmp_path / "person.zip"))


def test_an_erasure_ends_with_a_sentence_if_sqs_goes_away_meanwhile(request: pytest.FixtureRequest) -> None:
    with pytest.raises(CannotEraseYet, match="erase again to finish"):
        erase(person_of(WRITTEN), "ann", progress=lambda _: request.getfixturevalue("sqs_away"))


def test_the_contact_is_there(archive: zipfile.ZipFile) -> None:
    (contact,) = json.loads(archive.read("contacts.json"))
    assert (contact["name"], contact["phone"]) == (NAME, NUMBER)


def test_the_archive_has_no_other_person(archive: zipfile.ZipFile) -> None:
    assert (BYSTANDER in text_of(archive), "Bob" in text_of(archive)) == (False, False)


def test_only_its_owner_may_read_the_file(archive: zipfile.ZipFile) -> None:
    assert Path(str(archive.filename)).stat().st_mode & 0o777 == 0o600


def test_an_export_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.erasure.export._write_files", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(person_of(WRITTEN), tmp_path / "person.zip")
    assert not (tmp_path / "person.zip").exists()


def test_the_command_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "person.zip").write_text("mine")
    with pytest.raises(CommandError, match="exists"):
        call_command("export_contact", WRITTEN, str(tmp_path / "person.zip"))


def test_the_audit_log_has_the_export_without_the_person(tmp_path: Path) -> None:
    call_command("export_contact", WRITTEN, str(tmp_path / "person.zip"))
    entry = AuditEntry.objects.get(action="export")
    assert (entry.object, entry.details) == ("a person", {"messages": 3})


def test_the_command_exports_a_person_of_whom_events_alone_know(tmp_path: Path) -> None:
    Message.objects.all().delete()
    Contact.objects.all().delete()
    call_command("export_contact", WRITTEN, str(tmp_path / "person.zip"))
    assert "events.json" in zipfile.ZipFile(tmp_path / "person.zip").namelist()


def test_the_command_writes_no_file_about_a_person_of_whom_nothing_is_stored(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing is stored"):
        call_command("export_contact", "+49 170 000000", str(tmp_path / "person.zip"))
    assert not (tmp_path / "person.zip").exists()
