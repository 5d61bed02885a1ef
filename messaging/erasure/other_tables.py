"""Personal data in other tables: all but messages and contacts. Other apps register theirs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.postgres.functions import RandomUUID
from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from messaging.erasure.person import Person
from messaging.models import (
    AccountEvent,
    Contact,
    OpenedRecipient,
    OrphanStatus,
    PairPace,
    StoredWebhook,
    UnknownUpdate,
    WhatsAppId,
)


class CannotReadYet(Exception):
    """What a table has of the person cannot be read whole now; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class OtherTable:
    """erase(person) removes the person's data and returns how many rows it changed. rows(person): the data, as JSON.
    Both raise CannotReadYet rather than miss a row. refusal(person): why it cannot be erased now, as a sentence;
    empty: it can.

    One function of each table says which rows are the person's, for both.
    """

    name: str
    erase: Callable[[Person], int]
    rows: Callable[[Person], Iterable[Mapping[str, Any]]]
    refusal: Callable[[Person], str] = lambda _: ""


_registered: dict[str, OtherTable] = {}


def register(*tables: OtherTable) -> None:
    """Add tables, at the start of the process."""
    _registered.update({table.name: table for table in tables})


def other_tables() -> tuple[OtherTable, ...]:
    """The tables of messaging and the registered ones."""
    return (*_OWN, *_registered.values())


def is_elsewhere(person: Person) -> bool:
    """Whether another table has data of the person, who may have neither messages nor a contact."""
    return any(next(iter(table.rows(person)), None) is not None for table in other_tables())


def mentions(table: str, column: str, person: Person) -> list[int]:
    """The ids of rows whose JSON mentions the person's number or user id. Reads the whole table."""
    if not person.pattern:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE {column}::text ~ %s",  # noqa: S608 - names of this code
            [person.pattern],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _delete_mentions(model: Any) -> Callable[[Person], int]:
    def erase(person: Person) -> int:
        return int(model.objects.filter(pk__in=mentions(model._meta.db_table, "raw", person)).delete()[0])

    return erase


def _mentions_of(model: Any) -> Callable[[Person], Iterable[Mapping[str, Any]]]:
    def rows(person: Person) -> Iterable[Mapping[str, Any]]:
        found = model.objects.filter(pk__in=mentions(model._meta.db_table, "raw", person)).order_by("pk")
        return ({"raw": row.raw, "received_at": row.received_at} for row in found.iterator())

    return rows


def _empty_account_events(person: Person) -> int:
    ids = mentions("messaging_accountevent", "raw", person)
    return AccountEvent.objects.filter(pk__in=ids).update(raw={}, subject="")


def _whatsapp_ids_of(person: Person) -> QuerySet[WhatsAppId]:
    return WhatsAppId.objects.filter(Q(phone__in=person.peers) | Q(peer__in=person.peers))


def _forget_whatsapp_ids(person: Person) -> int:
    paces = PairPace.objects.filter(peer__in=person.peers)
    return int(_whatsapp_ids_of(person).delete()[0]) + int(paces.delete()[0])


def _whatsapp_ids(person: Person) -> Iterable[Mapping[str, Any]]:
    return _whatsapp_ids_of(person).order_by("phone").values("phone", "wa_id", "learned_at")


def _openings_of(person: Person) -> QuerySet[OpenedRecipient]:
    return OpenedRecipient.objects.filter(peer__in=person.peers)


def _forget_opened_recipients(person: Person) -> int:
    """Replace the recipient's id: the rows must count until they are deleted within a day."""
    return _openings_of(person).update(peer=Cast(RandomUUID(), TextField()), message_id=None)


def _opened_recipients(person: Person) -> Iterable[Mapping[str, Any]]:
    return _openings_of(person).order_by("opened_at").values("peer", "opened_at")


def _empty_log_entries(person: Person) -> int:
    entries = LogEntry.objects.filter(
        content_type__app_label="messaging",
        content_type__model=Contact._meta.model_name,
        object_id__in=[str(pk) for pk in person.contact_ids],
    )
    return entries.update(object_repr="erased")


def _nothing(person: Person) -> Iterable[Mapping[str, Any]]:
    return ()


_OWN = (
    OtherTable("unknown updates", _delete_mentions(UnknownUpdate), _mentions_of(UnknownUpdate)),
    OtherTable("orphan statuses", _delete_mentions(OrphanStatus), _mentions_of(OrphanStatus)),
    OtherTable("account events", _empty_account_events, _mentions_of(AccountEvent)),
    OtherTable("WhatsApp ids", _forget_whatsapp_ids, _whatsapp_ids),
    OtherTable("opened recipients", _forget_opened_recipients, _opened_recipients),
    OtherTable("entries of the admin's log", _empty_log_entries, _nothing),
)


def waiting_webhooks(person: Person) -> int:
    """Webhooks that are stored because of their size, mention the person, and are not processed yet."""
    return StoredWebhook.objects.filter(pk__in=mentions("messaging_storedwebhook", "body", person)).count()
