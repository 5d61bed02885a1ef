"""A queue that shows nothing is believed at once: the local server, unlike AWS, forgets none of its messages."""

import pytest

from waproject.sqs import sampling


@pytest.fixture(autouse=True)
def no_long_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at an empty queue do not wait for a second."""
    monkeypatch.setattr(sampling, "LONG_POLL_S", 0)
