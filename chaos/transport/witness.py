"""What became of published tasks: what workers wrote down, held against what SQS took."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path


def executions(witness: Path) -> dict[int, list[frozenset[int]]]:
    """By number, for each time that it ran: the processes that it ran in, a worker and perhaps its child."""
    found: dict[int, list[frozenset[int]]] = defaultdict(list)
    for line in witness.read_text().splitlines():
        number, *pids = map(int, line.split())
        found[number].append(frozenset(pids))
    return found


def done_again(ran: Mapping[int, Sequence[frozenset[int]]], killed: Collection[int]) -> int:
    """How often a task ran again that a killed process had done, and had no chance to say so."""
    return sum(_excused(runs, killed) for runs in ran.values())


def compare(
    accepted: Collection[int],
    ran: Mapping[int, Sequence[frozenset[int]]],
    left: int,
    killed: Collection[int] = (),
    in_flight: int = 0,
) -> tuple[int, int, int]:
    """Lost, doubled, unsettled.

    `left`: messages still on the queue. What `killed` processes did may be done again, as far as it was `in_flight`.
    """
    never = sum(number not in ran for number in accepted)
    doubled = sum(len(runs) - 1 - _excused(runs, killed) for runs in ran.values())
    return max(0, never - left), doubled + max(0, done_again(ran, killed) - in_flight), left


def _excused(runs: Sequence[frozenset[int]], killed: Collection[int]) -> int:
    return min(len(runs) - 1, sum(not pids.isdisjoint(killed) for pids in runs))
