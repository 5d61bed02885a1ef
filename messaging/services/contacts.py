"""Who wrote: contacts by phone number or business-scoped user id, made or brought up to date in bulk."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

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
    """Newest name and time of sight; rows in id order, so that two workers do not deadlock."""
    changed: dict[int, Contact] = {}
    for wamid, contact in matched.items():
        name = (senders[wamid].profile_name or "")[:255]
        contact.name = name or contact.name
        contact.last_seen_at = timezone.now()
        changed[contact.pk] = contact
    rows = [changed[pk] for pk in sorted(changed)]
    if rows:
        Contact.objects.select_for_update().filter(pk__in=changed).order_by("pk").values_list("pk").count()
        Contact.objects.bulk_update(rows, ["name", "last_seen_at"])
