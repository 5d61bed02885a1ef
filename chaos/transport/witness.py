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


def compare(
    accepted: Collection[int],
    ran: Mapping[int, Sequence[frozenset[int]]],
    left: int,
    killed: Collection[int] = (),
    in_flight: int = 0,
) -> tuple[int, int, int]:
    """Lost, doubled, unsettled.

    `left`: messages still on the queue. `killed`: processes that had no chance to say that a task was done; what they
    did may be done again, as far as it was in flight then (`in_flight`, of all kills together).
    """
    never = sum(number not in ran for number in accepted)
    repeated, doubled = 0, 0
    for runs in ran.values():
        excused = min(len(runs) - 1, sum(not pids.isdisjoint(killed) for pids in runs))
        repeated += excused
        doubled += len(runs) - 1 - excused
    return max(0, never - left), doubled + max(0, repeated - in_flight), left
