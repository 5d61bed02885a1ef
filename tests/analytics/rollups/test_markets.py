"""Markets by the recipient's number or user id, in Python and in PostgreSQL alike."""

import random

import pytest
from django.db import connection

from analytics.rollups.markets import MARKETS, market_of, pattern_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("peer", "market"),
    [
        ("16505551234", "North America"),
        ("18765550100", "Rest of Latin America"),  # Jamaica
        ("12425550100", "Other"),  # the Bahamas
        ("79161234567", "Russia"),
        ("77011234567", "Kazakhstan"),
        ("919812345678", "India"),
        ("4915112345678", "Germany"),
        ("290123456", "Other"),
        ("US.134", "North America"),
        ("JM.134", "Rest of Latin America"),
        ("BS.134", "Other"),
        ("KZ.134", "Kazakhstan"),
        ("DE.134", "Germany"),
        ("", "Other"),
    ],
)
def test_a_peer_belongs_to_the_market_of_metas_list(peer: str, market: str) -> None:
    assert market_of(peer) == market


def test_the_pattern_of_a_market_matches_its_peers_and_no_others() -> None:
    chance = random.Random(11)
    peers = [str(chance.randrange(10**6, 10**12)) for _ in range(300)]
    peers += [f"1{chance.randrange(200, 999)}5550100" for _ in range(300)] + ["18765550100", "12425550100"]
    peers += [f"{chr(chance.randrange(65, 91))}{chr(chance.randrange(65, 91))}.134" for _ in range(300)]
    with connection.cursor() as cursor:
        for market in MARKETS:
            cursor.execute("SELECT p FROM unnest(%s::text[]) p WHERE p ~ %s", [peers, pattern_of(market)])
            assert {peer for (peer,) in cursor.fetchall()} == {peer for peer in peers if market_of(peer) == market}
