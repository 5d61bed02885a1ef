"""Message search by wamid, id, phone number, reference or campaign."""

from uuid import UUID

from django.db.models import Q, QuerySet

from messaging.contacts import names_of
from messaging.models import Message


def search_messages(messages: QuerySet[Message], term: str) -> QuerySet[Message]:
    """By wamid, our id, phone number with or without separators, or the client's words; each by its index."""
    term = term.replace("\0", "").strip()
    if term.startswith("wamid."):
        return messages.filter(wamid=term)
    try:
        return messages.filter(id=UUID(term))
    except ValueError:
        pass
    return messages.filter(Q(peer__in=peers_of(term)) | Q(reference=term) | Q(campaign=term)) if term else messages


def peers_of(term: str) -> set[str]:
    """What `Message.peer` holds for a phone number with or without plus and separators, or for a user id.

    A number may have several spellings, and Meta may know it by another one.
    """
    term = term.strip()
    digits = "".join(character for character in term if character.isdigit())
    return names_of({term, digits} - {""})
