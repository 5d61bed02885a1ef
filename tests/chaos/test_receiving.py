"""The fault of `receiving.shuffled`, counted from the updates themselves."""

import pytest

from chaos.receiving.shuffled import disorder
from testkit.load.webhooks import Update, echo, inbound, status

ECHO, READ, INBOUND = echo("1", "a", 0), status("1", "a", "read", 1), inbound("1", "b", 2)


@pytest.mark.parametrize(
    ("updates", "count"),
    [
        ([], 0),
        ([ECHO, READ, INBOUND], 0),
        ([INBOUND, ECHO, READ], 0),
        ([READ, ECHO, INBOUND], 1),
        ([ECHO, READ, ECHO, READ], 2),
        ([READ, READ, ECHO], 2),
        ([INBOUND, INBOUND], 1),
    ],
)
def test_repeated_updates_and_statuses_before_their_message_are_disorder(updates: list[Update], count: int) -> None:
    assert disorder(updates) == count
