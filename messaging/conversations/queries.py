"""Conversations between a business number and a contact, read through indexes only.

There is no table of conversations, so the lanes write nothing for them. Any message identifies its conversation; the
latest conversations are found by scanning the newest messages.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.accepting import WINDOW, is_open, last_inbound
from messaging.conversations.name_search import contacts_named
from messaging.messages import peers_matching
from messaging.models import BusinessNumber, Contact, Direction, Message
from messaging.models.messages import ANNOTATION_TYPES
from messaging.whatsapp.recipients import canonical, spellings

# Messages scanned for one page of conversations; enough for one busy conversation not to hide all others.
SCANNED = 10_000
MOST_FOUND = 200
# Message types that need no reply.
NEEDS_NO_REPLY = (*ANNOTATION_TYPES, "system")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. `peers`: every known number and user id of the contact."""

    number: BusinessNumber
    contact: Contact | None
    peers: tuple[str, ...]
    latest: Message
    last_inbound_at: datetime | None = None

    @property
    def name(self) -> str:
        """The contact's name, else the address."""
        return (self.contact and self.contact.name) or self.address

    @property
    def address(self) -> str:
        """The recipient of replies: a phone number's digits, or a user id."""
        contact = self.contact
        return (contact and (contact.phone or contact.user_id)) or self.latest.peer

    @property
    def is_unanswered(self) -> bool:
        """Whether the latest message is the user's and needs a reply."""
        return self.latest.direction == Direction.INBOUND and self.latest.type not in NEEDS_NO_REPLY

    @property
    def is_open(self) -> bool:
        """Whether the customer service window is open."""
        return is_open(self.last_inbound_at, timezone.now())

    @property
    def closes_at(self) -> datetime | None:
        """When the customer service window closes; None if it is closed."""
        return self.last_inbound_at + WINDOW if self.last_inbound_at and self.is_open else None


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of conversations, latest first. `older`: the `before` of the next page; None on the last page."""

    conversations: list[Conversation] = field(default_factory=list)
    older: UUID | None = None


def latest_conversations(
    size: int, *, before: UUID | None = None, number: int | None = None, unanswered: bool = False
) -> ConversationPage:
    """The conversations whose newest message is older than `before` (an id).

    The filters choose among the newest SCANNED messages of all numbers, so a page may have none and yet an older page.
    """
    # LATERAL with a LIMIT keeps the planner from joining the whole table: one index lookup per message.
    scan = f"""
      SELECT id, number_id, peer, direction, type FROM messaging_message
      WHERE %(before)s::uuid IS NULL OR id < %(before)s
      ORDER BY id DESC LIMIT {SCANNED}
    """  # noqa: S608 - constants of this module
    parameters = {
        "before": before, "number": number, "size": size, "unanswered": unanswered, "no_reply": list(NEEDS_NO_REPLY),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.id FROM ({scan}) m CROSS JOIN LATERAL (
              SELECT l.id FROM messaging_message l WHERE l.peer = m.peer AND l.number_id = m.number_id
              ORDER BY l.at DESC, l.id DESC LIMIT 1
            ) newest
            WHERE newest.id = m.id AND (%(number)s::bigint IS NULL OR m.number_id = %(number)s)
              AND (NOT %(unanswered)s OR m.direction = 'inbound' AND m.type <> ALL(%(no_reply)s))
            ORDER BY m.id DESC LIMIT %(size)s
            """,  # noqa: S608 - constants of this module
            parameters,
        )
        found = [row[0] for row in cursor.fetchall()]
        if len(found) == size:
            return ConversationPage(_conversations(found), found[-1])
        cursor.execute(f"{scan} OFFSET {SCANNED - 1}", parameters)
        last = cursor.fetchone()
    return ConversationPage(_conversations(found), last and last[0])


def find_conversations(term: str) -> ConversationPage:
    """The conversations with a phone number or user id (in full), or with a contact whose name contains the term."""
    term = term.replace("\0", "")
    peers = peers_matching(term)
    by_address = Contact.objects.filter(
        Q(phone__in=peers) | Q(phone_key__in={canonical(peer) for peer in peers}) | Q(user_id__in=peers)
    )
    for contact in {*by_address[:MOST_FOUND], *contacts_named(term)[:MOST_FOUND]}:
        peers.update(_identifiers(contact))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT newest.id FROM unnest(%s::text[]) AS t(peer) CROSS JOIN messaging_businessnumber n
            CROSS JOIN LATERAL (
              SELECT l.id FROM messaging_message l WHERE l.peer = t.peer AND l.number_id = n.id
              ORDER BY l.at DESC, l.id DESC LIMIT 1
            ) newest ORDER BY newest.id DESC LIMIT %s
            """,
            [sorted(peers), MOST_FOUND],
        )
        return ConversationPage(_conversations([row[0] for row in cursor.fetchall()]))


def conversation_of(message: Message) -> Conversation:
    """The conversation that a message (with its number) belongs to."""
    return _described([message])[0]


def conversations_with(contact: Contact) -> list[Conversation]:
    """One for each business number of the contact's portfolio, where there is any."""
    found = [
        latest[0]
        for number in BusinessNumber.objects.filter(portfolio=contact.portfolio)
        if (latest := _ordered(_keys(_identifiers(contact), contact), Q(number=number), 1, newest_first=True))
    ]
    return _described(found)


def messages_of(
    conversation: Conversation,
    size: int,
    *,
    before: Message | None = None,
    since: Message | None = None,
) -> list[Message]:
    """The newest ones in Meta's order, oldest first: up to `before` without it, from `since` on with it."""
    bounds = Q(number=conversation.number)
    if before is not None:
        bounds &= Q(at__lte=before.at) & ~Q(at=before.at, id__gte=before.id)
    if since is not None:
        bounds &= _from(since)
    return _ordered(_keys(conversation.peers, conversation.contact), bounds, size, newest_first=True)[::-1]


def messages_from(conversation: Conversation, first: Message, size: int) -> list[Message]:
    """The message `first` and the oldest ones after it in Meta's order."""
    bounds = Q(number=conversation.number) & _from(first)
    return _ordered(_keys(conversation.peers, conversation.contact), bounds, size, newest_first=False)


def _from(first: Message) -> Q:
    return Q(at__gte=first.at) & ~Q(at=first.at, id__lt=first.id)


def _keys(peers: Iterable[str], contact: Contact | None) -> list[Q]:
    """One condition per query: each uses an index that also gives the order, which a single OR would lose."""
    return [*(Q(peer=peer) for peer in sorted(peers)), *([Q(contact=contact)] if contact else [])]


def _ordered(keys: Sequence[Q], bounds: Q, size: int, *, newest_first: bool) -> list[Message]:
    found: dict[UUID, Message] = {}
    order = ("-at", "-id") if newest_first else ("at", "id")
    rows: QuerySet[Message] = Message.objects.select_related("number", "contact", "media").defer("raw")
    for key in keys:
        found.update((row.id, row) for row in rows.filter(key, bounds).order_by(*order)[:size])
    return sorted(found.values(), key=lambda row: (row.at, row.id), reverse=newest_first)[:size]


def _conversations(ids: Sequence[UUID]) -> list[Conversation]:
    rows = Message.objects.filter(id__in=ids).select_related("number", "contact").defer("raw").order_by("-id")
    unique: dict[tuple[int, object], Conversation] = {}
    for one in _described(list(rows)):
        # A contact may have written under its number and under its user id.
        unique.setdefault((one.number.pk, one.contact.pk if one.contact else canonical(one.latest.peer)), one)
    return list(unique.values())


def _described(latest: Sequence[Message]) -> list[Conversation]:
    contacts = _contacts([row for row in latest if row.contact is None])
    found = [_conversation(row, contacts.get((row.number.portfolio, canonical(row.peer)))) for row in latest]
    inbound = last_inbound([peer for one in found for peer in one.peers], timezone.now())
    return [replace(one, last_inbound_at=_last_inbound_at(one, inbound)) for one in found]


def _conversation(latest: Message, contact: Contact | None) -> Conversation:
    contact = latest.contact or contact
    peers = (*spellings(latest.peer), *(_identifiers(contact) if contact else ()))
    return Conversation(latest.number, contact, tuple(dict.fromkeys(peers)), latest)


def _last_inbound_at(one: Conversation, inbound: Mapping[tuple[int, str], datetime]) -> datetime | None:
    keys = {(one.number.pk, canonical(peer)) for peer in one.peers}
    return max((inbound[key] for key in keys & inbound.keys()), default=None)


def _contacts(rows: Sequence[Message]) -> dict[tuple[str, str], Contact]:
    keys = {canonical(row.peer) for row in rows}
    found = Contact.objects.filter(Q(phone_key__in=keys) | Q(user_id__in=keys)) if keys else []
    return {(contact.portfolio, key): contact for contact in found for key in _identifiers(contact)}


def _identifiers(contact: Contact) -> list[str]:
    numbers = spellings(contact.phone_key or contact.phone or "")
    return [name for name in dict.fromkeys([*sorted(numbers), contact.phone, contact.user_id]) if name]
