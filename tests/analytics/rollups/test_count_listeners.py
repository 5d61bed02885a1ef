"""Listeners that run after a count."""

import pytest

from analytics.rollups import count_listeners


def test_a_listener_that_is_registered_twice_is_called_once(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(count_listeners, "_listeners", [])

    def first() -> None:
        called.append("first")

    for listener in (first, lambda: called.append("second"), first):
        count_listeners.register(listener)
    count_listeners.run()
    assert called == ["first", "second"]
