"""Fixtures that several tests of the lanes share."""

from collections.abc import Iterator
from typing import Any

import pytest

from messaging.signals import lane_alert


@pytest.fixture
def alerts() -> Iterator[list[tuple[str, str]]]:
    """The kind and key of each alert."""
    heard: list[tuple[str, str]] = []

    def hear(kind: str, key: str, reason: str, **_: Any) -> None:
        heard.append((kind, key))

    lane_alert.connect(hear)
    yield heard
    lane_alert.disconnect(hear)
