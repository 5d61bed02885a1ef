"""`manage.py export_contact`: everything that is stored about a person, as a ZIP file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.access import record_action
from messaging.erasure.export import export
from messaging.erasure.other_tables import CannotReadYet, is_elsewhere
from messaging.erasure.person import person_of


class Command(BaseCommand):
    """Writes one file, readable by its owner alone."""

    help = "Write everything that is stored about a person into a ZIP file of JSON and files."

    def add_arguments(self, parser: Any) -> None:
        """The person and the file."""
        parser.add_argument("person", help="a phone number in any spelling, or a user id")
        parser.add_argument("file", type=Path, help="the ZIP file to write; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, and say what it holds."""
        person = person_of(options["person"])
        if not person.peers:
            raise CommandError("This is neither a phone number nor a user id.")
        try:
            if not person.contact_ids and not person.messages.exists() and not is_elsewhere(person):
                raise CommandError("Nothing is stored about anyone with this number or user id.")
            done = export(person, options["file"], self._show)
        except CannotReadYet as error:
            raise CommandError(f"Nothing was written. {error}") from None
        except FileExistsError:
            raise CommandError(f"{options['file']} exists: name a new file.") from None
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from None
        record_action("manage.py", "export", "a person", messages=done.messages)
        if self.stderr.isatty():
            self.stderr.write("")
        self.stdout.write(f"{done.messages:,} messages in {options['file']}")
        if done.lost_files:
            self.stderr.write(f"Not in it: {done.lost_files:,} files, which the storage no longer has.")

    def _show(self, done: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done:,} messages", str, ending="")
