"""Cached values count for some seconds, and their number is bounded."""

import time

import pytest

from waproject.ttl_cache import TtlCache


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic() + seconds
    monkeypatch.setattr(time, "monotonic", lambda: now)


def test_a_value_is_found_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = TtlCache[str, int](60.0)
    cache.set("a", 1)
    found = cache.get("a")
    later(monkeypatch, 60.0)
    assert (found, cache.get("a")) == (1, None)


def test_only_keys_without_a_value_are_missing() -> None:
    cache = TtlCache[str, int](60.0)
    cache.update({"a": 0, "b": 2})
    assert cache.missing(["a", "b", "c"]) == {"c"}


def test_a_cleared_cache_has_nothing() -> None:
    cache = TtlCache[str, int](60.0)
    cache.set("a", 1)
    cache.clear()
    assert cache.get("a") is None


def test_beyond_the_bound_earlier_values_are_forgotten() -> None:
    cache = TtlCache[int, int](60.0, most=2)
    for key in range(3):
        cache.set(key, key)
    assert [cache.get(key) for key in range(3)] == [None, None, 2]
