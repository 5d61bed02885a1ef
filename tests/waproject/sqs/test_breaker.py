"""The circuit breaker, with a clock of its own."""

from waproject.sqs.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(retry_after_s=1.0, clock=clock)
    breaker.failed()
    return breaker, clock


def test_a_closed_breaker_lets_every_caller_through() -> None:
    breaker = Breaker(retry_after_s=1.0)
    assert [breaker.allows() for _ in range(3)] == [True] * 3


def test_after_a_failure_no_caller_tries_for_a_second() -> None:
    breaker, clock = opened()
    clock.now = 0.9
    assert not breaker.allows()


def test_then_one_caller_tries() -> None:
    breaker, clock = opened()
    clock.now = 1.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_success_closes_it() -> None:
    breaker, clock = opened()
    clock.now = 1.0
    breaker.allows()
    assert (breaker.succeeded(), breaker.allows(), breaker.allows()) == (True, True, True)


def test_a_failed_try_keeps_it_open_for_another_second() -> None:
    breaker, clock = opened()
    clock.now = 1.0
    breaker.allows()
    breaker.failed()
    clock.now = 1.9
    assert not breaker.allows()
