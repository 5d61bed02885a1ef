"""The messaging limit in Meta's words."""

import pytest

from messaging.whatsapp.messaging_limits import MessagingLimit, messaging_limit

UNLIMITED = MessagingLimit("TIER_UNLIMITED", None)


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ("TIER_250", MessagingLimit("TIER_250", 250)),
        ("TIER_2K", MessagingLimit("TIER_2K", 2000)),
        ("TIER_100K", MessagingLimit("TIER_100K", 100_000)),
        ("TIER_UNLIMITED", UNLIMITED),
        (2000, MessagingLimit("TIER_2K", 2000)),
        ("250", MessagingLimit("TIER_250", 250)),
        (-1, UNLIMITED),
        ("-1", UNLIMITED),
    ],
)
def test_a_limit_is_read(given: object, limit: MessagingLimit) -> None:
    assert messaging_limit(given) == limit


@pytest.mark.parametrize(
    "given", ["", "TIER_NOT_SET", "TIER_0", "TIER_", "2K", 0, -2, 10**12, True, None, 2.5, [], {}, "TIER_٢K"]
)
def test_what_names_no_limit_is_not_read(given: object) -> None:
    assert messaging_limit(given) is None
