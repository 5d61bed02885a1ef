"""Search of contacts by a part of their name: any Unicode form, with or without accents, in any case."""

import unicodedata

from django.db.models import Q, QuerySet

from messaging.models import Contact
from messaging.models.name_search import NameGrams, NormalizedName

# Letters that Unicode does not decompose, and how people without them on their keyboard write them.
_PLAIN_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "\u0131": "i",
}  # fmt: skip
GRAM_LENGTH = 3


def contacts_named(term: str) -> QuerySet[Contact]:
    """The contacts whose name or username contains the term; all for an empty term. Uses the index of name grams."""
    wanted = normalized_name(term)
    if not wanted:
        return Contact.objects.all()
    grams = grams_of(wanted)
    candidates = Contact.objects.alias(
        name_grams=NameGrams("name"),
        username_grams=NameGrams("username"),
        plain_name=NormalizedName("name"),
        plain_username=NormalizedName("username"),
    )
    # The grams come from the index; the text is checked because it may have the grams in another order.
    return candidates.filter(
        Q(name_grams__contains=grams, plain_name__contains=wanted)
        | Q(username_grams__contains=grams, plain_username__contains=wanted)
    )


def grams_of(wanted: str) -> list[str]:
    """The pieces of a normalised term that the index has; a shorter term is one."""
    return sorted({wanted[start : start + GRAM_LENGTH] for start in range(max(1, len(wanted) - GRAM_LENGTH + 1))})


def normalized_name(text: str) -> str:
    """The form in which names are compared, as the SQL function `messaging_normalized_name` makes it."""
    text = unicodedata.normalize("NFKD", text.replace("\0", "")).lower()
    text = "".join(letter for letter in text if not "\u0300" <= letter <= "\u036f")
    for letter, plain in _PLAIN_LETTERS.items():
        text = text.replace(letter, plain)
    return " ".join(text.split())
