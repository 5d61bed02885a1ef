"""WhatsApp ids: Meta's spelling of the numbers that we send to, taken from its answers."""

from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.db.models import Q

from messaging.contacts.identities import ContactUpdate, apply_contact_updates
from messaging.models import Contact, Direction, Message, WhatsAppId
from messaging.models.messages import PEER_LENGTH
from messaging.whatsapp.recipients import canonical, is_phone, spellings


def record_whatsapp_ids(answers: Mapping[str, str]) -> None:
    """Store the `wa_id` of Meta's answers, by the number that the message was sent to.

    A country's new numbering plan gives a number a different `wa_id` in every spelling. Then both numbers are one
    person from now on: their contacts are merged, and messages waiting for the old number are sent to the new one, in
    order with its other messages.
    """
    rows = {
        phone: WhatsAppId(phone=phone, wa_id=wa_id, peer=canonical(wa_id))
        for phone, wa_id in ((canonical(to), wa_id) for to, wa_id in answers.items())
        if is_phone(wa_id) and is_phone(phone) and len(wa_id) <= PEER_LENGTH
    }
    if not rows:
        return
    with transaction.atomic():
        WhatsAppId.objects.bulk_create(
            [rows[phone] for phone in sorted(rows)],
            update_conflicts=True,
            unique_fields=["phone"],
            update_fields=["wa_id", "peer"],
        )
        for _, row in sorted(rows.items()):
            if row.phone != row.peer:
                _renumber(row)


def _renumber(row: WhatsAppId) -> None:
    contacts = Contact.objects.filter(phone_key__in=[row.phone, row.peer]).values_list(
        "portfolio", "phone_key", "user_id"
    )
    current = {portfolio: user_id for portfolio, key, user_id in contacts if key == row.peer}
    apply_contact_updates(
        [
            # With the BSUID of the new number's contact, so that the old number's contact is merged into it.
            ContactUpdate(portfolio, row.wa_id, current.get(portfolio), previous_phone=row.phone, creates=False)
            for portfolio in sorted(portfolio for portfolio, key, _ in contacts if key == row.phone)
        ]
    )
    waiting = Message.objects.filter(
        peer=row.phone, direction=Direction.OUTBOUND, due_at__isnull=False, released_at=None, outcome_at=None
    )
    with connection.cursor() as cursor:
        # A message on pair hold waits under the old number: without the hold it is due, and queues up for the new one.
        ids = list(waiting.select_for_update().order_by("pk").values_list("pk", flat=True))
        cursor.execute(
            "UPDATE messaging_message SET peer = %s, sent_to = %s, hold = NULLIF(hold, 'pair') WHERE id = ANY(%s)",
            [row.peer, row.wa_id, ids],
        )


def equivalent_peers(peers: Iterable[str]) -> set[str]:
    """Every spelling of these numbers and of the numbers that Meta says are the same, in one step or several; user ids
    unchanged."""
    written = {spelling for peer in peers for spelling in spellings(peer)}
    fresh = set(filter(is_phone, written))
    while fresh:
        same = WhatsAppId.objects.filter(Q(phone__in=fresh) | Q(peer__in=fresh)).values_list("phone", "peer")
        fresh = {spelling for pair in same for peer in pair for spelling in spellings(peer)} - written
        written |= fresh
    return written


# Each part uses an index.
_KNOWN = """
SELECT phone_key FROM messaging_contact WHERE phone_key = ANY(%(keys)s)
UNION SELECT phone FROM messaging_whatsappid WHERE phone = ANY(%(keys)s)
UNION SELECT peer FROM messaging_whatsappid WHERE peer = ANY(%(keys)s)
UNION SELECT peer FROM messaging_message WHERE peer = ANY(%(spellings)s) AND direction = 'inbound'
"""


def known_numbers(numbers: Iterable[str]) -> set[str]:
    """The numbers among these, in canonical form, that have written to us or that Meta has confirmed. One query."""
    keys = {canonical(number) for number in numbers}
    if not keys:
        return set()
    with connection.cursor() as cursor:
        written = [spelling for key in keys for spelling in spellings(key)]
        cursor.execute(_KNOWN, {"keys": list(keys), "spellings": written})
        return {canonical(number) for (number,) in cursor.fetchall()}
