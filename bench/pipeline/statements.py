"""Statements that each of our processes gives PostgreSQL, counted in the server's log by application name.

BEGIN and COMMIT count too: each is a round trip. Logging costs PostgreSQL CPU, so it is on only while statements are
counted, in a load of its own beside the one whose cost is measured.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LINE = re.compile(rb"^bench:([\w-]*):LOG:  statement: (/\* counters \*/)?", re.MULTILINE)
# The server writes a line before it answers, but not through to us at once.
WRITTEN_S = 0.2


class Statements:
    """The statements of a server that logs to `log`. `ask`: executes a statement."""

    def __init__(self, ask: Callable[[str], object], log: Path) -> None:
        self._ask, self._log = ask, log
        self._offset = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Log statements meanwhile; `counts` then has those since its beginning."""
        self._ask("ALTER SYSTEM SET log_line_prefix = 'bench:%a:'")
        self._set("all")
        self._offset = self._log.stat().st_size if self._log.exists() else 0
        try:
            yield
        finally:
            self._set("none")

    def counts(self) -> Counter[str]:
        """Statements by application name."""
        return Counter(name for name, _ in self._found())

    def counters_counts(self) -> Counter[str]:
        """Those among them with which a process stores its counters every ten seconds, whatever else it does."""
        return Counter(name for name, counters in self._found() if counters)

    def _set(self, which: str) -> None:
        self._ask(f"ALTER SYSTEM SET log_statement = '{which}'")
        self._ask("SELECT pg_reload_conf()")
        time.sleep(WRITTEN_S)

    def _found(self) -> list[tuple[str, bool]]:
        time.sleep(WRITTEN_S)
        with self._log.open("rb") as file:
            file.seek(self._offset)
            return [(name.decode(), bool(counters)) for name, counters in _LINE.findall(file.read())]
