"""Log lines contain no phone numbers, wamids, keys or tokens."""

import time
from uuid import uuid4

import pytest

from waproject.logs.masking import MASK, mask, masked


@pytest.mark.parametrize(
    "text",
    [
        "to +15551230001",
        "to 15551230001 failed",
        "to 15551230001.",
        "to +1 (555) 123-0001 failed",
        "to +49 151 123 45 678",
        "wamid.HBgLMTU1NTEyMzAwMDEVAgA=",
        "(15551230001)",
        "peer=4915112345678",
        "/messaging/messages?phone_number=%2B15551230001",
        "['15551230001']",
    ],
)
def test_phone_numbers_and_wamids_are_masked(text: str) -> None:
    parts = ("15551230001", "HBgL", "4915112345678", "123-0001", "45 678")
    assert not any(part in mask(text) for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        "?q=%2B49%20151%20123%2045678",
        "?q=%2B49+151+12345678",
        "?q=%2B1%20%28555%29%20123%2D0001",
        "to +49\u00a0151\u202f12345678",
        "to +49\u2011151\u201112345678",
        "to +49/151/12345678",
        "to +49 (0) 151 - 12345678",
        "to 155512300011234567",
        "to +155512300011234567",
        "/_sandbox/wamid.HBgL%2BMTU1NTEyMzAwMDE%3D",
        "to US.13491208655302741918 failed",
        "['DE.ENT.x8aB1234567890']",
        "/api/messages/US.13491208655302741918/",
    ],
)
def test_numbers_and_user_ids_are_masked_as_urls_and_people_write_them(text: str) -> None:
    kept = ("151", "5678", "555", "0001", "234567", "MTU1", "1349", "2741918", "x8aB")
    assert not any(part in mask(text) for part in kept)


@pytest.mark.parametrize(
    "text",
    ["key wak_abc123", "Bearer abc.def", "GET /x?hub.verify_token=abc123", "access_token=abc", "EAAGm0PX4ZCpsBA"],
)
def test_keys_and_tokens_are_masked(text: str) -> None:
    text += "Q" * 9
    assert not any(part in mask(text) for part in ("abc", "PX4Z"))


@pytest.mark.parametrize(
    "text",
    [
        "message 01a20a86-68d8-7504-856c-0bbbafb777dd",
        "2026-11-23 22:28:12,987",
        "2026-11-23T22:28:12.987654Z",
        "took 1234 ms",
        "at 1732401234.567",
        "127.0.0.1:8000",
        "4f1c0b7a6f574f4a9d390a3f1bd0c001",
        "the US.federal law",
        "1+1 and +12.5 % of 7/8",
        "attempt +1\n2026-11-24 12:00:00",
    ],
)
def test_our_own_ids_and_times_stay(text: str) -> None:
    assert mask(text) == text


def test_no_uuid_is_taken_for_a_number() -> None:
    ids = [str(uuid4()) for _ in range(20_000)]
    assert [one for one in ids if mask(one) != one] == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (15551230001, "…"),
        (1234, 1234),
        (12.5, 12.5),
        (True, True),
        (None, None),
        (["15551230001", 3], ["…", 3]),
        ({"15551230001": "+15551230001"}, {"…": "…"}),
        (ValueError("15551230001"), "…"),
    ],
)
def test_values_of_every_kind_are_masked(value: object, kept: object) -> None:
    assert masked(value) == kept


def test_a_value_nested_too_deeply_is_masked_and_raises_nothing() -> None:
    value: object = "+15550001234"
    for _ in range(5000):
        value = [value]
    assert str(masked(value)).count(MASK) == 1


@pytest.mark.parametrize(
    ("text", "masked_text"),
    [
        ("to +1 (555) 123-0001 failed", "to … failed"),
        ("to 15551230001.", "to …."),
        ("wamid.HBgLMTU1NTEyMzAwMDEVAgA= and wamid.x", "wamid.… and wamid.…"),
        ("key wak_abc123, Bearer abc.def", "key …, Bearer …"),
        ("?a=1&access_token=abc&b='token=x'", "?a=1&access_token=…&b='token=…'"),
        ("token EAAGm0PX4ZCpsBAQQQQQQ", "token …"),
        ("EAA of 16: EAA" + "x" * 15, "EAA of 16: EAA" + "x" * 15),
        ("no key: wak, EAA, Bearer", "no key: wak, EAA, Bearer"),
        ("refused\nDETAIL:  Failing row (1)\n", "refused"),
        ("refused\nCONTEXT:  of 1\nTraceback of it", "refused\nTraceback of it"),
        ("refused\\nQUERY: SELECT 1", "refused"),
        (
            "refused\nDETAIL:  a\n  File x\nDETAIL:  b\nDuring handling of it",
            "refused\n  File x\nDuring handling of it",
        ),
        ("%2B49151123 and 1234567", "… and 1234567"),
        ("+1234567", "…"),
        ("+123456", "+123456"),
    ],
)
def test_only_what_is_private_is_replaced(text: str, masked_text: str) -> None:
    assert mask(text) == masked_text


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (9_999_999, 9_999_999),
        (10_000_000, "…"),
        (-10_000_000, "…"),
        ((1, "15551230001"), [1, "…"]),
        ({3}, [3]),
        (frozenset({3}), [3]),
        ({1: {2: "x"}}, {"1": {"2": "x"}}),
    ],
)
def test_containers_stay_and_numbers_as_long_as_a_phones_do_not(value: object, kept: object) -> None:
    assert masked(value) == kept


@pytest.mark.parametrize(
    ("value", "kept"), [([[1]], [[1]]), ([[[1]]], [["…"]]), ([[[]]], [["…"]]), ({"a": {"b": [2]}}, {"a": {"b": "…"}})]
)
def test_what_is_nested_deeper_than_asked_is_masked_as_a_whole(value: object, kept: object) -> None:
    assert masked(value, 1) == kept


@pytest.mark.parametrize("blank", [" ", "\n", "\\n"])
def test_a_line_full_of_blanks_is_masked_at_once(blank: str) -> None:
    began = time.process_time()
    assert "secret" not in mask(f"failed{blank * 60_000}DETAIL:  secret")
    assert time.process_time() - began < 1
