"""The colours of states."""

import pytest

from messaging.media_states import State
from messaging.models.subscriptions import delivery_states
from messaging.states import Status
from monitoring.alerts.state import Severity
from waproject.web.admin.badges import PLAIN, TONES, badge

# Neither good nor bad: on their way, or ended by a decision.
WITHOUT_COLOUR = {"accepted", "sent", "cancelled", "deleted", "info"}
STATES = {*Status, *State, *Severity, *(state for state, _ in delivery_states())}


@pytest.mark.parametrize("state", sorted(STATES))
def test_each_state_has_its_colour(state: str) -> None:
    assert (TONES.get(state, PLAIN) == PLAIN) == (state in WITHOUT_COLOUR)


@pytest.mark.parametrize(
    ("state", "label", "html"),
    [
        ("failed", "", "<span class='mark mark-failed'>failed</span>"),
        ("delivered", "", "<span class='mark mark-open'>delivered</span>"),
        ("queued", "In the queue", "<span class='mark mark-unanswered'>In the queue</span>"),
        ("<odd>", "", "<span class='mark mark-plain'>&lt;odd&gt;</span>"),
    ],
)
def test_a_badge_has_its_text_and_the_colour_of_its_state(state: str, label: str, html: str) -> None:
    assert badge(state, label) == html
