"""Contact identities: contacts are created, merged and renumbered in bulk.

A BSUID belongs to one person for as long as the person keeps the number; a number may be reassigned. If a payload names
both, the BSUID identifies the contact. A contact with the same number and no BSUID is the same person and is merged; a
contact with the same number and another BSUID loses the number, unless Meta reports that its BSUID changed
(`previous_user_id`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from messaging.models import Contact, Message
from messaging.whatsapp.recipients import canonical

# Between the insert and the lock, another worker may merge or renumber a contact.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A consent change in a webhook; `at` is Meta's time, None if the webhook has none."""

    opts_out: bool
    at: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class ContactUpdate:
    """One mention of a person in a webhook. `previous_*`: the number and BSUID that the person had before.

    `creates`: create the contact if it is unknown. `wamid`: the message that the person wrote. `consent`: the consent
    change that it makes.
    """

    portfolio: str
    phone: str | None
    user_id: str | None
    name: str = ""
    username: str = ""
    previous_phone: str | None = None
    previous_user_id: str | None = None
    creates: bool = True
    wamid: str | None = None
    consent: ConsentGiven | None = None

    @property
    def phone_key(self) -> str | None:
        """The number in canonical form."""
        return canonical(self.phone) if self.phone else None

    @property
    def keys(self) -> list[str]:
        """Every key by which the contact can be found."""
        previous = canonical(self.previous_phone) if self.previous_phone else None
        return [key for key in (self.phone_key, self.user_id, previous, self.previous_user_id) if key]


@dataclass(frozen=True, slots=True)
class AppliedUpdate:
    """An update and its contact (None: the update names no known contact)."""

    update: ContactUpdate
    contact: Contact | None


def apply_contact_updates(updates: Sequence[ContactUpdate]) -> list[AppliedUpdate]:
    """Create or update the contact of each update. Inside a transaction; the contacts stay locked until its end."""
    if not any(update.keys for update in updates):
        return [AppliedUpdate(update, None) for update in updates]
    for _ in range(ATTEMPTS):
        missing = _missing(updates, _Batch(_rows(updates)))
        if missing:
            Contact.objects.bulk_create(missing, ignore_conflicts=True)
        batch = _Batch(_rows(updates).select_for_update().order_by("pk"))
        if not _missing(updates, batch):
            break
    applied = [AppliedUpdate(update, batch.apply(update)) for update in updates]
    batch.save()
    applied = [AppliedUpdate(one.update, one.contact and batch.survivor_of(one.contact)) for one in applied]
    _refresh(applied)
    return applied


def _rows(updates: Sequence[ContactUpdate]) -> Any:
    keys = {key for update in updates for key in update.keys}
    return Contact.objects.filter(Q(phone_key__in=keys) | Q(user_id__in=keys))


def _missing(updates: Sequence[ContactUpdate], batch: "_Batch") -> list[Contact]:
    rows: dict[tuple[str, str, str], Contact] = {}
    for update in updates:
        if not update.creates or batch.has(update):
            continue
        taken = batch.find(update, update.phone_key) is not None
        contact = Contact(
            portfolio=update.portfolio,
            phone=None if taken else update.phone,
            phone_key=None if taken else update.phone_key,
            user_id=update.user_id,
        )
        if contact.phone_key or contact.user_id:
            rows.setdefault((contact.phone_key or "", contact.user_id or "", contact.portfolio), contact)
    return [rows[key] for key in sorted(rows)]


class _Batch:
    """The contacts of a batch of updates, changed in memory and saved at the end."""

    def __init__(self, rows: Iterable[Contact]) -> None:
        self._contacts: dict[tuple[str, str], Contact] = {}
        self._merged: dict[int, Contact] = {}
        self._changed: dict[int, Contact] = {}
        for contact in rows:
            self._index(contact)

    def find(self, update: ContactUpdate, key: str | None) -> Contact | None:
        """The contact with this number or BSUID in the portfolio of the update."""
        return self._contacts.get((update.portfolio, key)) if key else None

    def has(self, update: ContactUpdate) -> bool:
        """Whether the update's contact exists, or the update names none."""
        return not update.keys or self._identify(update) is not None

    def _identify(self, update: ContactUpdate) -> Contact | None:
        certain = self.find(update, update.user_id) or self._find_previous(update)
        if certain is not None:
            return certain
        holder = self.find(update, update.phone_key)
        is_other = holder is not None and update.user_id and holder.user_id not in (None, update.user_id)
        return None if is_other else holder

    def _find_previous(self, update: ContactUpdate) -> Contact | None:
        previous = canonical(update.previous_phone) if update.previous_phone else None
        return self.find(update, update.previous_user_id) or self.find(update, previous)

    def apply(self, update: ContactUpdate) -> Contact | None:
        """Apply the number and BSUID of an update; returns its contact, None if there is none."""
        contact = self._identify(update)
        if contact is None:
            return None
        before, holder = self._find_previous(update), self.find(update, update.phone_key)
        if before is not None and before is not contact:
            self._merge(before, contact)
        if holder is not None and holder is not contact and holder.pk not in self._merged:
            if holder.user_id in (None, contact.user_id, update.user_id):
                self._merge(holder, contact)
            else:
                self._set(holder, None, None, holder.user_id)
        phone_key = update.phone_key or contact.phone_key
        user_id = update.user_id or contact.user_id
        phone = update.phone or contact.phone
        if (phone, phone_key, user_id) != (contact.phone, contact.phone_key, contact.user_id):
            self._set(contact, phone, phone_key, user_id)
        return contact

    def _set(self, contact: Contact, phone: str | None, phone_key: str | None, user_id: str | None) -> None:
        for key in (contact.phone_key, contact.user_id):
            if key and self._contacts.get((contact.portfolio, key)) is contact:
                del self._contacts[contact.portfolio, key]
        contact.phone, contact.phone_key, contact.user_id = phone, phone_key, user_id
        self._changed[contact.pk] = contact
        self._index(contact)

    def _merge(self, other: Contact, contact: Contact) -> None:
        """Merge `other` into `contact`: a block and the latest consent change are kept."""
        phone, phone_key, user_id = other.phone, other.phone_key, other.user_id
        self._set(other, None, None, None)
        self._changed.pop(other.pk)
        self._merged[other.pk] = contact
        contact.name = contact.name or other.name
        contact.username = contact.username or other.username
        contact.first_seen_at = min(contact.first_seen_at, other.first_seen_at)
        contact.blocked_at = contact.blocked_at or other.blocked_at
        if _later(other.consent_at, contact.consent_at):
            contact.opted_out_at, contact.consent_at = other.opted_out_at, other.consent_at
            contact.consent_source = other.consent_source
        self._set(
            contact,
            contact.phone or phone,
            contact.phone_key or phone_key,
            contact.user_id or user_id,
        )

    def survivor_of(self, contact: Contact) -> Contact:
        """The contact that this one was merged into, or itself."""
        while contact.pk in self._merged:
            contact = self._merged[contact.pk]
        return contact

    def _index(self, contact: Contact) -> None:
        for key in (contact.phone_key, contact.user_id):
            if key:
                self._contacts[contact.portfolio, key] = contact

    def save(self) -> None:
        """Save the changes. Numbers and BSUIDs are unique, so they are cleared first: contacts may swap them."""
        for other, contact in self._merged.items():
            Message.objects.filter(contact_id=other).update(contact_id=self.survivor_of(contact).pk)
        changed = [contact for pk, contact in sorted(self._changed.items()) if pk not in self._merged]
        if self._merged:
            Contact.objects.filter(pk__in=self._merged).delete()
        if changed:
            ids = [contact.pk for contact in changed]
            Contact.objects.filter(pk__in=ids).update(phone_key=None, user_id=None)
            columns = "phone phone_key user_id name username first_seen_at blocked_at"
            consent = "opted_out_at consent_at consent_source"
            Contact.objects.bulk_update(changed, [*columns.split(), *consent.split()], batch_size=500)


def _later(time: datetime | None, other: datetime | None) -> bool:
    """Whether a consent time is later than another one; a time in the future counts as now."""
    now = timezone.now()
    return time is not None and (other is None or min(time, now) > min(other, now))


def _refresh(applied: Sequence[AppliedUpdate]) -> None:
    """Set the newest names and `last_seen_at` of locked rows."""
    seen: dict[int, tuple[str, str]] = {}
    for one in applied:
        if one.contact:
            # A webhook may name a contact twice, the second time without the profile name.
            name, username = seen.get(one.contact.pk, ("", ""))
            seen[one.contact.pk] = (one.update.name[:255] or name, one.update.username[:255] or username)
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
