"""`manage.py erase_contact`: erase everything of a person."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.erasure import Person
from messaging.erasure.erase import CannotEraseYet, erase, refuse_undecided
from messaging.erasure.other_tables import is_elsewhere
from messaging.erasure.person import person_of


class Command(BaseCommand):
    """Asks before it erases, unless --yes."""

    help = (
        "Erase a person's texts, names, numbers, files and raw pieces; counts, times and statuses stay. Waiting "
        "messages are cancelled. Repeat it if it was killed. Backups are not touched."
    )

    def add_arguments(self, parser: Any) -> None:
        """The person, --yes, --forget-objection."""
        parser.add_argument("person", help="a phone number in any spelling, or a user id")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--forget-objection",
            action="store_true",
            help="erase also the number of a person who opted out or is blocked; nothing then prevents marketing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase, and say what was erased."""
        person = person_of(options["person"])
        if not person.peers:
            raise CommandError("This is neither a phone number nor a user id.")
        count = person.messages.count()
        if not count and not person.contact_ids and not self._is_elsewhere(person):
            raise CommandError("Nothing is stored about anyone with this number or user id.")
        self.stdout.write(f"{counted(count, 'messages')}, {counted(len(person.contact_ids), 'contacts')}.")
        if not options["yes"] and not confirmed():
            raise CommandError("Nothing was erased.")
        try:
            done = erase(person, "manage.py", options["forget_objection"], self._show)
        except CannotEraseYet as error:
            raise CommandError(str(error)) from None
        if self.stderr.isatty():
            self.stderr.write("")
        self.stdout.write("Erased: " + ", ".join(counted(count, name) for name, count in done.as_details().items()))

    def _is_elsewhere(self, person: Person) -> bool:
        try:
            refuse_undecided(person)
        except CannotEraseYet as error:
            raise CommandError(str(error)) from None
        return is_elsewhere(person)

    def _show(self, done: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{counted(done, 'messages')} erased", str, ending="")


def confirmed() -> bool:
    """Whether a person types yes. No input at all is a no."""
    try:
        return input("Erase them for good? Type yes: ").strip() == "yes"
    except EOFError:
        raise CommandError("Nothing was erased: there is no terminal to ask. --yes erases without asking.") from None


def counted(count: int, plural: str) -> str:
    """A number with its noun: 1 message, 2 messages."""
    return f"{count:,} {plural.removesuffix('s') if count == 1 else plural}"
