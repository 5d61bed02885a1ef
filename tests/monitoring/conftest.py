"""Fixtures of monitoring."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from waproject.metrics import counters


@pytest.fixture(autouse=True)
def empty_counters_and_cache() -> Iterator[None]:
    """Start each test with empty counters and an empty cache."""
    cache.clear()
    counters.drain()
    yield
    counters.drain()
