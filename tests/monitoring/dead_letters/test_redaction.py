"""Dead letters without personal data."""

from typing import Any

import pytest

from monitoring.dead_letters.redaction import redacted


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"data": {"maria_garcia": 1}}, {"data": {"… 1": 1}}),
        ({"data": {"maria": {"garcia": True}, "b": 2}}, {"data": {"… 1": {"… 1": True}, "… 2": 2}}),
        ({"event_data": [{"maria": None}]}, {"event_data": [{"… 1": None}]}),
        ({"object": "page", "entry": [{"field": "messages"}]}, {"object": "page", "entry": [{"field": "messages"}]}),
        ({"campaign": "maria"}, {"campaign": "… (5 characters)"}),
    ],
)
def test_redaction_hides_the_keys_of_clients_but_not_those_of_meta(given: Any, shown: Any) -> None:
    assert redacted(given) == shown
