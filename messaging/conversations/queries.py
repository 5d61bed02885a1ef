"""Conversations between a business number and a contact, found by index alone.

There is no table of conversations, so that nothing is written for them on the lanes. Any message stands for its
conversation; the newest ones are found by walking back through the newest messages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.accepting import WINDOW, is_open, last_inbound
from messaging.conversations.name_search import named
from messaging.messages import peers_of
from messaging.models import BusinessNumber, Contact, Direction, Message
from messaging.models.messages import ABOUT
from messaging.whatsapp.recipients import canonical, spellings

# Messages looked at for one page of conversations: a busy conversation must not hide the others for long.
SCANNED = 10_000
MOST_FOUND = 200
# Who was told nothing yet: reactions and system lines ask for no answer.
NO_QUESTION = (*ABOUT, "system")


@dataclass(frozen=True, slots=True)
class Conversation:
    """`peers`: every name under which the other end has written or been written to, as far as it is known."""

    number: BusinessNumber
    contact: Contact | None
    peers: tuple[str, ...]
    latest: Message
    last_inbound_at: datetime | None = None

    @property
    def name(self) -> str:
        """Of the other end."""
        return (self.contact and self.contact.name) or self.address

    @property
    def address(self) -> str:
        """Where the other end is written to: digits of a number, or a user id."""
        contact = self.contact
        return (contact and (contact.phone or contact.user_id)) or self.latest.peer

    @property
    def is_unanswered(self) -> bool:
        """Whether the latest message is the user's."""
        return self.latest.direction == Direction.INBOUND and self.latest.type not in NO_QUESTION

    @property
    def is_open(self) -> bool:
        """Whether free text reaches the user now."""
        return is_open(self.last_inbound_at, timezone.now())

    @property
    def closes_at(self) -> datetime | None:
        """When the window closes, or None."""
        return self.last_inbound_at + WINDOW if self.last_inbound_at and self.is_open else None


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Latest first. `older`: the id to go on from; None when that was the last page."""

    conversations: list[Conversation] = field(default_factory=list)
    older: UUID | None = None


def latest_conversations(
    size: int, *, before: UUID | None = None, number: int | None = None, unanswered: bool = False
) -> ConversationPage:
    """The conversations whose newest message is older than `before` (an id)."""
    # LATERAL with a LIMIT keeps the planner from joining the whole table: one look into the index a message.
    scan = f"""
      SELECT id, number_id, peer, direction, type FROM messaging_message
      WHERE (%(before)s::uuid IS NULL OR id < %(before)s) AND (%(number)s::bigint IS NULL OR number_id = %(number)s)
      ORDER BY id DESC LIMIT {SCANNED}
    """  # noqa: S608 - no part of it is anybody's
    parameters = {
        "before": before, "number": number, "size": size, "unanswered": unanswered, "quiet": list(NO_QUESTION),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.id FROM ({scan}) m CROSS JOIN LATERAL (
              SELECT l.id FROM messaging_message l WHERE l.peer = m.peer AND l.number_id = m.number_id
              ORDER BY l.at DESC, l.id DESC LIMIT 1
            ) newest
            WHERE newest.id = m.id AND (NOT %(unanswered)s OR m.direction = 'inbound' AND m.type <> ALL(%(quiet)s))
            ORDER BY m.id DESC LIMIT %(size)s
            """,  # noqa: S608 - no part of it is anybody's
            parameters,
        )
        found = [row[0] for row in cursor.fetchall()]
        if len(found) == size:
            return ConversationPage(_conversations(found), found[-1])
        cursor.execute(f"{scan} OFFSET {SCANNED - 1}", parameters)
        last = cursor.fetchone()
    return ConversationPage(_conversations(found), last and last[0])


def find_conversations(term: str) -> ConversationPage:
    """Those with a phone number or user id, in full, or with a contact whose name holds the term."""
    term = term.replace("\0", "")
    peers = peers_of(term)
    by_address = Contact.objects.filter(
        Q(phone__in=peers) | Q(phone_key__in={canonical(peer) for peer in peers}) | Q(user_id__in=peers)
    )
    for contact in {*by_address[:MOST_FOUND], *named(term)[:MOST_FOUND]}:
        peers.update(_names(contact))
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
        if (latest := _newest(_keys(_names(contact), contact), Q(number=number), 1))
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
        bounds &= Q(at__gte=since.at) & ~Q(at=since.at, id__lt=since.id)
    return _newest(_keys(conversation.peers, conversation.contact), bounds, size)[::-1]


def _keys(peers: Iterable[str], contact: Contact | None) -> list[Q]:
    """Each is the beginning of an index that holds the order, which one OR of all would lose."""
    return [*(Q(peer=peer) for peer in sorted(peers)), *([Q(contact=contact)] if contact else [])]


def _newest(keys: Sequence[Q], bounds: Q, size: int) -> list[Message]:
    found: dict[UUID, Message] = {}
    rows: QuerySet[Message] = Message.objects.select_related("number", "contact", "media").defer("raw")
    for key in keys:
        found.update((row.id, row) for row in rows.filter(key, bounds).order_by("-at", "-id")[:size])
    return sorted(found.values(), key=lambda row: (row.at, row.id), reverse=True)[:size]


def _conversations(ids: Sequence[UUID]) -> list[Conversation]:
    rows = Message.objects.filter(id__in=ids).select_related("number", "contact").defer("raw").order_by("-id")
    unique: dict[tuple[int, object], Conversation] = {}
    for one in _described(list(rows)):
        # A contact with a number and a user id may have written under both.
        unique.setdefault((one.number.pk, one.contact.pk if one.contact else canonical(one.latest.peer)), one)
    return list(unique.values())


def _described(latest: Sequence[Message]) -> list[Conversation]:
    contacts = _contacts([row for row in latest if row.contact is None])
    people = [row.contact or contacts.get((row.number.portfolio, canonical(row.peer))) for row in latest]
    names = [(*spellings(row.peer), *(_names(who) if who else ())) for row, who in zip(latest, people, strict=True)]
    wrote = last_inbound([peer for peers in names for peer in peers], timezone.now())
    return [
        Conversation(
            row.number,
            who,
            tuple(dict.fromkeys(peers)),
            row,
            max((wrote[key] for peer in peers if (key := (row.number_id, canonical(peer))) in wrote), default=None),
        )
        for row, who, peers in zip(latest, people, names, strict=True)
    ]


def _contacts(rows: Sequence[Message]) -> dict[tuple[str, str], Contact]:
    keys = {canonical(row.peer) for row in rows}
    found = Contact.objects.filter(Q(phone_key__in=keys) | Q(user_id__in=keys)) if keys else []
    return {(contact.portfolio, key): contact for contact in found for key in _names(contact)}


def _names(contact: Contact) -> list[str]:
    numbers = spellings(contact.phone_key or contact.phone or "")
    return [name for name in dict.fromkeys([*sorted(numbers), contact.phone, contact.user_id]) if name]
