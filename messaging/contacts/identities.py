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
class ContactUpdate:
    """What a webhook says of a contact's identity. `previous_*`: the number and BSUID that Meta says it had before.

    `creates`: an unknown contact is created.
    """

    portfolio: str
    phone: str | None
    user_id: str | None
    name: str = ""
    username: str = ""
    previous_phone: str | None = None
    previous_user_id: str | None = None
    creates: bool = True

    @property
    def phone_key(self) -> str | None:
        """The number in canonical form."""
        return canonical(self.phone) if self.phone else None

    @property
    def keys(self) -> list[str]:
        """Every key that the contact can be found by."""
        previous = canonical(self.previous_phone) if self.previous_phone else None
        return [key for key in (self.phone_key, self.user_id, previous, self.previous_user_id) if key]


def apply_updates(updates: Sequence[ContactUpdate]) -> list[Contact | None]:
    """Create or update the contact of each update. Inside a transaction; the contacts stay locked until its end."""
    if not any(update.keys for update in updates):
        return [None] * len(updates)
    for _ in range(TRIES):
        missing = _missing(updates, _Batch(_rows(updates)))
        if missing:
            Contact.objects.bulk_create(missing, ignore_conflicts=True)
        batch = _Batch(_rows(updates).select_for_update().order_by("pk"))
        if not _missing(updates, batch):
            break
    found = [batch.apply(update) for update in updates]
    batch.save()
    result = [batch.survivor_of(contact) if contact else None for contact in found]
    _refresh(updates, result)
    return result


def _rows(updates: Sequence[ContactUpdate]) -> Any:
    keys = {key for update in updates for key in update.keys}
    return Contact.objects.filter(Q(phone_key__in=keys) | Q(user_id__in=keys))


def _missing(updates: Sequence[ContactUpdate], batch: "_Batch") -> list[Contact]:
    rows: dict[tuple[str, str], Contact] = {}
    for update in updates:
        if not update.creates or batch.known(update):
            continue
        taken = batch.by(update, update.phone_key) is not None
        contact = Contact(
            portfolio=update.portfolio,
            phone=None if taken else update.phone,
            phone_key=None if taken else update.phone_key,
            user_id=update.user_id,
        )
        if contact.phone_key or contact.user_id:
            rows.setdefault((contact.phone_key or "", contact.user_id or ""), contact)
    return [rows[key] for key in sorted(rows)]


class _Batch:
    """The contacts of a batch of updates, changed in memory and saved at the end."""

    def __init__(self, rows: Iterable[Contact]) -> None:
        self._by: dict[tuple[str, str], Contact] = {}
        self._merged: dict[int, Contact] = {}
        self._moved: dict[int, Contact] = {}
        for contact in rows:
            self._index(contact)

    def by(self, update: ContactUpdate, key: str | None) -> Contact | None:
        """The contact with this number or BSUID in the portfolio of the update."""
        return self._by.get((update.portfolio, key)) if key else None

    def known(self, update: ContactUpdate) -> bool:
        """Whether the contact exists, or the update names none."""
        return not update.keys or self._find(update) is not None

    def _find(self, update: ContactUpdate) -> Contact | None:
        certain = self.by(update, update.user_id) or self._find_previous(update)
        if certain is not None:
            return certain
        holder = self.by(update, update.phone_key)
        is_other = holder is not None and update.user_id and holder.user_id not in (None, update.user_id)
        return None if is_other else holder

    def _find_previous(self, update: ContactUpdate) -> Contact | None:
        previous = canonical(update.previous_phone) if update.previous_phone else None
        return self.by(update, update.previous_user_id) or self.by(update, previous)

    def apply(self, update: ContactUpdate) -> Contact | None:
        """Apply the numbers and BSUIDs of an update; returns its contact, None if there is none."""
        person = self._find(update)
        if person is None:
            return None
        before, holder = self._find_previous(update), self.by(update, update.phone_key)
        if before is not None and before is not person:
            self._merge(before, person)
        if holder is not None and holder is not person and holder.pk not in self._merged:
            if holder.user_id in (None, person.user_id, update.user_id):
                self._merge(holder, person)
            else:
                self._set(holder, None, None, holder.user_id)
        phone_key = update.phone_key or person.phone_key
        user_id = update.user_id or person.user_id
        if (phone_key, user_id) != (person.phone_key, person.user_id):
            self._set(person, update.phone or person.phone, phone_key, user_id)
        elif update.phone and update.phone != person.phone:
            self._set(person, update.phone, phone_key, user_id)
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

    def survivor_of(self, contact: Contact) -> Contact:
        """The contact that this one was merged into, or itself."""
        while contact.pk in self._merged:
            contact = self._merged[contact.pk]
        return contact

    def _index(self, contact: Contact) -> None:
        for key in (contact.phone_key, contact.user_id):
            if key:
                self._by[contact.portfolio, key] = contact

    def save(self) -> None:
        """Save the changes; unique numbers and BSUIDs are cleared first, so that contacts can swap them."""
        for other, person in self._merged.items():
            Message.objects.filter(contact_id=other).update(contact_id=self.survivor_of(person).pk)
        moved = [contact for pk, contact in sorted(self._moved.items()) if pk not in self._merged]
        if self._merged:
            Contact.objects.filter(pk__in=self._merged).delete()
        if moved:
            ids = [contact.pk for contact in moved]
            Contact.objects.filter(pk__in=ids).update(phone_key=None, user_id=None)
            columns = "phone phone_key user_id name first_seen_at blocked_at opted_out_at consent_at consent_source"
            Contact.objects.bulk_update(moved, columns.split(), batch_size=500)


def _refresh(updates: Sequence[ContactUpdate], contacts: Sequence[Contact | None]) -> None:
    """Set the newest names and `last_seen_at` of locked rows."""
    seen: dict[int, tuple[str, str]] = {}
    for update, contact in zip(updates, contacts, strict=True):
        if contact:
            # A webhook may show a contact twice, and the second time without its name.
            name, username = seen.get(contact.pk, ("", ""))
            seen[contact.pk] = (update.name[:255] or name, update.username[:255] or username)
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
