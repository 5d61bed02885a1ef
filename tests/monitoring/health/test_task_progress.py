"""Progress of tasks: idle and working workers make it, unresponsive ones do not."""

import pytest

from monitoring.health.task_progress import TaskProgress


class Request:
    """A request of a task, as Celery's: hashable, and referenced weakly."""


# The requests in hand at each check, 15 s apart, by name; and whether the work moves.
CHECKS: dict[str, tuple[list[str], list[bool]]] = {
    "idle": (["", "", "", "", ""], [True] * 5),
    "one task each": (["a", "b", "c", "d", "e"], [True] * 5),
    "the same one": (["a", "a", "a", "a"], [True, True, False, False]),
    "receives but finishes nothing": (["a", "ab", "abc", "abcd"], [True, True, False, False]),
    "one hangs beside others that end": (["ab", "ac", "ad", "ae"], [True] * 4),
    "works again": (["a", "a", "a", "b", "b"], [True, True, False, True, True]),
    "idle again": (["a", "a", "a", "", "b", "b", "b"], [True, True, False, True, True, True, False]),
    "idle before it hangs": (["", "", "", "a", "a", "a"], [True] * 5 + [False]),
}


@pytest.mark.parametrize(("checks", "moves"), CHECKS.values(), ids=CHECKS)
def test_work_moves_while_requests_end(checks: list[str], moves: list[bool]) -> None:
    requests = {name: Request() for name in "abcdefg"}
    now, in_hand = 0.0, ""
    progress = TaskProgress(lambda: [requests[name] for name in in_hand], lambda: now)
    found = []
    for number, names in enumerate(checks):
        now, in_hand = number * 15.0, names
        found.append(progress.is_made())
    assert found == moves


@pytest.mark.parametrize(("seconds", "moves"), [(29.9, True), (30, False)])
def test_work_stalls_after_30_seconds(seconds: float, moves: bool) -> None:
    now, request = 0.0, Request()
    progress = TaskProgress(lambda: [request], lambda: now)
    progress.is_made()
    now = seconds
    assert progress.is_made() is moves


def test_a_request_at_the_address_of_one_that_ended_is_another_one() -> None:
    now = 0.0
    requests = [Request()]
    progress = TaskProgress(lambda: requests, lambda: now)
    for now in (0.0, 15.0, 30.0, 45.0):  # noqa: B007 - the clock reads it
        assert progress.is_made()
        requests.pop()
        requests.append(Request())


def test_a_set_that_changes_meanwhile_is_work_that_moves() -> None:
    def changing() -> list[object]:
        raise RuntimeError("Set changed size during iteration")

    now = 0.0
    progress = TaskProgress(changing, lambda: now)
    now = 99.0
    assert progress.is_made()
