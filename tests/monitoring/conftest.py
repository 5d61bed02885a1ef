"""What the tests of monitoring share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from waproject.metrics import counters


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    """Each test counts from nothing, and reads afresh."""
    cache.clear()
    counters.drain()
    yield
    counters.drain()
