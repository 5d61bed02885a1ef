"""How many statements each of our processes gives PostgreSQL: counted in the server's own log, by application name.

Everything counts that the server is asked, BEGIN and COMMIT too: each is a round trip.
"""

import re
import time
from collections import Counter
from pathlib import Path

import psycopg2

_LINE = re.compile(rb"^bench:([\w-]*):LOG:  statement: (/\* counters \*/)?", re.MULTILINE)
# The server writes a line before it answers, but not through to us at once.
WRITTEN_S = 0.2


class Statements:
    """Counts from the moment it is made; the server at `url` logs each statement from then on."""

    def __init__(self, url: str, log: Path) -> None:
        self._log = log
        connection = psycopg2.connect(url, application_name="bench")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET log_line_prefix = 'bench:%a:'")
            cursor.execute("ALTER SYSTEM SET log_statement = 'all'")
            cursor.execute("SELECT pg_reload_conf()")
        connection.close()
        time.sleep(WRITTEN_S)
        self.zero()

    def zero(self) -> None:
        """Count from now on."""
        self._offset = self._log.stat().st_size

    def counts(self) -> Counter[str]:
        """Statements by application name since `zero`."""
        return Counter(name for name, _ in self._found())

    def counters_counts(self) -> Counter[str]:
        """Those among them by which a process stores its counters every ten seconds, whatever it does otherwise."""
        return Counter(name for name, counters in self._found() if counters)

    def _found(self) -> list[tuple[str, bool]]:
        time.sleep(WRITTEN_S)
        with self._log.open("rb") as file:
            file.seek(self._offset)
            return [(name.decode(), bool(counters)) for name, counters in _LINE.findall(file.read())]
