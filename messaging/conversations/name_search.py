"""Search of contacts by name: any Unicode form, with or without accents, in any case, with any blanks."""

import unicodedata

from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Lower

from messaging.models import Contact

# Letters that do not decompose, as people without them write them.
_FOLDED = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "\u0131": "i"}
# Combining marks: the accents that a decomposition leaves behind.
_MARKS = "[\u0300-\u036f]+"


def named(term: str) -> QuerySet[Contact]:
    """The contacts whose name or username holds the term; all for a term without a letter, digit or sign."""
    wanted = folded(term)
    if not wanted:
        return Contact.objects.all()
    found = Contact.objects.alias(folded_name=_in_sql("name"), folded_username=_in_sql("username"))
    return found.filter(Q(folded_name__contains=wanted) | Q(folded_username__contains=wanted))


def folded(text: str) -> str:
    """The form in which names are compared."""
    text = unicodedata.normalize("NFKD", text.replace("\0", "")).lower()
    text = "".join(letter for letter in text if not "\u0300" <= letter <= "\u036f")
    for letter, plain in _FOLDED.items():
        text = text.replace(letter, plain)
    return " ".join(text.split())


def _in_sql(field: str) -> Func:
    """`folded` of a column. A scan, as every search inside a text without an index of its own is."""
    decomposed = Func(F(field), function="normalize", template="%(function)s(%(expressions)s, NFKD)")
    text: Func = _replaced(Lower(decomposed), _MARKS, "")
    for letter, plain in _FOLDED.items():
        text = Func(text, Value(letter), Value(plain), function="replace", output_field=TextField())
    return _replaced(text, r"[\s\u00a0]+", " ")


def _replaced(text: Func, pattern: str, by: str) -> Func:
    return Func(text, Value(pattern), Value(by), Value("g"), function="regexp_replace", output_field=TextField())
