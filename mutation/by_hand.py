"""Harmful changes written by hand (by_hand.toml): of constants, SQL and conditions, which mutmut leaves alone."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class HandChange:
    """One change: what breaks for users, the text before and after, and the test files or folders that notice it."""

    breaks: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]

    def made(self, code: str) -> str:
        """The changed code. Raises ValueError unless the text before stands in it once."""
        if code.count(self.before) != 1:
            raise ValueError(f"{self.path}: stands {code.count(self.before)} times: {self.before}")
        return code.replace(self.before, self.after)


def hand_changes() -> list[HandChange]:
    """The table."""
    return [HandChange(**{**row, "tests": tuple(row["tests"])}) for row in tomllib.loads(TABLE.read_text())["change"]]
