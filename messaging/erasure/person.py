"""The identity of a person: every spelling of the number, every user id, every contact."""

import re
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from messaging.contacts import MIN_DIGITS, digits_of, equivalent_peers
from messaging.models import Contact, Message
from messaging.whatsapp.recipients import canonical, is_bsuid, is_phone


@dataclass(frozen=True, slots=True)
class Person:
    """`peers`: the phone numbers in digits, in every spelling, and the user ids. `contact_ids`: the contacts."""

    peers: frozenset[str]
    contact_ids: frozenset[int]

    @property
    def pattern(self) -> str:
        """A regular expression, of Python and of PostgreSQL alike, that finds the person in JSON.

        Empty if nothing can be found: a number of a few digits may stand for anything there.
        """
        sought = sorted(peer for peer in self.peers if not is_phone(peer) or len(peer) >= MIN_DIGITS)
        if not sought:
            return ""
        # A line break before a number is an escape in JSON, whose last character is a letter.
        return rf"(?:(?<![0-9A-Za-z.])|(?<=\\[bfnrt]))\+?({'|'.join(map(_escaped, sought))})(?![0-9A-Za-z])"

    def is_mentioned_in(self, text: str) -> bool:
        """Whether a JSON text has the person's number or user id."""
        pattern = self.pattern
        return bool(pattern) and re.search(pattern, text) is not None

    @property
    def messages(self) -> QuerySet[Message]:
        """All messages to and from the person."""
        return Message.objects.filter(Q(peer__in=self.peers) | Q(contact__in=self.contact_ids))

    @property
    def contacts(self) -> QuerySet[Contact]:
        """The person's contacts, one per portfolio."""
        return Contact.objects.filter(pk__in=self.contact_ids)


def person_of(identity: str) -> Person:
    """The person with this phone number (with or without plus and separators) or user id; nobody for anything else.

    A contact joins number and user id, so both lead to the same person. The digits of a user id are no phone number.
    """
    text = identity.strip()
    digits = digits_of(text)
    peers = {text} if is_bsuid(text) else equivalent_peers({digits}) if digits else set()
    contacts: dict[int, Contact] = {}
    while found := _contacts_with(peers).exclude(pk__in=contacts).in_bulk():
        contacts |= found
        identities = {value for one in found.values() for value in (one.phone, one.user_id) if value}
        peers |= equivalent_peers(identities)
    return Person(frozenset(peers), frozenset(contacts))


def _escaped(text: str) -> str:
    return "".join(character if character.isalnum() else f"\\{character}" for character in text)


def _contacts_with(peers: set[str]) -> QuerySet[Contact]:
    keys = {canonical(peer) for peer in peers}
    return Contact.objects.filter(Q(phone__in=peers) | Q(phone_key__in=keys) | Q(user_id__in=peers))
