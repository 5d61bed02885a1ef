"""The initial templates: one of each kind, and those of the documentation's examples."""

from __future__ import annotations

from typing import Any

from .store import Category, Template

JSON = dict[str, Any]
_FIRST_ID = 594_425_479_261_596


def _body(text: str) -> JSON:
    return {"type": "BODY", "text": text}


def _header(kind: str) -> JSON:
    return {"type": "HEADER", "format": kind}


def _buttons(*buttons: JSON) -> JSON:
    return {"type": "BUTTONS", "buttons": list(buttons)}


_THANKS: JSON = {"type": "QUICK_REPLY", "text": "Thanks"}
_TRACK: JSON = {"type": "URL", "text": "Track", "url": "https://example.com/orders/{{1}}"}
_COPY: JSON = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}
_STOP: JSON = {"type": "QUICK_REPLY", "text": "Stop promotions"}
_COUPON: JSON = {"type": "COPY_CODE", "example": "SPRING25"}
_CARD: JSON = {"components": [_header("IMAGE"), _body("{{1}}"), _buttons(_TRACK)]}

_MADE: tuple[tuple[str, tuple[str, ...], Category, tuple[JSON, ...]], ...] = (
    (
        "hello_world",
        ("en_US",),
        Category.UTILITY,
        (
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            _body("Welcome and congratulations!! This message demonstrates your ability to send a message."),
            {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
        ),
    ),
    (
        "order_ready",
        ("en", "en_US"),
        Category.UTILITY,
        (_body("Your order {{1}} is ready. Shall we keep it for you?"), _buttons(_THANKS)),
    ),
    (
        "order_update",
        ("en", "en_US"),
        Category.UTILITY,
        (_body("Your order {{order}} is now {{state}}."),),
    ),
    (
        "bill",
        ("en_US",),
        Category.UTILITY,
        (_header("DOCUMENT"), _body("Your bill of {{1}} is attached."), _buttons(_TRACK)),
    ),
    (
        "offer",
        ("en", "en_US"),
        Category.MARKETING,
        (_header("IMAGE"), _body("{{1}}, this is only for you."), _buttons(_COUPON, _STOP)),
    ),
    (
        "spring_sale",
        ("en_US",),
        Category.MARKETING,
        (_body("Spring has come: 25 % off everything."), _buttons(_STOP)),
    ),
    (
        "new_arrivals",
        ("en_US",),
        Category.MARKETING,
        (_body("What is new this week:"), {"type": "CAROUSEL", "cards": [_CARD, _CARD]}),
    ),
    (
        "one_time_code",
        ("en", "en_US"),
        Category.AUTHENTICATION,
        (_body("{{1}} is your verification code."), _buttons(_COPY)),
    ),
)

CATALOGUE: tuple[Template, ...] = tuple(
    Template(str(_FIRST_ID + number), name, language, category, components=components)
    for number, (name, language, category, components) in enumerate(
        (name, language, category, components)
        for name, languages, category, components in _MADE
        for language in languages
    )
)
