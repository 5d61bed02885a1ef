"""One change of the code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One change: where, the code before and after, and the file's new text. `key` outlives changes elsewhere."""

    key: str
    path: str
    function: str
    line: int
    before: str
    after: str
    in_body: bool
    source: str
