"""Everything that is stored about a person, as a ZIP file of JSON and files."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from messaging.erasure.other_tables import other_tables
from messaging.erasure.person import Person
from messaging.media import storage
from messaging.media_states import State
from messaging.messages.serializers import MessageDetailSerializer
from messaging.models import Media

MESSAGES_AT_ONCE = 200


def export(person: Person, path: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Write the file, readable by its owner alone, and return how many messages it holds.

    Raises FileExistsError, and leaves no file behind when it fails.
    """
    with path.open("xb") as target:
        path.chmod(0o600)
        try:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                _write(archive, "contacts.json", person.contacts.order_by("pk").values())
                for table in other_tables():
                    _write(archive, f"{table.name.lower().replace(' ', '_')}.json", table.rows(person))
                count = _write(archive, "messages.json", _messages(person, progress))
                _write_files(archive, person)
        except BaseException:
            path.unlink()
            raise
    return count


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


def _write_files(archive: zipfile.ZipFile, person: Person) -> None:
    stored = Media.objects.filter(message__in=person.messages, state=State.STORED).order_by("pk")
    for media in stored.iterator():
        try:
            source = storage().open(media.name)
        except FileNotFoundError:
            # Retention, or someone at the storage, has removed it: the person still gets everything else.
            continue
        with source, archive.open(f"files/{media.pk}", "w", force_zip64=True) as part:
            shutil.copyfileobj(source, part)
