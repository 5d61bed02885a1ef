"""The CPU that the messaging limit takes of a release: Python's and PostgreSQL's, for one message."""

from typing import Any

from bench.accounts.programs import figures_of

STORED = 1_000_000
ROUNDS = 300


def measure(stored: int = STORED, rounds: int = ROUNDS) -> dict[str, Any]:
    """`alone_ms` of a message to a new recipient, released alone; `pair_ms`, `ten_ms` and `fifty_ms` of one of a
    release of two, ten and fifty. `alone_again_ms` and so on: to recipients who count already. `stored` others do."""
    found: dict[str, Any] = figures_of("bench.accounts.limited_releases", rounds, stored)
    return {"stored": stored, **found}
