"""Disables long polling: the local server, unlike AWS, always returns all its messages."""

import pytest

from waproject.sqs import sampling


@pytest.fixture(autouse=True)
def no_long_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inspection of an empty queue does not wait for a second."""
    monkeypatch.setattr(sampling, "LONG_POLL_S", 0)
