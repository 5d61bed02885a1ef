"""Wrong log-ins are slowed and locked."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from messaging.access.login_throttle import LIMITS, WINDOW, count_attempt, sweep_login_throttle
from messaging.models import LoginThrottle

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
RIGHT = "correct horse battery"
Try = Callable[..., Any]


@pytest.fixture
def ann(django_user_model: type[User], settings: Any) -> User:
    """An account; hashing is made cheap, or these tests take minutes."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return django_user_model.objects.create_superuser("ann", password=RIGHT)


def log_in(name: str = "ann", password: str = "wrong", address: str = "192.0.2.1") -> Any:  # noqa: S107
    return Client().post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address)


def is_in(answer: Any) -> bool:
    return bool(answer.status_code == 302)


def is_locked(answer: Any) -> bool:
    return b"Too many wrong passwords" in answer.content


def test_the_right_password_is_accepted_after_the_allowed_number_of_wrong_ones(ann: User) -> None:
    for _ in range(LIMITS["account and address"] - 1):
        assert not is_in(log_in())
    assert is_in(log_in(password=RIGHT))


def test_one_wrong_password_more_locks_out_the_right_one(ann: User) -> None:
    for _ in range(LIMITS["account and address"]):
        log_in()
    assert is_locked(log_in(password=RIGHT))


@pytest.mark.parametrize("name", ["ann", "nobody", "ANN "])
def test_an_unknown_account_is_answered_like_a_known_one(name: str, ann: User) -> None:
    answers = [is_locked(log_in(name)) for _ in range(LIMITS["account and address"] + 2)]
    assert answers == [False] * LIMITS["account and address"] + [True, True]


def test_another_address_is_not_locked_with_it(ann: User) -> None:
    for _ in range(LIMITS["account and address"] + 1):
        log_in()
    assert is_in(log_in(password=RIGHT, address="192.0.2.2"))


def test_an_address_that_tries_many_accounts_is_locked(ann: User) -> None:
    for number in range(LIMITS["address"]):
        log_in(f"guess-{number}")
    assert is_locked(log_in(password=RIGHT))


def test_an_account_that_is_tried_from_many_addresses_is_locked(ann: User) -> None:
    for number in range(LIMITS["account"]):
        log_in(address=f"198.51.100.{number}")
    assert is_locked(log_in(password=RIGHT, address="192.0.2.9"))


def test_a_right_password_resets_the_count(ann: User) -> None:
    for _ in range(3):
        for _ in range(LIMITS["account and address"] - 1):
            log_in()
        assert is_in(log_in(password=RIGHT))


@pytest.mark.parametrize(("age", "gets_in"), [(WINDOW - timedelta(seconds=5), False), (WINDOW, True)])
def test_the_lock_ends_with_its_window(age: timedelta, gets_in: bool, ann: User) -> None:
    for _ in range(LIMITS["account and address"]):
        log_in()
    LoginThrottle.objects.update(since=timezone.now() - age)
    assert is_in(log_in(password=RIGHT)) == gets_in


def test_a_lock_is_logged_once_without_the_name(ann: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(LIMITS["account and address"] + 3):
            log_in()
    locks = [line for line in caplog.messages if "locked" in line]
    assert len(locks) == 1 and "ann" not in "".join(caplog.messages)


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, "", "192.0.2.1"),
    ],
)
def test_the_address_is_the_one_seen_by_the_outermost_trusted_proxy(
    proxies: int, header: str, address: str, settings: Any, rf: Any
) -> None:
    from messaging.access.login_throttle import address_of

    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": header} if header else {}
    assert address_of(rf.get("/", headers=headers, REMOTE_ADDR="192.0.2.1")) == address


def test_a_name_that_is_no_text_is_counted_too(db: None) -> None:
    count_attempt("\ud800", "192.0.2.1")
    assert [row.tries for row in LoginThrottle.objects.all()] == [1, 1, 1]


def test_counts_are_deleted_after_their_window(ann: User) -> None:
    log_in()
    LoginThrottle.objects.filter(pk=LoginThrottle.objects.values("pk")[:1]).update(since=timezone.now() - 2 * WINDOW)
    sweep_login_throttle()
    assert LoginThrottle.objects.count() == 2


@pytest.mark.parametrize("password", ["short1!", "password1234", "123456789012"])
def test_a_weak_password_is_refused(password: str, admin_client: Client, ann: User) -> None:
    fields = {"password1": password, "password2": password, "usable_password": "true"}
    admin_client.post(f"/admin/auth/user/{ann.pk}/password/", fields)
    ann.refresh_from_db()
    assert ann.check_password(RIGHT)
