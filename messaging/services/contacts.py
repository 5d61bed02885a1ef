"""Who wrote: contacts by phone number or business-scoped user id, made or brought up to date in bulk."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Q

from messaging.models import Contact
from messaging.whatsapp.inbound import InboundMessage


def contacts_of(messages: Iterable[InboundMessage]) -> dict[str, Contact]:
    """The contact of each message, by wamid; messages without any identity are left out."""
    senders = {m.wamid: m for m in messages if m.sender or m.sender_user_id}
    found = _find(senders.values())
    new: dict[tuple[str | None, str | None], Contact] = {}
    for message in senders.values():
        if _match(message, found) is None:
            new[message.sender, message.sender_user_id] = Contact(
                phone=message.sender, user_id=message.sender_user_id, name=(message.profile_name or "")[:255]
            )
    if new:
        rows = sorted(new.values(), key=lambda c: (c.phone or "", c.user_id or ""))
        Contact.objects.bulk_create(rows, ignore_conflicts=True)
        found = _find(senders.values())
    matched = {wamid: contact for wamid, m in senders.items() if (contact := _match(m, found)) is not None}
    _refresh(senders, matched)
    return matched


def _find(messages: Iterable[InboundMessage]) -> dict[str, Contact]:
    messages = list(messages)
    phones = [m.sender for m in messages if m.sender]
    user_ids = [m.sender_user_id for m in messages if m.sender_user_id]
    found: dict[str, Contact] = {}
    for contact in Contact.objects.filter(Q(phone__in=phones) | Q(user_id__in=user_ids)):
        found.update({key: contact for key in (contact.phone, contact.user_id) if key})
    return found


def _match(message: InboundMessage, found: dict[str, Contact]) -> Contact | None:
    return found.get(message.sender or "") or found.get(message.sender_user_id or "")


def _refresh(senders: dict[str, InboundMessage], matched: dict[str, Contact]) -> None:
    """Newest name and time of sight; rows are locked in id order, so that two workers do not deadlock."""
    names = {contact.pk: (senders[wamid].profile_name or "")[:255] for wamid, contact in matched.items()}
    if not names:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH seen AS (SELECT * FROM unnest(%s::bigint[], %s::text[]) AS t(id, name)),
            locked AS (
              SELECT c.id FROM messaging_contact c JOIN seen USING (id) ORDER BY c.id FOR UPDATE OF c
            )
            UPDATE messaging_contact c SET last_seen_at = statement_timestamp(),
              name = CASE WHEN seen.name = '' THEN c.name ELSE seen.name END
            FROM seen JOIN locked USING (id) WHERE c.id = seen.id
            """,
            [list(names), list(names.values())],
        )
