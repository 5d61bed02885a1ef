"""Erasure of a person: texts, names, numbers, files and raw pieces go; counts, times, statuses and prices stay.

It runs in small transactions, each of which leaves a valid state. A repetition finishes an erasure that was killed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from messaging.access import record_action
from messaging.erasure.erased_peers import erased_words
from messaging.erasure.other_tables import CannotReadYet, other_tables, waiting_webhooks
from messaging.erasure.person import Person
from messaging.erasure.wamid_digests import digest_of
from messaging.lifecycle import Change, advance_many
from messaging.media import REMOVE_FILES
from messaging.models import Contact, ErasedWamid, Message
from messaging.states import Status

ROWS = 200
# Being sent, or perhaps sent: the outcome will be matched by the person's number.
UNDECIDED = (Status.SENDING, Status.UNKNOWN)
WAITING = (Status.PENDING, Status.QUEUED)
BEING_SENT = "A message to this person is being sent. Erase again in a minute."


class CannotEraseYet(Exception):
    """Something of the person is still on its way; the text says what, and what to do."""


@dataclass(slots=True)
class Erased:
    """What was erased. `kept_contacts`: contacts whose number stays, since they have opted out or are blocked."""

    cancelled: int = 0
    messages: int = 0
    contacts: int = 0
    kept_contacts: int = 0
    others: dict[str, int] = field(default_factory=dict)

    def as_details(self) -> dict[str, int]:
        """For the audit log: counts alone."""
        counts = {"messages": self.messages, "contacts": self.contacts, "kept contacts": self.kept_contacts}
        return {name: count for name, count in {**counts, **self.others}.items() if count}


def erase(
    person: Person, who: str, forget_objection: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Erased:
    """Erase a person. `progress` is called with the number of messages erased so far.

    forget_objection: erase the number of a contact that has opted out or is blocked too. Otherwise the number, and
    nothing else, stays, so that the objection holds.
    Raises CannotEraseYet: before it has done more than cancel waiting messages, or later, if a message that was
    accepted meanwhile is being sent, or a table can no longer be read.
    """
    done = Erased(cancelled=_cancel_waiting(person))
    refuse_undecided(person)
    word = erased_words(set(person.messages.order_by().values_list("peer", flat=True).distinct()))
    while rows := _erase_messages(person, word):
        done.messages += rows
        progress(done.messages)
    try:
        done.others = {table.name: table.erase(person) for table in other_tables()}
    except CannotReadYet as error:
        raise CannotEraseYet(f"{error} A part is erased: erase again to finish.") from None
    with transaction.atomic():
        _erase_contacts(person, forget_objection, done)
        record_action(who, "erase", "a person", **done.as_details())
    return done


def _cancel_waiting(person: Person) -> int:
    waiting = list(person.messages.filter(status__in=WAITING).values_list("pk", flat=True))
    for start in range(0, len(waiting), ROWS):
        _cancel(waiting[start : start + ROWS])
    return len(waiting)


def _cancel(waiting: Sequence[UUID]) -> None:
    now = timezone.now()
    advance_many([Change(pk, Status.CANCELLED, now, "operator") for pk in waiting])


def refuse_undecided(person: Person) -> None:
    """Raise CannotEraseYet while something of the person is on its way, or a table cannot be looked at."""
    left = person.messages.filter(status__in=[*UNDECIDED, *WAITING])
    states = set(left.values_list("status", flat=True).distinct())
    if Status.UNKNOWN in states:
        raise CannotEraseYet(
            "A message to this person has an unknown outcome. Decide it on its page in the admin (Messages, status "
            "unknown), then erase again."
        )
    if states:
        raise CannotEraseYet(BEING_SENT)
    if waiting_webhooks(person):
        raise CannotEraseYet("A webhook about this person is being processed. Erase again in a minute.")
    for table in other_tables():
        if why := table.refusal(person):
            raise CannotEraseYet(why)


_ERASE = f"""
WITH chosen AS MATERIALIZED (
  SELECT id FROM messaging_message WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE),
files AS ({REMOVE_FILES}),
media AS (
  UPDATE messaging_media f SET state = 'deleted', name = '', filename = '', sha256 = '', digest = '', media_id = '',
    error = '', finished_at = coalesce(f.finished_at, statement_timestamp()), lease_until = NULL
  FROM chosen WHERE f.message_id = chosen.id),
attempts AS (UPDATE messaging_attempt a SET wamid = NULL FROM chosen WHERE a.message_id = chosen.id),
events AS (UPDATE messaging_messageevent e SET key = NULL FROM chosen WHERE e.message_id = chosen.id),
deliveries AS (
  UPDATE messaging_delivery d SET state = 'failed', finished_at = statement_timestamp(), lease_until = NULL,
    error = 'The person was erased.'
  WHERE d.finished_at IS NULL AND d.message_id = ANY(%(ids)s))
UPDATE messaging_message m SET peer = word.peer, sent_to = NULL, contact_id = NULL, wamid = NULL, context_wamid = '',
  text = '', content = '{{}}', raw = NULL, reference = '', content_deleted_at = statement_timestamp()
FROM chosen JOIN unnest(%(ids)s::uuid[], %(words)s::text[]) AS word(id, peer) ON word.id = chosen.id
WHERE m.id = chosen.id
"""  # noqa: S608 - a constant


def _erase_messages(person: Person, word: Callable[[str], str]) -> int:
    """Erase up to ROWS messages and the wamids of all their attempts; returns how many.

    `word`: what stands instead of an address.
    """
    with transaction.atomic():
        rows = person.messages.select_for_update().order_by("pk").values_list("pk", "status", "peer")[:ROWS]
        found, words = {pk: status for pk, status, _ in rows}, [word(peer) for _, _, peer in rows]
        if not found:
            return 0
        # Accepted since the erasure began: without its content it must not be sent.
        if not set(UNDECIDED).isdisjoint(found.values()):
            raise CannotEraseYet(BEING_SENT)
        _cancel([pk for pk, status in found.items() if status in WAITING])
        ids = list(found)
        ErasedWamid.objects.bulk_create(
            [ErasedWamid(digest=digest) for digest in sorted(map(digest_of, _wamids(ids)))], ignore_conflicts=True
        )
        with connection.cursor() as cursor:
            cursor.execute(_ERASE, {"ids": ids, "words": words})
    return len(ids)


def _wamids(ids: list[UUID]) -> set[str]:
    messages = Message.objects.filter(pk__in=ids)
    found = {*messages.values_list("wamid", flat=True), *messages.values_list("attempt_set__wamid", flat=True)}
    return {wamid for wamid in found if wamid}


def _erase_contacts(person: Person, forget_objection: bool, done: Erased) -> None:
    # An opt-out or block that is stored at this moment is seen.
    list(person.contacts.select_for_update().order_by("pk"))
    objects = person.contacts.filter(opted_out_at__isnull=False) | person.contacts.filter(blocked_at__isnull=False)
    kept = [] if forget_objection else list(objects.values_list("pk", flat=True))
    done.kept_contacts = Contact.objects.filter(pk__in=kept).update(name="", username="")
    done.contacts = person.contacts.exclude(pk__in=kept).delete()[0]
