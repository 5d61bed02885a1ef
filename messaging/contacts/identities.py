"""Contact identities: phone numbers and BSUIDs, created, merged and followed in bulk.

A BSUID is one person's for as long as the person keeps the number; a number may go to somebody else. So where a
payload shows both, the BSUID says who it is. A contact that has only the number is the same person and is merged; one
that has the number and another BSUID loses the number, unless Meta said that its BSUID changed (`previous`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q

from messaging.models import Contact, Message
from messaging.whatsapp.recipients import canonical

TRIES = 3


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one update says of somebody. `previous_*`: Meta says that these were this person's until now.

    `is_new_welcome`: a contact is made of it where there is none.
    """

    portfolio: str
    phone: str | None
    user_id: str | None
    name: str = ""
    username: str = ""
    previous_phone: str | None = None
    previous_user_id: str | None = None
    is_new_welcome: bool = True

    @property
    def phone_key(self) -> str | None:
        """The number as everybody writes it."""
        return canonical(self.phone) if self.phone else None

    @property
    def keys(self) -> list[str]:
        """Everything that it can be found by."""
        previous = canonical(self.previous_phone) if self.previous_phone else None
        return [key for key in (self.phone_key, self.user_id, previous, self.previous_user_id) if key]


def sight(sightings: Sequence[Sighting]) -> list[Contact | None]:
    """The contact of each, made or brought up to date. Inside a transaction; the contacts stay locked until its end."""
    if not any(sighting.keys for sighting in sightings):
        return [None] * len(sightings)
    for _ in range(TRIES):
        missing = _missing(sightings, _People(_rows(sightings)))
        if missing:
            Contact.objects.bulk_create(missing, ignore_conflicts=True)
        people = _People(_rows(sightings).select_for_update().order_by("pk"))
        if not _missing(sightings, people):
            break
    found = [people.place(sighting) for sighting in sightings]
    people.save()
    result = [people.last_of(contact) if contact else None for contact in found]
    _refresh(sightings, result)
    return result


def _rows(sightings: Sequence[Sighting]) -> Any:
    keys = {key for sighting in sightings for key in sighting.keys}
    return Contact.objects.filter(Q(phone_key__in=keys) | Q(user_id__in=keys))


def _missing(sightings: Sequence[Sighting], people: "_People") -> list[Contact]:
    rows: dict[tuple[str, str], Contact] = {}
    for sighting in sightings:
        if not sighting.is_new_welcome or people.known(sighting):
            continue
        taken = people.by(sighting, sighting.phone_key) is not None
        contact = Contact(
            portfolio=sighting.portfolio,
            phone=None if taken else sighting.phone,
            phone_key=None if taken else sighting.phone_key,
            user_id=sighting.user_id,
        )
        if contact.phone_key or contact.user_id:
            rows.setdefault((contact.phone_key or "", contact.user_id or ""), contact)
    return [rows[key] for key in sorted(rows)]


class _People:
    """The contacts that a batch speaks of, changed in memory and written at the end."""

    def __init__(self, rows: Iterable[Contact]) -> None:
        self._by: dict[tuple[str, str], Contact] = {}
        self._merged: dict[int, Contact] = {}
        self._moved: dict[int, Contact] = {}
        for contact in rows:
            self._index(contact)

    def by(self, sighting: Sighting, key: str | None) -> Contact | None:
        """The contact with this number or BSUID in the sighting's portfolio."""
        return self._by.get((sighting.portfolio, key)) if key else None

    def known(self, sighting: Sighting) -> bool:
        """Whether the sighting is of somebody whom we have."""
        return not sighting.keys or self._of(sighting) is not None

    def _of(self, sighting: Sighting) -> Contact | None:
        certain = self.by(sighting, sighting.user_id) or self._before(sighting)
        if certain is not None:
            return certain
        holder = self.by(sighting, sighting.phone_key)
        is_other = holder is not None and sighting.user_id and holder.user_id not in (None, sighting.user_id)
        return None if is_other else holder

    def _before(self, sighting: Sighting) -> Contact | None:
        previous = canonical(sighting.previous_phone) if sighting.previous_phone else None
        return self.by(sighting, sighting.previous_user_id) or self.by(sighting, previous)

    def place(self, sighting: Sighting) -> Contact | None:
        """Whose this sighting is, after what it says of numbers and BSUIDs has been taken over."""
        person = self._of(sighting)
        if person is None:
            return None
        before, holder = self._before(sighting), self.by(sighting, sighting.phone_key)
        if before is not None and before is not person:
            self._merge(before, person)
        if holder is not None and holder is not person and holder.pk not in self._merged:
            if holder.user_id in (None, person.user_id, sighting.user_id):
                self._merge(holder, person)
            else:
                self._set(holder, None, None, holder.user_id)
        phone_key = sighting.phone_key or person.phone_key
        user_id = sighting.user_id or person.user_id
        if (phone_key, user_id) != (person.phone_key, person.user_id):
            self._set(person, sighting.phone or person.phone, phone_key, user_id)
        elif sighting.phone and sighting.phone != person.phone:
            self._set(person, sighting.phone, phone_key, user_id)
        return person

    def _set(self, contact: Contact, phone: str | None, phone_key: str | None, user_id: str | None) -> None:
        for key in (contact.phone_key, contact.user_id):
            if key and self._by.get((contact.portfolio, key)) is contact:
                del self._by[contact.portfolio, key]
        contact.phone, contact.phone_key, contact.user_id = phone, phone_key, user_id
        self._moved[contact.pk] = contact
        self._index(contact)

    def _merge(self, other: Contact, person: Contact) -> None:
        phone, phone_key, user_id = other.phone, other.phone_key, other.user_id
        self._set(other, None, None, None)
        self._moved.pop(other.pk)
        self._merged[other.pk] = person
        person.name = person.name or other.name
        person.first_seen_at = min(person.first_seen_at, other.first_seen_at)
        person.blocked_at = person.blocked_at or other.blocked_at
        if other.consent_at and (not person.consent_at or other.consent_at > person.consent_at):
            person.opted_out_at, person.consent_at = other.opted_out_at, other.consent_at
            person.consent_source = other.consent_source
        self._set(
            person,
            person.phone or phone,
            person.phone_key or phone_key,
            person.user_id or user_id,
        )

    def last_of(self, contact: Contact) -> Contact:
        """The contact into which this one was merged, or itself."""
        while contact.pk in self._merged:
            contact = self._merged[contact.pk]
        return contact

    def _index(self, contact: Contact) -> None:
        for key in (contact.phone_key, contact.user_id):
            if key:
                self._by[contact.portfolio, key] = contact

    def save(self) -> None:
        """Write what changed; numbers and BSUIDs are given up before they are taken."""
        for other, person in self._merged.items():
            Message.objects.filter(contact_id=other).update(contact_id=self.last_of(person).pk)
        moved = [contact for pk, contact in sorted(self._moved.items()) if pk not in self._merged]
        if self._merged:
            Contact.objects.filter(pk__in=self._merged).delete()
        if moved:
            ids = [contact.pk for contact in moved]
            Contact.objects.filter(pk__in=ids).update(phone_key=None, user_id=None)
            columns = "phone phone_key user_id name first_seen_at blocked_at opted_out_at consent_at consent_source"
            Contact.objects.bulk_update(moved, columns.split(), batch_size=500)


def _refresh(sightings: Sequence[Sighting], contacts: Sequence[Contact | None]) -> None:
    """Newest names and time of sight, of rows that are locked."""
    seen: dict[int, tuple[str, str]] = {}
    for sighting, contact in zip(sightings, contacts, strict=True):
        if contact:
            # One webhook sees a person twice, and not each time by name.
            name, username = seen.get(contact.pk, ("", ""))
            seen[contact.pk] = (sighting.name[:255] or name, sighting.username[:255] or username)
    if not seen:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_contact c SET last_seen_at = statement_timestamp(),
              name = COALESCE(NULLIF(seen.name, ''), c.name),
              username = COALESCE(NULLIF(seen.username, ''), c.username)
            FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS seen(id, name, username) WHERE c.id = seen.id
            """,
            [list(seen), [name for name, _ in seen.values()], [username for _, username in seen.values()]],
        )
