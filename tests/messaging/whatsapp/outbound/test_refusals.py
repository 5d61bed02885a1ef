"""What Meta refuses is refused at acceptance, by the path of the field."""

import time
from typing import Any

import pytest

from messaging.whatsapp.outbound import InvalidContent, validate

PERSON = "👨\u200d👩\u200d👧\u200d👦"


def template(*texts: object) -> dict[str, Any]:
    parameters = [{"type": "text", "text": text} for text in texts]
    return {"name": "offer", "language": "en", "components": [{"type": "body", "parameters": parameters}]}


def carousel(text: str) -> dict[str, Any]:
    inner = [{"type": "body", "parameters": [{"type": "text", "text": text}]}]
    cards = [{"card_index": index, "components": inner} for index in range(2)]
    return {"name": "offer", "language": "en", "components": [{"type": "carousel", "cards": cards}]}


def buttons(*pairs: tuple[str, str], body: str = "Choose", header: str = "") -> dict[str, Any]:
    made = [{"type": "reply", "reply": {"id": id_, "title": title}} for id_, title in pairs]
    more: dict[str, Any] = {"header": {"type": "text", "text": header}} if header else {}
    return {"type": "button", "body": {"text": body}, "action": {"buttons": made}, **more}


def rows(*sections: list[str], title: str = "Row", button: str = "Open") -> dict[str, Any]:
    made = [
        {"title": f"Section {n}", "rows": [{"id": id_, "title": title} for id_ in ids]}
        for n, ids in enumerate(sections)
    ]
    return {"type": "list", "body": {"text": "Choose"}, "action": {"button": button, "sections": made}}


def reaction(emoji: str) -> dict[str, Any]:
    return {"message_id": "wamid.X", "emoji": emoji}


ONE = ("a", "Yes")
PARAMETER = "components[0].parameters[0].text"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("text", {"content": " "}, "content"),
    ("text", {"content": "\n\t\u200b\u2067"}, "content"),
    ("template", template("two\nlines"), PARAMETER),
    ("template", template("a\rb"), PARAMETER),
    ("template", template("a\tb"), PARAMETER),
    ("template", template("a     b"), PARAMETER),
    ("template", template(""), PARAMETER),
    ("template", template("  "), PARAMETER),
    ("template", template(None), PARAMETER),
    ("template", template("fine", "a\nb"), "components[0].parameters[1].text"),
    ("template", carousel("a\nb"), "components[0].cards[0].components[0].parameters[0].text"),
    ("interactive", buttons(("a", "Yes"), ("a", "No")), "action.buttons[1].reply.id"),
    ("interactive", buttons(("a", "Yes"), ("b", "Yes")), "action.buttons[1].reply.title"),
    ("interactive", buttons(("a", " ")), "action.buttons[0].reply.title"),
    ("interactive", buttons(("a", "Y\nes")), "action.buttons[0].reply.title"),
    ("interactive", buttons((" ", "Yes")), "action.buttons[0].reply.id"),
    ("interactive", buttons(ONE, body="\u200b \n"), "body.text"),
    ("interactive", buttons(ONE, header="two\nlines"), "header.text"),
    ("interactive", buttons(ONE, header=" "), "header.text"),
    ("interactive", rows(["a", "a"]), "action.sections[0].rows[1].id"),
    ("interactive", rows(["a", "b"], ["c", "a"]), "action.sections[1].rows[1].id"),
    ("interactive", rows(["a"], title=" "), "action.sections[0].rows[0].title"),
    ("interactive", rows(["a"], button=" "), "action.button"),
    *(
        ("reaction", reaction(emoji), "emoji")
        for emoji in (
            "a",
            "ok",
            ":)",
            "!",
            "1",
            "👍👍",
            "👍 ",
            " 👍",
            "👍a",
            "\u200d",
            "🏽👍🏽👍",
            "あ",
            "é",
            "👍\u200d",
            "🇩",
        )
    ),
]
TAKEN: list[tuple[str, dict[str, Any]]] = [
    ("text", {"content": " padded \n and on two lines "}),
    ("template", template("Ann", "4 spaces:    fine", "Grüße 👍")),
    ("template", carousel("Ann")),
    ("template", {"name": "offer", "language": "en", "components": []}),
    ("interactive", buttons(("a", "Yes"), ("b", "No"), ("c", "yes"), body="Two\nlines", header="Header")),
    ("interactive", rows(["a", "b"], ["A", "c"])),
    *(
        ("reaction", reaction(emoji))
        for emoji in (
            "",
            "👍",
            "👍🏽",
            "❤️",
            "❤",
            "☺️",
            "🇩🇪",
            "1️⃣",
            "#⃣",
            PERSON,
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
            "🧑🏽\u200d💻",
            "🏳️\u200d🌈",
            "©️",
            "🫠",
        )
    ),
]


@pytest.mark.parametrize(("kind", "data", "path"), REFUSED, ids=range(len(REFUSED)))
def test_what_meta_refuses_is_named_by_its_path(kind: str, data: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidContent) as refused:
        validate(kind, data)
    assert refused.value.field == f"message_data.{path}"


@pytest.mark.parametrize(("kind", "data"), TAKEN, ids=range(len(TAKEN)))
def test_what_meta_takes_is_taken(kind: str, data: dict[str, Any]) -> None:
    validate(kind, data)


def test_long_links_that_are_none_do_not_hold_up_a_bulk() -> None:
    # Each took 80 ms, a bulk of a thousand 80 s.
    link = f"https://{'a' * 4000} b"
    began = time.process_time()
    for _ in range(100):
        with pytest.raises(InvalidContent, match="must be an http"):
            validate("image", {"link": link})
    assert time.process_time() - began < 2
