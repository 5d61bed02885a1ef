"""Locations, contact cards and reactions."""

from datetime import date

from messaging.whatsapp.outbound.checks import (
    UNDOCUMENTED_MAX,
    Check,
    Data,
    InvalidContent,
    degrees,
    list_of,
    matching,
    object_of,
    text,
    visible_text,
)
from messaging.whatsapp.outbound.emoji import is_one_emoji

# Meta's OpenAPI description says 5, its older pages 257: the lower one would refuse what may be taken.
MAX_CARDS = 257
MAX_WAMID = 512
# One emoji may be a sequence of a dozen characters: skin tones, families, flags.
MAX_EMOJI = 32
_ANY = text(UNDOCUMENTED_MAX, 0)
_MANY = 100

LOCATION = object_of({"latitude": degrees(90), "longitude": degrees(180)}, {"name": _ANY, "address": _ANY})


def _strings(*names: str) -> dict[str, Check]:
    return dict.fromkeys(names, _ANY)


def _birthday(value: object, path: str) -> object:
    """A day of the calendar."""
    given = _DATE(value, path)
    try:
        date.fromisoformat(str(given))
    except ValueError:
        raise InvalidContent(path, "is not a day of the calendar") from None
    return given


_DATE = matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "must be a date such as 2012-08-18")
_NAME = object_of(
    {"formatted_name": visible_text(UNDOCUMENTED_MAX)},
    _strings("first_name", "last_name", "middle_name", "prefix", "suffix"),
)
_CARD = object_of(
    {"name": _NAME},
    {
        "phones": list_of(object_of({}, _strings("phone", "type", "wa_id")), _MANY, 0),
        "emails": list_of(object_of({}, _strings("email", "type")), _MANY, 0),
        "urls": list_of(object_of({}, _strings("url", "type")), _MANY, 0),
        "addresses": list_of(
            object_of({}, _strings("street", "city", "state", "zip", "country", "country_code", "type")), _MANY, 0
        ),
        "org": object_of({}, _strings("company", "department", "title")),
        "birthday": _birthday,
    },
)
CONTACTS = object_of({"contacts": list_of(_CARD, MAX_CARDS)})


def reaction(value: object, path: str) -> object:
    """``{"message_id", "emoji"}``; an empty emoji removes the reaction."""
    checked = _REACTION(value, path)
    emoji = checked["emoji"] if isinstance(checked, dict) else ""
    if emoji and not is_one_emoji(str(emoji)):
        raise InvalidContent(f"{path}.emoji", "must be one emoji, or empty to remove the reaction")
    return checked


_REACTION = object_of({"message_id": text(MAX_WAMID), "emoji": text(MAX_EMOJI, 0)})


def contact_names(data: Data) -> str:
    """The names on the cards."""
    cards = data["contacts"]
    return ", ".join(card["name"]["formatted_name"] for card in cards) if isinstance(cards, list) else ""
