"""The verdict on published tasks: the workers' records held against what SQS took."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path


def executions(witness: Path) -> dict[int, list[frozenset[int]]]:
    """By task number, for each run of it: the processes that it ran in, a worker and perhaps its child."""
    found: dict[int, list[frozenset[int]]] = defaultdict(list)
    for line in witness.read_text().rpartition("\n")[0].splitlines():  # the last one may be half read
        number, *pids = map(int, line.split())
        found[number].append(frozenset(pids))
    return found


class Tally:
    """Counts the runs of each process in a record that workers write to. Reads each line once: a kill has to follow the
    answer within a task's few milliseconds, however long the record is.
    """

    def __init__(self, record: Path) -> None:
        self._record = record.open("rb")
        self._counts: Counter[int] = Counter()
        self._half_line = b""

    def of(self, pid: int) -> int:
        """The runs in this process, a worker or its child, up to now."""
        *lines, self._half_line = (self._half_line + self._record.read()).split(b"\n")
        for line in lines:
            self._counts.update(set(map(int, line.split()[1:])))
        return self._counts[pid]

    def close(self) -> None:
        """Close the record."""
        self._record.close()


def done_again(ran: Mapping[int, Sequence[frozenset[int]]], killed: Collection[int]) -> int:
    """How often a task ran again that a killed process had done and could not delete."""
    return sum(_excused(runs, killed) for runs in ran.values())


def compare(
    accepted: Collection[int],
    ran: Mapping[int, Sequence[frozenset[int]]],
    left: int,
    killed: Collection[int] = (),
    in_flight: int = 0,
) -> tuple[int, int, int]:
    """Lost, doubled, unsettled.

    `left`: messages still on the queue. Tasks of `killed` processes may run again, at most as many as were `in_flight`.
    """
    never = sum(number not in ran for number in accepted)
    doubled = sum(len(runs) - 1 - _excused(runs, killed) for runs in ran.values())
    return max(0, never - left), doubled + max(0, done_again(ran, killed) - in_flight), left


def _excused(runs: Sequence[frozenset[int]], killed: Collection[int]) -> int:
    return min(len(runs) - 1, sum(not pids.isdisjoint(killed) for pids in runs))
