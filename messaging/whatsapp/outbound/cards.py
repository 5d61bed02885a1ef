"""Places, contact cards and reactions."""

import re

from messaging.whatsapp.outbound.checks import (
    UNSTATED,
    Check,
    Data,
    InvalidContent,
    degrees,
    list_of,
    matching,
    obj,
    text,
)

# Meta's OpenAPI description says 5, its older pages 257: the lower one would refuse what may be taken.
MAX_CARDS = 257
MAX_WAMID = 512
# One emoji may be a sequence of a dozen characters: skin tones, families, flags.
MAX_EMOJI = 32
# One emoji by the grammar of Unicode Technical Standard 51: a keycap, a flag of two letters, or symbols with their skin
# tones and tags, joined by zero-width joiners.
_SYMBOL = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
)
_PART = f"{_SYMBOL}\ufe0f?[\U0001f3fb-\U0001f3ff]?\ufe0f?[\U000e0020-\U000e007f]*"
_ONE_EMOJI = re.compile(f"[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}|{_PART}(?:\u200d{_PART})*")
_ANY = text(UNSTATED, 0)
_MANY = 100

LOCATION = obj({"latitude": degrees(90), "longitude": degrees(180)}, {"name": _ANY, "address": _ANY})


def _strings(*names: str) -> dict[str, Check]:
    return dict.fromkeys(names, _ANY)


_NAME = obj({"formatted_name": text(UNSTATED)}, _strings("first_name", "last_name", "middle_name", "prefix", "suffix"))
_CARD = obj(
    {"name": _NAME},
    {
        "phones": list_of(obj({}, _strings("phone", "type", "wa_id")), _MANY, 0),
        "emails": list_of(obj({}, _strings("email", "type")), _MANY, 0),
        "urls": list_of(obj({}, _strings("url", "type")), _MANY, 0),
        "addresses": list_of(
            obj({}, _strings("street", "city", "state", "zip", "country", "country_code", "type")), _MANY, 0
        ),
        "org": obj({}, _strings("company", "department", "title")),
        "birthday": matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "must be a date such as 2012-08-18"),
    },
)
CONTACTS = obj({"contacts": list_of(_CARD, MAX_CARDS)})


def reaction(value: object, path: str) -> object:
    """``{"message_id", "emoji"}``; an empty emoji takes the reaction away."""
    checked = _REACTION(value, path)
    emoji = checked["emoji"] if isinstance(checked, dict) else ""
    if emoji and not _ONE_EMOJI.fullmatch(str(emoji)):
        raise InvalidContent(f"{path}.emoji", "must be one emoji, or empty to take the reaction away")
    return checked


_REACTION = obj({"message_id": text(MAX_WAMID), "emoji": text(MAX_EMOJI, 0)})


def contact_names(data: Data) -> str:
    """Who the cards are of."""
    cards = data["contacts"]
    return ", ".join(card["name"]["formatted_name"] for card in cards) if isinstance(cards, list) else ""
