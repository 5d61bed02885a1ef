"""Message search by wamid, id, phone number, reference or campaign."""

from uuid import UUID

from django.db.models import Q, QuerySet

from messaging.contacts import equivalent_peers
from messaging.models import Message
from messaging.whatsapp.storable import storable_text


def search_messages(messages: QuerySet[Message], term: str) -> QuerySet[Message]:
    """Search by wamid, our id, phone number (with or without separators), reference or campaign; each by its index."""
    term = term.replace("\0", "").strip()
    if term.startswith("wamid."):
        return messages.filter(wamid=term)
    try:
        return messages.filter(id=UUID(term))
    except ValueError:
        pass
    return messages.filter(_named(term)) if term else messages


def _named(term: str) -> Q:
    """What the messages that a term names have in common.

    A condition that no message fulfils is left out: PostgreSQL cannot estimate three of them joined by OR, and would
    read the history from today back until it has a page. Several that have messages are asked for their ids first.
    """
    conditions = (Q(peer__in=peers_matching(term)), Q(reference=term), Q(campaign=term))
    found = [condition for condition in conditions if Message.objects.filter(condition).exists()]
    if len(found) <= 1:
        return found[0] if found else Q(pk__in=())
    first, *others = (Message.objects.filter(condition).values("pk") for condition in found)
    return Q(pk__in=first.union(*others, all=True))


def peers_matching(term: str) -> set[str]:
    """The values of `Message.peer` for a phone number (with or without plus and separators) or a user id.

    A number may have several spellings, and Meta may have replaced it by another number.
    """
    term = storable_text(term).strip()
    digits = "".join(character for character in term if character.isdigit())
    return equivalent_peers({term, digits} - {""})
