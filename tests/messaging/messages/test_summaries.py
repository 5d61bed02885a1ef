"""What an operator reads of an interactive message: its text once, and what the person may tap."""

from typing import Any

import pytest

from messaging.messages.summaries import summarize
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
