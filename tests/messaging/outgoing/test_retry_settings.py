"""The outgoing lane reads its settings at each use."""

from typing import Any

from messaging.outgoing.retry_policy import Limits
from messaging.outgoing.retry_settings import limits


def test_the_limits_of_retries_are_those_of_the_settings(settings: Any) -> None:
    settings.WA_MAX_ATTEMPTS, settings.WA_BACK_OFF_S = 9, [7.0, 77.0]
    settings.WA_CODE_WAITS = {130429: 11.5}
    assert limits() == Limits(9, (7.0, 77.0), {130429: 11.5})
