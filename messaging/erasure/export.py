"""Everything that is stored about a person, as a ZIP file of JSON and files."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from messaging.erasure.other_tables import CannotReadYet, other_tables
from messaging.erasure.person import Person
from messaging.media import storage
from messaging.media_states import State
from messaging.messages.serializers import MessageDetailSerializer
from messaging.models import Media

MESSAGES_AT_ONCE = 200
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exported:
    """How many messages the ZIP file holds, and how many of their files the storage no longer has."""

    messages: int
    lost_files: int


def export(person: Person, path: Path, progress: Callable[[int], None] = lambda _: None) -> Exported:
    """Write the file, readable by its owner alone.

    Raises FileExistsError and CannotReadYet. It leaves no file behind when it fails: someone might hand it on.
    """
    with path.open("xb") as target:
        path.chmod(0o600)
        try:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                _write(archive, "contacts.json", person.contacts.order_by("pk").values())
                for table in other_tables():
                    _write(archive, f"{table.name.lower().replace(' ', '_')}.json", table.rows(person))
                count = _write(archive, "messages.json", _messages(person, progress))
                lost = _write_files(archive, person)
        except BaseException:
            path.unlink()
            raise
    return Exported(count, lost)


def _messages(person: Person, progress: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    rows = person.messages.select_related("number", "media").prefetch_related("events", "attempt_set").order_by("pk")
    for done, row in enumerate(rows.iterator(MESSAGES_AT_ONCE), 1):
        yield {**MessageDetailSerializer(row).data, "raw": row.raw}
        progress(done)


def _write(archive: zipfile.ZipFile, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """A JSON list with one element a line, written as it is read; nothing for an empty one."""
    count = 0
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return 0
    with archive.open(name, "w", force_zip64=True) as part:
        for row in chain([first], iterator):
            text = json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
            part.write((",\n" if count else "[\n").encode() + text.encode())
            count += 1
        part.write(b"\n]\n")
    return count


def _write_files(archive: zipfile.ZipFile, person: Person) -> int:
    """Returns how many files the storage no longer has: the person still gets everything else."""
    lost = 0
    stored = Media.objects.filter(message__in=person.messages, state=State.STORED).order_by("pk")
    for media in stored.iterator():
        pieces = _pieces(media.name)
        try:
            first = next(pieces, b"")
        except FileNotFoundError:
            lost += 1  # removed by retention, or by someone at the storage
            continue
        with archive.open(f"files/{media.pk}", "w", force_zip64=True) as part:
            for piece in chain([first], pieces):
                part.write(piece)
    return lost


def _pieces(name: str) -> Iterator[bytes]:
    try:
        with storage().open(name) as source:
            while piece := source.read(PIECE):
                yield piece
    except FileNotFoundError:
        raise
    except Exception as error:  # storage back ends raise errors of any type
        why = f"The storage of files failed ({type(error).__name__}). Repeat once it answers."
        raise CannotReadYet(why) from error
