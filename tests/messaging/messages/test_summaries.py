"""What an operator reads of each type of message."""

from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.messages.summaries import Summary, preview, summarize
from messaging.models import Message

BODY = {"text": "Which one?"}
SENT: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    (
        {
            "type": "button",
            "body": BODY,
            "action": {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "A"}}]},
        },
        ("[A]",),
    ),
    (
        {
            "type": "list",
            "body": BODY,
            "action": {"button": "Show", "sections": [{"rows": [{"id": "1", "title": "B"}]}]},
        },
        ("[Show]", "• B"),
    ),
    (
        {
            "type": "cta_url",
            "body": BODY,
            "action": {"parameters": {"display_text": "Open", "url": "https://a.example"}},
        },
        ("[Open]",),
    ),
    ({"type": "button", "body": {"text": "Another"}, "action": None}, ("Another",)),
    ({"type": "list", "body": None, "action": {"buttons": 1, "sections": [1, {"rows": 1}], "parameters": []}}, ()),
]


@pytest.mark.parametrize(("content", "lines"), SENT, ids=[f"{n}" for n in range(len(SENT))])
def test_the_buttons_of_an_interactive_message_are_listed(content: dict[str, Any], lines: tuple[str, ...]) -> None:
    assert summarize(Message(type="interactive", text="Which one?", content=content)).lines == lines


def shown(kind: str, content: Any = None, text: str = "", **fields: Any) -> Summary:
    return summarize(Message(type=kind, content=content, text=text, **fields))


PARAMETERS = [
    {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/b.png"}}]},
    {
        "type": "body",
        "parameters": [
            {"type": "text", "text": "Ada"},
            {"text": "without a type"},
            {"type": "text", "parameter_name": "day", "text": "Monday"},
            {"type": "currency", "currency": {"fallback_value": "5 EUR", "code": "EUR"}},
            {"type": "document", "document": {"id": "7", "filename": "a.pdf"}},
            {"type": "video", "video": {"id": 7}},
            {"type": "odd", "odd": {}},
            {"type": "gone"},
            "odd",
        ],
    },
    {"parameters": [{"type": "text", "text": "x"}]},
    {"type": "footer"},
    3,
]
LINES = (
    "header: https://a.example/b.png", "body: Ada", "body: without a type", "body day: Monday", "body: 5 EUR",
    "body: a.pdf", "body: 7", "body: odd", "body: gone", ": x",
)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"name": "hello", "language": "de", "components": PARAMETERS}, Summary("T", "Template hello (de)", LINES)),
        ({"name": "hello", "language": "de", "components": tuple(PARAMETERS[4:])}, Summary("T", "Template hello (de)")),
        ({"components": "odd"}, Summary("T", "Template stored ()")),
        (None, Summary("T", "Template stored ()")),
    ],
)
def test_a_template_shows_its_name_and_each_parameter(content: Any, expected: Summary) -> None:
    assert shown("template", content, "T", template="stored") == expected


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("text", None, Summary("T")),
        ("image", {"filename": "a.png"}, Summary("T", "Image", ("a.png",))),
        ("document", {"filename": None}, Summary("T", "Document")),
        ("location", {"address": "Main St 1", "latitude": 52.5, "longitude": 13},
         Summary("T", "Location", ("Main St 1", "52.5, 13"))),
        ("contacts", {"contacts": [
            {"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+1"}, {"phone": "+2"}, {}]}, {"name": "x"}, 1,
        ]}, Summary("T", "Contact card", ("Ada +1 +2", "without a name"))),
        ("order", {"product_items": [
            {"quantity": 2, "product_retailer_id": "sku", "item_price": 3.5, "currency": "EUR"}, {},
        ]}, Summary("T", "Order", ("2 x sku at 3.5 EUR", "? x ? at "))),
        ("unsupported", {"title": "Poll", "details": "no polls"},
         Summary("T", "Not supported by the Cloud API", ("Poll", "no polls"))),
        ("button", {"payload": "p"}, Summary("T", "Tapped a button")),
        ("request_welcome", None, Summary("T", "Opened the chat")),
        ("call_permission_reply", None, Summary("T", "Answer to a request to call")),
        ("some_new_type", ["odd"], Summary("T", "Some new type")),
        ("interactive", {"kind": "list_reply", "description": "of it"}, Summary("T", "Chose from a list", ("of it",))),
        ("interactive", {"kind": "button_reply", "description": "T"}, Summary("T", "Tapped a button")),
        ("interactive", {"kind": "nfm_reply"}, Summary("T", "Sent a form")),
        ("interactive", {"kind": "new"}, Summary("T", "Interactive message")),
        ("interactive", {"action": {"parameters": {"flow_cta": "Start", "flow_id": 1}}},
         Summary("T", "Interactive message", ("[Start]",))),
    ],
)  # fmt: skip
def test_a_message_shows_its_kind_and_details(kind: str, content: Any, expected: Summary) -> None:
    assert shown(kind, content, "T") == expected


@pytest.mark.parametrize("kind", ["text", "image", "template"])
def test_deleted_content_says_what_it_was_and_when_it_went(kind: str) -> None:
    gone = shown(kind, {"filename": "a.png"}, content_deleted_at=datetime(2026, 11, 5, tzinfo=UTC))
    assert gone == Summary("", f"{kind.capitalize()}, whose content was deleted on 2026-11-05")


@pytest.mark.parametrize(
    ("kind", "text", "content", "line"),
    [
        ("text", "two\n  lines", None, "two lines"),
        ("image", "look", {"filename": "a.png"}, "Image: look"),
        ("location", "", {"address": "Main St 1", "latitude": 1, "longitude": 2}, "Location: Main St 1 · 1, 2"),
        ("sticker", "", None, "Sticker"),
        ("reaction", "👍", None, "Reacted 👍"),
        ("reaction", "", None, "Removed a reaction"),
        ("text", "x" * 90, None, "x" * 90),
        ("text", "x" * 91, None, "x" * 89 + "…"),
    ],
)
def test_a_preview_is_one_line_of_ninety_characters_at_most(kind: str, text: str, content: Any, line: str) -> None:
    assert preview(Message(type=kind, text=text, content=content)) == line


def test_a_preview_may_be_shorter() -> None:
    assert preview(Message(type="text", text="abcdef"), 4) == "abc…"
