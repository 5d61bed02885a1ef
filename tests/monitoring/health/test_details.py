"""Who sees the details of health, and that the decision delays no answer."""

import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest
from django.test import RequestFactory

from monitoring.health import details
from tests.waiting import PATIENCE_S, eventually

KEY, COOKIE = {"Authorization": "Bearer wak_x"}, {"Cookie": f"{settings.SESSION_COOKIE_NAME}=x"}


def request(headers: dict[str, str]) -> HttpRequest:
    return RequestFactory().get("/health", headers=headers)


@pytest.mark.parametrize(
    ("headers", "database_answers", "decision", "seen"),
    [
        (KEY, True, True, True),
        (COOKIE, True, True, True),
        (KEY, True, False, False),
        (KEY, False, True, False),
        (COOKIE, False, True, False),
        ({}, True, True, False),
    ],
    ids=["key", "cookie", "refused", "no database", "cookie, no database", "anonymous"],
)
def test_details_are_for_callers_with_credentials_that_a_database_accepts(
    headers: dict[str, str], database_answers: bool, decision: bool, seen: bool, *, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "DEADLINE_S", PATIENCE_S)
    monkeypatch.setattr(details, "_is_client_or_staff", lambda _: decision)
    assert details.may_see_details(request(headers), database_answers=database_answers) is seen


def test_an_anonymous_caller_costs_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "_decide", lambda *_: pytest.fail("decided"))
    monkeypatch.setattr(details, "_slots", threading.BoundedSemaphore(1))
    assert not details.may_see_details(request({}), database_answers=True)
    assert not details.may_see_details(request(KEY), database_answers=False)
    assert details._slots.acquire(blocking=False)


def test_a_caller_gets_no_details_while_all_places_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "_slots", threading.BoundedSemaphore(1))
    details._slots.acquire()
    assert not details.may_see_details(request(KEY), database_answers=True)


def test_a_decision_that_hangs_delays_no_answer_and_no_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deciding: list[tuple[str, bool]] = []

    def silent(*_: Any) -> None:
        thread = threading.current_thread()
        deciding.append((thread.name, thread.daemon))

    monkeypatch.setattr(details, "DEADLINE_S", 0.01)
    monkeypatch.setattr(details, "_slots", threading.BoundedSemaphore(1))
    monkeypatch.setattr(details, "_decide", silent)
    assert details.may_see_details(request(KEY), database_answers=True) is False
    assert eventually(lambda: deciding == [("health-details", True)])


def test_a_decision_that_fails_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: HttpRequest) -> bool:
        raise OperationalError

    monkeypatch.setattr(details, "DEADLINE_S", 0.01)
    monkeypatch.setattr(details, "_is_client_or_staff", failing)
    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(details, "_slots", slots)
    assert not details.may_see_details(request(KEY), database_answers=True)
    assert slots.acquire(timeout=PATIENCE_S)
