"""Texts, files, locations, contact cards and reactions."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]
LINK = {"link": "https://example.com/a"}
WAMID = "wamid.HBgLMTU1NTEyMzAwMDE="


def contact(**more: object) -> JSON:
    return {"name": {"formatted_name": "Ann"}, **more}


TAKEN: list[tuple[str, Any]] = [
    ("text", {"body": "x"}),
    ("text", {"body": "x" * 4096, "preview_url": True}),
    ("text", {"body": " padded \n and on two lines "}),
    ("image", LINK),
    ("image", {**LINK, "caption": "c" * 1024}),
    ("image", {"id": "1234567890"}),
    ("video", {**LINK, "caption": "Look"}),
    ("audio", {**LINK, "voice": True}),
    ("document", {**LINK, "caption": "Read", "filename": "f" * 240}),
    ("sticker", {"id": "1234567890"}),
    ("location", {"latitude": 90, "longitude": -180, "name": "Here", "address": ""}),
    ("location", {"latitude": "52.5", "longitude": "13.4"}),
    ("contacts", [contact()]),
    ("contacts", [contact()] * 257),
    *(("contacts", [contact(birthday=day)]) for day in ("2012-08-18", "2012-02-29", "2000-02-29", "1900-12-31")),
    ("contacts", [contact(phones=[{"phone": "+1", "type": "HOME", "wa_id": "1"}], emails=[{"email": "a@b"}])]),
    ("contacts", [contact(org={"company": "A"}, urls=[{"url": "a"}], addresses=[{"city": "Ulm"}])]),
    *(
        ("reaction", {"message_id": WAMID, "emoji": emoji})
        for emoji in (
            *("", "👍", "👍🏽", "❤️", "❤", "☺️", "✔️", "⭐", "🇩🇪", "1️⃣", "#⃣", "©️", "™️", "〰️", "㊗️", "🫠", "🀄", "🅰️", "⏏️"),
            *("👨\u200d👩\u200d👧\u200d👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🧑🏽\u200d💻", "🏳️\u200d🌈", "❤️\u200d🔥", "🏽", "🪿", "🛜"),
        )
    ),
]

REFUSED: list[tuple[str, Any, str, int]] = [
    ("text", {"body": "x" * 4097}, "body", 100),
    ("text", {"body": ""}, "body", 100),
    ("text", {"body": "\n\t\u200b\u2067"}, "body", 131009),
    ("text", {"body": "x", "preview_url": "yes"}, "preview_url", 100),
    ("text", {"body": "x", "colour": "red"}, "colour", 100),
    ("image", {}, "", 100),
    ("image", {**LINK, "id": "1"}, "link", 100),
    ("image", {**LINK, "caption": "c" * 1025}, "caption", 100),
    ("image", {**LINK, "caption": " "}, "caption", 131009),
    ("image", {**LINK, "filename": "a.png"}, "filename", 100),
    ("image", {"link": "ftp://example.com/a"}, "link", 100),
    ("image", {"link": "example.com/a"}, "link", 100),
    ("image", {"id": 7}, "id", 100),
    ("image", {"id": " "}, "id", 131009),
    ("video", {**LINK, "caption": "c" * 1025}, "caption", 100),
    ("audio", {**LINK, "caption": "Listen"}, "caption", 100),
    ("audio", {**LINK, "voice": "yes"}, "voice", 100),
    ("document", {**LINK, "filename": "f" * 241}, "filename", 100),
    ("document", {**LINK, "filename": "a\nb.pdf"}, "filename", 131009),
    ("sticker", {**LINK, "caption": "Ha"}, "caption", 100),
    ("location", {"latitude": 90.1, "longitude": 0}, "latitude", 131009),
    ("location", {"latitude": 0, "longitude": -180.1}, "longitude", 131009),
    ("location", {"latitude": "91", "longitude": 0}, "latitude", 131009),
    ("location", {"latitude": "north", "longitude": 0}, "latitude", 100),
    ("location", {"latitude": True, "longitude": 0}, "latitude", 100),
    ("location", {"latitude": 1}, "longitude", 131008),
    ("location", {"latitude": 1, "longitude": 1, "url": "a"}, "url", 100),
    ("contacts", [], "contacts", 100),
    ("contacts", [contact()] * 258, "contacts", 100),
    ("contacts", [{}], "contacts[0].name", 131008),
    ("contacts", [contact(), {"name": {}}], "contacts[1].name.formatted_name", 131008),
    ("contacts", [{"name": {"formatted_name": " "}}], "contacts[0].name.formatted_name", 131009),
    *(
        ("contacts", [contact(birthday=day)], "contacts[0].birthday", code)
        for day, code in {
            **{"18 August": 100, "2012-8-18": 100, "18-08-2012": 100, "2012-08-18T00:00": 100, "": 100},
            **{"2012-02-30": 131009, "2011-02-29": 131009, "1900-02-29": 131009, "2012-13-01": 131009},
            **{"2012-04-31": 131009, "2012-00-10": 131009, "2012-10-00": 131009, "0000-01-01": 131009},
        }.items()
    ),
    ("contacts", [contact(phones={"phone": "1"})], "contacts[0].phones", 100),
    ("contacts", [contact(phones=[{"phone": 1}])], "contacts[0].phones[0].phone", 100),
    ("contacts", [contact(nick="A")], "contacts[0].nick", 100),
    *(
        ("reaction", {"message_id": WAMID, "emoji": emoji}, "emoji", 131009)
        for emoji in (
            *(
                "☆",
                "☆️",
                "★",
                "♡",
                "✓",
                "→",
                "☐",
                "♫",
                "⚐",
                "♠♥",
                "a",
                "ok",
                ":)",
                "<3",
                "!",
                "1",
                "#",
                "1️",
                "字",
                "é",
                "🖒",
            ),
            *(
                "👍👍",
                "🇩🇪🇫🇷",
                "👍 ",
                " 👍",
                "👍a",
                "👍\u200d",
                "\u200d👍",
                "\u200d",
                "🇩",
                "❤\ufe0e",
                " ",
                "🏽👍🏽",
                "👍🏽🏽",
            ),
        )
    ),
    ("reaction", {"message_id": WAMID, "emoji": 7}, "emoji", 100),
    ("reaction", {"message_id": WAMID}, "emoji", 131008),
    ("reaction", {"emoji": "👍"}, "message_id", 131008),
]
