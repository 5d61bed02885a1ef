"""Faults: their form, and the calls that they hit."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.sandbox.checks.send import OutboundMessage
from messaging.sandbox.outcomes.faults import Faults, Rhythm, Trigger, fault_from
from messaging.sandbox.outcomes.magic_numbers import outcome_to
from messaging.sandbox.outcomes.outcome import ACCEPTED, Ending, Outcome, failed_later, outcome_from, refused
from messaging.sandbox.settings import InputError
from messaging.sandbox.users.user import user_with_phone
from messaging.whatsapp.error_codes import CODES

from ..messages import TEMPLATE, message
from ..process import NUMBER, OTHER_NUMBER


@pytest.mark.parametrize(
    ("trigger", "turns"),
    [
        (Trigger(), [1, 2, 3, 4, 5, 6]),
        (Trigger(Rhythm.NEXT, 2), [1, 2]),
        (Trigger(Rhythm.EVERY, 3), [3, 6]),
    ],
)
def test_which_calls_it_hits(trigger: Trigger, turns: list[int]) -> None:
    assert [nth for nth in range(1, 7) if trigger.fires(nth)] == turns


@pytest.mark.parametrize(
    ("target", "call", "hit"),
    [
        ({}, message(), True),
        ({"phone_number_id": NUMBER}, message(), True),
        ({"phone_number_id": OTHER_NUMBER}, message(), False),
        ({"to": "+1 555 123-0001"}, message(), True),
        ({"to": "15551230002"}, message(), False),
        ({"to": "US.123"}, message(to=None, recipient="US.123"), True),
        ({"template": "hello"}, message(**TEMPLATE), True),
        ({"template": "other"}, message(**TEMPLATE), False),
        ({"template": "hello"}, message(), False),
        ({"phone_number_id": NUMBER, "to": "15551230002"}, message(), False),
    ],
)
def test_whom_it_hits(target: dict[str, str], call: OutboundMessage, hit: bool) -> None:
    faults = Faults()
    faults.add(fault_from({**target, "outcome": {"error": 131056}}))
    assert (faults.outcome_of(call, NUMBER) is not None) == hit


def test_two_faults_of_the_same_rhythm_both_get_their_turns() -> None:
    faults = Faults()
    for code in (1, 2):
        faults.add(fault_from({"trigger": {"every": 4}, "outcome": {"error": code, "status": 400}}))
    outcomes = [faults.outcome_of(message(), NUMBER) for _ in range(20)]
    codes = [outcome.code for outcome in outcomes if outcome]
    assert (codes.count(1), codes.count(2)) == (5, 3)
    assert [(fault["seen"], fault["hits"]) for fault in faults.as_json()] == [(20, 5), (15, 3)]


def test_a_removed_fault_hits_nothing() -> None:
    faults = Faults()
    number = faults.add(fault_from({"outcome": {"silent": True}}))
    assert (faults.remove(number), faults.remove(number)) == (True, False)
    assert faults.outcome_of(message(), NUMBER) is None


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"error": 131056}, Outcome(Ending.ERROR, False, 131056, 429)),
        ({"error": 131056, "status": 400}, Outcome(Ending.ERROR, False, 131056, 400)),
        ({"error": 100}, Outcome(Ending.ERROR, False, 100, 400)),
        ({"status": 500}, Outcome(Ending.ERROR, False, 131000, 500)),
        ({"status": 503, "after_accept": True}, Outcome(Ending.ERROR, True, 131000, 503)),
        ({"error": 131026, "later": True}, Outcome(failure=131026)),
        ({"hang": "before_accept"}, Outcome(Ending.HANG, False)),
        ({"hang": "after_accept"}, Outcome(Ending.HANG, True)),
        ({"drop": "before_accept"}, Outcome(Ending.DROP, False)),
        ({"drop": "after_accept", "silent": True}, Outcome(Ending.DROP, True, silent=True)),
        ({"slow": 8000}, Outcome(slow_ms=8000)),
        ({"silent": True}, Outcome(silent=True)),
    ],
)
def test_what_an_outcome_can_be(given: dict[str, Any], outcome: Outcome) -> None:
    assert outcome_from(given) == outcome


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({}, "outcome"),
        ({"outcome": {}}, "outcome"),
        ({"outcome": {"hang": "after_accept", "drop": "after_accept"}}, "outcome"),
        ({"outcome": {"explode": True}}, "outcome.explode"),
        ({"outcome": {"error": "131056"}}, "outcome.error"),
        ({"outcome": {"error": True}}, "outcome.error"),
        ({"outcome": {"error": 1, "status": 200}}, "outcome.status"),
        ({"outcome": {"error": 1, "status": 400, "after_accept": True}}, "outcome.after_accept"),
        ({"outcome": {"error": 1, "status": 400, "later": True}}, "outcome.later"),
        ({"outcome": {"error": 1, "silent": True}}, "outcome.silent"),
        ({"outcome": {"slow": 5, "status": 500}}, "outcome"),
        ({"outcome": {"slow": 0}}, "outcome.slow"),
        ({"outcome": {"slow": 5, "later": True}}, "outcome.later"),
        ({"outcome": {"hang": "soon"}}, "outcome.hang"),
        ({"outcome": {"hang": []}}, "outcome.hang"),
        ({"outcome": {"silent": 1}}, "outcome.silent"),
        ({"outcome": {"error": 1}, "trigger": {}}, "trigger"),
        ({"outcome": {"error": 1}, "trigger": {"next": 1, "every": 2}}, "trigger"),
        ({"outcome": {"error": 1}, "trigger": {"every": 0}}, "trigger.every"),
        ({"outcome": {"error": 1}, "trigger": {"always": False}}, "trigger.always"),
        ({"outcome": {"error": 1}, "to": "nobody"}, "to"),
        ({"outcome": {"error": 1}, "template": ""}, "template"),
        ({"outcome": {"error": 1}, "number": "1"}, "number"),
    ],
)
def test_what_is_no_fault_names_the_field(fault: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refusal:
        fault_from(fault)
    assert refusal.value.field == field


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_number_that_is_refused_with_it_and_one_that_fails_with_it(code: int) -> None:
    to = [user_with_phone(f"{area}{code:06}") for area in ("15559", "15558")]
    assert [outcome_to(user) for user in to] == [refused(code), failed_later(code)]


@pytest.mark.parametrize(("digits", "ending"), [("15557000001", Ending.HANG), ("15557000003", Ending.DROP)])
def test_a_number_whose_answer_is_lost(digits: str, ending: Ending) -> None:
    assert outcome_to(user_with_phone(digits)) == Outcome(ending, accepts=True)


@pytest.mark.parametrize("digits", ["15551230001", "155591310261", "15557000099", "4915559131026"])
def test_other_numbers_are_ordinary(digits: str) -> None:
    assert outcome_to(user_with_phone(digits)) is None


def test_an_accepted_call_is_nothing_special() -> None:
    assert Outcome() == ACCEPTED
