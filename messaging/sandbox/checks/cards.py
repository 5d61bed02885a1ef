"""Locations, contact cards, reactions and pins."""

from __future__ import annotations

import re
from datetime import datetime

from .emoji import is_one_emoji
from .params import Param, found

# Meta's OpenAPI description says 5, its older pages 257: what may be taken is not refused here.
MAX_CARDS = 257
MAX_PIN_DAYS = 30
_MANY = 100
_WAMID = re.compile(r"wamid\.[A-Za-z0-9+/=_-]{1,500}")
_NAME_PARTS = ("first_name", "last_name", "middle_name", "suffix", "prefix")
_CARD_LISTS: dict[str, tuple[str, ...]] = {
    "addresses": ("street", "city", "state", "zip", "country", "country_code", "type"),
    "emails": ("email", "type"),
    "phones": ("phone", "type", "wa_id"),
    "urls": ("url", "type"),
}


def check_location(node: Param) -> None:
    """``{"latitude", "longitude", "name"?, "address"?}``."""
    node.check_object("latitude", "longitude", "name", "address")
    node.need("latitude").degrees(90)
    node.need("longitude").degrees(180)
    for part in found(node, "name", "address"):
        part.text(least=0)


def check_contacts(node: Param) -> None:
    """Cards, each with a name."""
    for card in node.elements(1, MAX_CARDS):
        card.check_object("name", "org", "birthday", *_CARD_LISTS)
        _check_name(card.need("name"))
        for key, parts in _CARD_LISTS.items():
            if listed := card.find(key):
                for entry in listed.elements(0, _MANY):
                    _check_strings(entry, *parts)
        if org := card.find("org"):
            _check_strings(org, "company", "department", "title")
        if birthday := card.find("birthday"):
            _check_day(birthday)


def check_reaction(node: Param) -> None:
    """``{"message_id", "emoji"}``; an empty emoji removes the reaction."""
    node.check_object("message_id", "emoji")
    check_wamid(node.need("message_id"))
    emoji = node.need("emoji")
    if emoji.text(least=0) and not is_one_emoji(emoji.value):
        raise emoji.unusable("must be one emoji, or empty to remove the reaction")


def check_pin(node: Param) -> None:
    """``{"type", "message_id", "expiration_days"?}``."""
    node.check_object("type", "message_id", "expiration_days")
    node.need("type").one_of("pin", "unpin")
    check_wamid(node.need("message_id"))
    if days := node.find("expiration_days"):
        days.whole(1, MAX_PIN_DAYS)


def check_wamid(param: Param) -> None:
    """The id of a message, by its form."""
    if not _WAMID.fullmatch(param.text()):
        raise param.unusable("is not a valid message ID")


def _check_day(birthday: Param) -> None:
    given = birthday.matching(r"\d{4}-\d{2}-\d{2}", "must be a date of the form YYYY-MM-DD")
    try:
        datetime.strptime(given, "%Y-%m-%d")  # a day has no time zone
    except ValueError:
        raise birthday.unusable("is not a date") from None


def _check_name(name: Param) -> None:
    name.check_object("formatted_name", *_NAME_PARTS)
    name.need("formatted_name").text()
    for part in found(name, *_NAME_PARTS):
        part.text(least=0)


def _check_strings(node: Param, *keys: str) -> None:
    node.check_object(*keys)
    for value in found(node, *keys):
        value.text(least=0)
