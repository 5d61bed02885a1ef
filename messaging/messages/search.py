"""Message search by wamid, id, phone number, reference or campaign."""

from uuid import UUID

from django.db.models import Q, QuerySet

from messaging.contacts import equivalent_peers
from messaging.models import Message


def search_messages(messages: QuerySet[Message], term: str) -> QuerySet[Message]:
    """Search by wamid, our id, phone number (with or without separators), reference or campaign; each uses an index."""
    term = term.replace("\0", "").strip()
    if term.startswith("wamid."):
        return messages.filter(wamid=term)
    try:
        return messages.filter(id=UUID(term))
    except ValueError:
        pass
    return (
        messages.filter(Q(peer__in=peers_matching(term)) | Q(reference=term) | Q(campaign=term)) if term else messages
    )


def peers_matching(term: str) -> set[str]:
    """The values of `Message.peer` for a phone number (with or without plus and separators) or a user id.

    A number may have several spellings, and Meta may have replaced it by another number.
    """
    term = term.strip()
    digits = "".join(character for character in term if character.isdigit())
    return equivalent_peers({term, digits} - {""})
