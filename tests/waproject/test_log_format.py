"""Log lines hold nobody's words and numbers."""

import logging

import pytest

from waproject.log_format import MaskingFormatter, mask

REFUSED = "null value violates a constraint\nDETAIL:  Failing row contains (5, secret words,\nmore words)."


def logged(error: Exception) -> str:
    """What the formatter makes of an error with its traceback."""
    try:
        raise error
    except type(error) as caught:
        info = (type(caught), caught, caught.__traceback__)
    return MaskingFormatter("%(message)s").format(
        logging.LogRecord("x", logging.ERROR, "", 0, "failed: %r", (error,), info)
    )


def test_what_postgresql_quotes_is_left_out() -> None:
    text = logged(ValueError(REFUSED))
    assert ("secret words" in text, "more words" in text) == (False, False)


def test_what_went_wrong_is_still_said() -> None:
    text = logged(ValueError(REFUSED))
    assert ("null value violates" in text, "Traceback" in text) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "to +15551230001",
        "to 15551230001 failed",
        "wamid.HBgLMTU1NTEyMzAwMDEVAgA=",
        "(15551230001)",
        "peer=4915112345678",
    ],
)
def test_phone_numbers_and_wamids_are_masked(text: str) -> None:
    assert not any(part in mask(text) for part in ("15551230001", "HBgL", "4915112345678"))


@pytest.mark.parametrize(
    "text", ["message 01a20a86-68d8-7504-856c-0bbbafb777dd", "2026-11-23 22:28:12,987", "took 1234 ms"]
)
def test_our_own_ids_and_times_stay(text: str) -> None:
    assert mask(text) == text
