"""The CPU of releases with and without a count: `python -m bench.accounts.limited_releases ROUNDS STORED`.

Prints JSON. Each release to recipients outside of their window has a pair in the same round: one whose recipients wrote
within a day, which does the same but for the count. CPU is that of this thread and of its backend in PostgreSQL.
"""

import statistics
import sys
from itertools import cycle
from typing import Any

from bench.accounts.programs import CpuClock, print_figures

# The messages of a release, and how many rounds one of those that were asked for is.
SIZES = {"alone": (1, 1), "pair": (2, 2), "ten": (10, 4), "fifty": (50, 10)}
RATE = 1000
_STORE = """
INSERT INTO messaging_openedrecipient (portfolio_id, peer, opened_at)
SELECT %(portfolio)s, '1444' || lpad(n::text, 7, '0'), statement_timestamp() - interval '23 hours' * n / %(stored)s
FROM generate_series(1, %(stored)s) AS n;
INSERT INTO messaging_openedcount (portfolio_id, minute, recipients)
SELECT portfolio_id, date_trunc('minute', opened_at), count(*) FROM messaging_openedrecipient GROUP BY 1, 2;
UPDATE messaging_portfolio SET opened = %(stored)s WHERE id = %(portfolio)s;
ANALYZE messaging_openedrecipient, messaging_openedcount
"""
_WROTE = """
INSERT INTO messaging_message (id, direction, number_id, peer, wamid, type, content, text, context_wamid, origin,
  status, at, created_at, updated_at, priority, due_at, releases, attempts, calls, error_title, reference, campaign,
  template, on_unknown, generation)
SELECT uuidv7(), 'inbound', %(number)s, peer, 'wamid.' || peer, 'text', '{}', 'hello', '', 'user', 'received',
  now(), now(), now(), 5, NULL, 0, 0, 0, '', '', '', '', 'wait', 0 FROM unnest(%(peers)s::text[]) AS peer
"""
_ACCEPTED = """
UPDATE messaging_message SET status = 'accepted', outcome_at = statement_timestamp()
WHERE released_at IS NOT NULL AND outcome_at IS NULL
"""


def main() -> None:
    """Measure and print."""
    import django

    django.setup()
    print_figures(Releases(int(sys.argv[2])).measure(int(sys.argv[1])))


class Releases:
    """Releases by the default number, in a portfolio with this many recipients that count."""

    def __init__(self, stored: int) -> None:
        from django.db import connection

        from messaging.accepting.sending_numbers import sending_number
        from messaging.portfolios import assign_portfolio

        self._connection = connection
        self._number = sending_number()
        self._execute("SET statement_timeout = 0")
        self._execute(_STORE, {"portfolio": assign_portfolio(self._number.pk), "stored": stored})
        ((pid,),) = self._execute("SELECT pg_backend_pid()")
        self._clock = CpuClock(pid)
        self._peers = 0

    def measure(self, rounds: int) -> dict[str, float]:
        """The medians of the differences within a pair, for one message of a release of each size."""
        found: dict[str, float] = {}
        for name, (size, share) in SIZES.items():
            differences = [self._differences(pair, size) for pair in self._rounds(size, max(2, rounds // share))]
            found[f"{name}_ms"] = statistics.median(new for new, _ in differences)
            found[f"{name}_again_ms"] = statistics.median(again for _, again in differences)
        return found

    def _rounds(self, size: int, rounds: int) -> list[dict[str, float]]:
        """The CPU of a release by kind of recipient, in turns: those who `wrote`, `new` ones, and `again` the same."""
        same = {"wrote": self._new_peers(size), "again": self._new_peers(size)}
        self._execute(_WROTE, {"number": self._number.pk, "peers": same["wrote"]})
        for peers in same.values():
            self._released(peers)
        orders = cycle((("wrote", "new", "again"), ("new", "again", "wrote"), ("again", "wrote", "new")))
        return [
            {kind: self._released(same.get(kind) or self._new_peers(size)) for kind in order}
            for _, order in zip(range(rounds), orders, strict=False)
        ]

    @staticmethod
    def _differences(used: dict[str, float], size: int) -> tuple[float, float]:
        return (used["new"] - used["wrote"]) / size, (used["again"] - used["wrote"]) / size

    def _released(self, peers: list[str]) -> float:
        """The CPU-ms of a release of a message to each of these recipients."""
        from messaging.accepting.accept import NewMessage, accept
        from messaging.models import BusinessNumber, PairPace
        from messaging.outgoing.release import release

        PairPace.objects.all().delete()
        accept([NewMessage(peer, "text", {"content": "hello"}, self._number) for peer in peers])
        BusinessNumber.objects.update(tokens=1, rate=RATE)
        begun = self._clock.ms()
        batches = release(self._number.pk)
        used = self._clock.ms() - begun
        if sum(len(batch.message_ids) for batch in batches) != len(peers):
            raise RuntimeError("the release left messages behind")
        self._execute(_ACCEPTED)
        return used

    def _new_peers(self, size: int) -> list[str]:
        self._peers += size
        return [f"1555{number:07}" for number in range(self._peers - size, self._peers)]

    def _execute(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []


if __name__ == "__main__":
    main()
