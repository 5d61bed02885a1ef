"""Dead letters without personal data."""

from typing import Any

import pytest

from monitoring.dead_letters.redaction import redacted, redacted_text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"data": {"maria_garcia": 1}}, {"data": {"… 1": 1}}),
        ({"data": {"maria": {"garcia": True}, "b": 2}}, {"data": {"… 1": {"… 1": True}, "… 2": 2}}),
        ({"event_data": [{"maria": None}]}, {"event_data": [{"… 1": None}]}),
        ({"object": "page", "entry": [{"field": "messages"}]}, {"object": "page", "entry": [{"field": "messages"}]}),
        ({"campaign": "maria"}, {"campaign": "… (5 characters)"}),
    ],
)
def test_redaction_hides_the_keys_of_clients_but_not_those_of_meta(given: Any, shown: Any) -> None:
    assert redacted(given) == shown


UUID = "0199c0de-0000-7000-8000-00000000abcd"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("", ""),
        ("hello", "… (5 characters)"),
        (UUID, UUID),
        (f"{UUID}0", "… (37 characters)"),
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("on 2026-03-01T12:00:00Z", "… (23 characters)"),
        (None, None),
        (True, True),
        (1.5, 1.5),
        (9_999_999, 9_999_999),
        (10_000_000, "…"),
        (-10_000_000, "…"),
        ((1, "a"), [1, "… (1 characters)"]),
        ({"timestamp": "1790000000"}, {"timestamp": "1790000000"}),
        ({"timestamp": "1790000000123"}, {"timestamp": "1790000000123"}),
        ({"timestamp": "17900000001"}, {"timestamp": "… (11 characters)"}),
        ({"timestamp": "messages"}, {"timestamp": "… (8 characters)"}),
        ({"sent": "1790000000"}, {"sent": "… (10 characters)"}),
        ({"type": "text"}, {"type": "text"}),
        ({"type": "two words"}, {"type": "… (9 characters)"}),
        ({"type": "a15551230001"}, {"type": "a15551230001"}),
        ({"type": "a:15551230001"}, {"type": "… (13 characters)"}),
        ({"type": ["text", "a b"]}, {"type": ["text", "… (3 characters)"]}),
        ({"15551230001": 1}, {"… (11 characters)": 1}),
        ({"a:15551230001": 1}, {"… (13 characters)": 1}),
        ({"two words": 1}, {"… (9 characters)": 1}),
        ({"": 1}, {"": 1}),
        ({"a": {"data": {"b": {"c": 1}}}}, {"a": {"data": {"… 1": {"… 1": 1}}}}),
    ],
)
def test_only_what_is_known_to_be_harmless_is_kept(given: Any, shown: Any) -> None:
    assert redacted(given) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (list(range(20)), list(range(20))),
        (list(range(21)), [*range(20), "… 1 more"]),
        ({f"k{n}": n for n in range(20)}, {f"k{n}": n for n in range(20)}),
        ({f"k{n}": n for n in range(22)}, {**{f"k{n}": n for n in range(20)}, "…": "2 more"}),
    ],
    ids=["a list", "a long list", "an object", "a long object"],
)
def test_of_many_items_the_first_twenty_are_shown(given: Any, shown: Any) -> None:
    assert redacted(given) == shown


@pytest.mark.parametrize("inner", [[7, 7], {"a": 7, "b": 7}], ids=["list", "object"])
def test_what_is_nested_deeper_than_twelve_levels_is_counted(inner: Any) -> None:
    def nested(value: Any, levels: int) -> Any:
        for level in range(levels):
            value = [value] if level % 2 else {"a": value}
        return value

    assert redacted(nested(inner, 11)) == nested(inner, 11)
    assert redacted(nested(inner, 12)) == nested("… (2)", 12)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe_7: 42!", "xxxxx_0: 00!"),
        ("a" * 400, "x" * 400),
        ("a" * 401, "x" * 400 + "…"),
        ("", ""),
    ],
)
def test_a_text_shows_its_form_and_no_word(text: str, shown: str) -> None:
    assert redacted_text(text) == shown
