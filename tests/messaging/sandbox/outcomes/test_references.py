"""What a send refers to has to exist, and a message that is reacted to must not be too old."""

from __future__ import annotations

import pytest

from messaging.sandbox.graph_errors import GraphError
from messaging.sandbox.outcomes.references import check_reaction

from ..messages import message

WAMID = "wamid.HBgLMTU1NTEyMzAwMDE="
DAY = 24 * 3600.0
NOW = 1_800_000_000.0
REACTION = {"type": "reaction", "reaction": {"message_id": WAMID, "emoji": "👍"}}


@pytest.mark.parametrize("age", [0.0, 29 * DAY, 30 * DAY])
def test_a_message_of_up_to_30_days_may_get_a_reaction(age: float) -> None:
    check_reaction(message(**REACTION), lambda _: NOW - age, NOW)


def test_an_older_message_gets_no_reaction() -> None:
    with pytest.raises(GraphError) as refusal:
        check_reaction(message(**REACTION), lambda _: NOW - 30 * DAY - 1, NOW)
    assert refusal.value.as_json()["error"]["code"] == 131009


def test_a_message_that_the_sandbox_does_not_know_may_get_a_reaction() -> None:
    check_reaction(message(**REACTION), lambda _: None, NOW)


def test_a_text_may_answer_an_old_message() -> None:
    check_reaction(message(context={"message_id": WAMID}), lambda _: 0.0, NOW)
