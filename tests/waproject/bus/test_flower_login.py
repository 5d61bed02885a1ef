"""Wrong log-ins to Flower are throttled."""

import logging
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.waiting import PATIENCE_S, eventually
from tests.waproject.bus.test_flower import LOG_IN, Flower
from waproject.bus.flower_login import Throttle


@pytest.mark.parametrize(("tries", "wait"), [(4, 0), (5, 900)])
def test_five_wrong_tries_of_an_address_lock_it(tries: int, wait: int) -> None:
    throttle = Throttle(lambda: 100.5)
    for _ in range(tries):
        throttle.wrong("10.0.0.1")
    assert abs(throttle.locked_for("10.0.0.1") - wait) <= 1 and throttle.locked_for("10.0.0.2") == 0


@pytest.mark.parametrize(("addresses", "locked"), [(49, False), (50, True)])
def test_fifty_wrong_tries_lock_all_addresses(addresses: int, locked: bool) -> None:
    throttle = Throttle(lambda: 0.0)
    for number in range(addresses):
        throttle.wrong(f"10.0.0.{number}")
    assert bool(throttle.locked_for("10.0.1.1")) is locked


def test_a_right_password_forgets_the_wrong_tries_of_its_address() -> None:
    throttle = Throttle()
    for _ in range(4):
        throttle.wrong("10.0.0.1")
    throttle.right("10.0.0.1")
    throttle.wrong("10.0.0.1")
    assert throttle.locked_for("10.0.0.1") == 0


@pytest.mark.parametrize(("seconds", "locked"), [(899, True), (900, False)])
def test_a_lock_ends_with_its_window(seconds: float, locked: bool) -> None:
    now = 0.0
    throttle = Throttle(lambda: now)
    for _ in range(5):
        throttle.wrong("10.0.0.1")
    now = seconds
    assert bool(throttle.locked_for("10.0.0.1")) is locked


def test_a_lock_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    throttle = Throttle()
    with caplog.at_level(logging.WARNING):
        for _ in range(7):
            throttle.wrong("10.0.0.1")
    assert caplog.text.count("locked for 15 minutes: 5 wrong tries of 10.0.0.1") == 1


@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqs")
def test_a_real_flower_answers_429_after_five_wrong_passwords(tmp_path: Path, monitor_bus: str) -> None:
    flower = Flower(tmp_path / "flower.log", SQS_MONITOR_QUEUE_URL=monitor_bus)
    try:
        assert eventually(lambda: _answers(flower)), flower.log
        assert [flower.status("/workers", log_in=f"ops:guess-{n}") for n in range(6)] == [401] * 5 + [429]
        # The right password is not checked either, and pages without a log-in still ask for one.
        with pytest.raises(HTTPError) as locked:
            flower.page("/workers", log_in=LOG_IN)
        assert (locked.value.code, 890 < int(locked.value.headers["Retry-After"]) <= 900) == (429, True)
        assert flower.status("/workers", log_in=None) == 401
        assert "locked for 15 minutes: 5 wrong tries of 127.0.0.1" in flower.log
        assert "guess-" not in flower.log
    finally:
        flower.process.terminate()
        flower.process.wait(PATIENCE_S)


@pytest.fixture
def monitor_bus() -> str:
    """The URL of a queue for the bus."""
    from tests.waproject.bus.test_flower import BUS

    return BUS


def _answers(flower: Flower) -> bool:
    try:
        return flower.status("/healthcheck") == 200
    except OSError:
        return False
