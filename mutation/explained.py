"""Survivors that need no test, with their reasons (explained.toml)."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Explained:
    """A change that makes no difference to a user: its key, the file it is in, its text, and why."""

    key: str
    path: str
    change: str
    reason: str


def explained() -> dict[str, Explained]:
    """The table by key."""
    if not TABLE.exists():
        return {}
    rows = [Explained(**row) for row in tomllib.loads(TABLE.read_text()).get("survivor", [])]
    return {row.key: row for row in rows}


def outdated(paths: Iterable[str], keys: Iterable[str]) -> list[Explained]:
    """Rows about these files whose change is none of these keys: the code has changed since, and the row can go."""
    files, present = set(paths), set(keys)
    return [row for row in explained().values() if row.path in files and row.key not in present]
