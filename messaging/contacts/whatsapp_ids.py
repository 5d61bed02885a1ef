"""WhatsApp ids: Meta's own spelling of the numbers that we send to, learned from its answers."""

from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.db.models import Q

from messaging.contacts.identities import ContactUpdate, apply_updates
from messaging.models import Contact, Direction, Message, WhatsAppId
from messaging.models.messages import PEER_LENGTH
from messaging.whatsapp.recipients import canonical, is_phone, spellings


def learn_whatsapp_ids(answers: Mapping[str, str]) -> None:
    """Keep the `wa_id` that Meta answered to a send, by the number that it was sent to.

    Where it is another number in every spelling (a country changed its numbering), the two are one person from now on:
    their contacts are merged, and what waits for the old number is sent to the new one, in one line with the rest.
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
    of_today = {portfolio: user_id for portfolio, key, user_id in contacts if key == row.peer}
    apply_updates(
        [
            # With the BSUID of the number of today, so that the contact of the old number is merged into that one.
            ContactUpdate(portfolio, row.wa_id, of_today.get(portfolio), previous_phone=row.phone, creates=False)
            for portfolio in sorted(portfolio for portfolio, key, _ in contacts if key == row.phone)
        ]
    )
    waiting = Message.objects.filter(
        peer=row.phone, direction=Direction.OUTBOUND, due_at__isnull=False, released_at=None, outcome_at=None
    )
    with connection.cursor() as cursor:
        # A parked message waits under the old number: due again, it joins the line of the new one.
        ids = list(waiting.select_for_update().order_by("pk").values_list("pk", flat=True))
        cursor.execute(
            "UPDATE messaging_message SET peer = %s, sent_to = %s, hold = NULLIF(hold, 'pair') WHERE id = ANY(%s)",
            [row.peer, row.wa_id, ids],
        )


def names_of(peers: Iterable[str]) -> set[str]:
    """Every spelling of these numbers, and of the numbers that Meta says are the same; user ids as they are."""
    written = {spelling for peer in peers for spelling in spellings(peer)}
    if not any(map(is_phone, written)):
        return written
    same = WhatsAppId.objects.filter(Q(phone__in=written) | Q(peer__in=written)).values_list("phone", "peer")
    return written | {spelling for pair in same for peer in pair for spelling in spellings(peer)}


# Each part is answered by an index.
_KNOWN = """
SELECT phone_key FROM messaging_contact WHERE phone_key = ANY(%(keys)s)
UNION SELECT phone FROM messaging_whatsappid WHERE phone = ANY(%(keys)s)
UNION SELECT peer FROM messaging_whatsappid WHERE peer = ANY(%(keys)s)
UNION SELECT peer FROM messaging_message WHERE peer = ANY(%(spellings)s) AND direction = 'inbound'
"""


def known_numbers(numbers: Iterable[str]) -> set[str]:
    """Those of these numbers, in canonical form, that have written to us or that Meta has confirmed. One query."""
    keys = {canonical(number) for number in numbers}
    if not keys:
        return set()
    with connection.cursor() as cursor:
        written = [spelling for key in keys for spelling in spellings(key)]
        cursor.execute(_KNOWN, {"keys": list(keys), "spellings": written})
        return {canonical(number) for (number,) in cursor.fetchall()}
