"""Killed and stopped processes.

Each fault waits until work is in flight; only a kill or stop with work in flight is a hit.
"""

import time
from collections.abc import Callable, Sequence
from itertools import cycle

from chaos.scenario import Injected
from chaos.sending.trial import Site
from testkit.processes import Process
from testkit.waiting import NotReady, eventually

FIRST_S = 1.5
DOWN_S = 0.5
AFTER_POSTGRES_S = 2.0
IN_FLIGHT_S = 5.0


def kill_worker(site: Site) -> Injected:
    """kill -9 of an outgoing worker during calls, five times; there are two, and each is started again."""
    return _kill_in_turn(site, site.pipeline.group("outgoing"), 5, 1.0, _Rows(site, "sending").any_new)


def kill_dispatcher(site: Site) -> Injected:
    """kill -9 of one of the two dispatchers while messages wait, each twice."""
    rows = _Rows(site, "pending", "queued")
    return _kill_in_turn(site, site.pipeline.group("dispatcher"), 4, 1.0, rows.any_new)


def kill_web(site: Site) -> Injected:
    """kill -9 of web while it handles requests of the API, twice."""
    return _kill_in_turn(site, site.pipeline.group("web"), 2, 2.0, lambda: site.load.open_requests > 0)


def kill_postgres(site: Site) -> Injected:
    """kill -9 of PostgreSQL with messages on their way: connections break, and it recovers from its log."""
    time.sleep(FIRST_S)
    rows, hits = _Rows(site, "pending", "queued", "sending"), 0
    for _ in range(2):
        in_flight = eventually(rows.any_new, IN_FLIGHT_S, 0.005)
        site.harm(site.pipeline.kill_postgres)
        if site.pipeline.postgres.pid is None:
            hits += in_flight
            time.sleep(DOWN_S)
            site.pipeline.start_postgres()
            time.sleep(AFTER_POSTGRES_S)
    return Injected(hits, f"{hits} kills")


def rolling_restart(site: Site) -> Injected:
    """SIGTERM to every process while messages are on their way, one after the other, each back before the next."""
    rows, hits = _Rows(site, "pending", "queued", "sending"), 0
    for process in site.pipeline.processes:
        in_flight = eventually(rows.any_new, IN_FLIGHT_S, 0.005)
        stopped = site.harm(process.stop)
        if process.is_alive():
            continue
        if not stopped:
            raise NotReady(f"{process.name} did not end with status 0 after SIGTERM")
        hits += in_flight
        process.start()
        process.wait_ready()
    return Injected(hits, f"{hits} restarts")


class _Rows:
    """Messages in some states. Those that an earlier kill left in them do not count again."""

    def __init__(self, site: Site, *states: str) -> None:
        self._site, self._states = site, list(states)
        self._seen: set[object] = set()

    def any_new(self) -> bool:
        """Whether a message is in these states that was not at the last True."""
        found = {row[0] for row in self._site.pipeline.query(
            "SELECT id FROM messaging_message WHERE direction = 'outbound' AND status = ANY(%s)", [self._states]
        )}  # fmt: skip
        new = found - self._seen
        if new:
            self._seen |= found
        return bool(new)


def _kill_in_turn(
    site: Site, processes: Sequence[Process], times: int, every: float, in_flight: Callable[[], bool]
) -> Injected:
    time.sleep(FIRST_S)
    hits = kills = 0
    for _, process in zip(range(times), cycle(processes), strict=False):
        found = eventually(in_flight, IN_FLIGHT_S, 0.001)
        site.harm(process.kill)
        if process.is_alive():
            continue
        hits, kills = hits + found, kills + 1
        time.sleep(DOWN_S)
        process.start()
        process.wait_ready()
        time.sleep(every)
    return Injected(hits, f"{kills} kills, {hits} with something in flight")
