"""Figures after a person was erased: the next recount finds the same."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from analytics.models import Charge, Histogram, Rollup
from analytics.rollups import sweep as sweeping
from analytics.rollups.contact_addresses import ANY_USER_ID
from analytics.rollups.countries import country_of
from analytics.rollups.markets import market_of, pattern_of
from messaging.erasure.erase import erase
from messaging.erasure.erased_peers import erased_words
from messaging.erasure.person import person_of
from messaging.models import Contact, Message, MessageEvent
from tests.analytics.rollups.factories import NOON, count_again, inbound, outbound

pytestmark = pytest.mark.django_db
PEER, USER_ID = "4915112345678", "DE.13491208655302741918"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, sqs: Any) -> None:
    """Sweeps follow each other at once; an erasure looks at queues."""
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(0))


def figures() -> list[list[dict[str, Any]]]:
    """All counts, latencies and charges."""
    return [
        sorted(model.objects.values(*(f.attname for f in model._meta.fields if f.attname != "id")), key=str)
        for model in (Rollup, Histogram, Charge)
    ]


def delivered(minute: int, peer: str = PEER, **fields: Any) -> Message:
    """A message that Meta has billed."""
    at = NOON + timedelta(minutes=minute)
    given = {"status": "delivered", "wamid": f"w{minute}", "pricing_category": "marketing", "pricing_type": "regular"}
    row = outbound(at, peer, **{**given, **fields})
    MessageEvent.objects.create(message=row, status="accepted", at=at + timedelta(seconds=1), source="worker")
    return row


def erase_all_of(identity: str) -> None:
    erase(person_of(identity), "ann")


@pytest.mark.parametrize("peer", [PEER, "18765550100", "77011234567", USER_ID, "JM.134", "KZ.134"])
def test_a_recount_after_an_erasure_finds_the_figures_of_before(peer: str) -> None:
    delivered(0, peer)
    inbound(NOON + timedelta(minutes=5), peer)
    delivered(6, peer)
    inbound(NOON + timedelta(minutes=20), peer)
    count_again()
    before = figures()
    erase_all_of(peer)
    count_again()
    assert (Message.objects.filter(peer=peer).count(), figures()) == (0, before)


def test_an_answer_from_the_other_address_still_counts_after_an_erasure() -> None:
    Contact.objects.create(phone=PEER, phone_key=PEER, user_id=USER_ID)
    delivered(0)
    inbound(NOON + timedelta(minutes=5), USER_ID)
    count_again()
    before = figures()
    erase_all_of(PEER)
    count_again()
    assert figures() == before


def test_an_erased_message_that_meta_never_had_is_no_response() -> None:
    inbound(NOON, PEER)
    outbound(NOON + timedelta(minutes=1), PEER, status="failed")
    count_again()
    before = figures()
    erase_all_of(PEER)
    count_again()
    assert figures() == before


def test_an_erased_message_that_failed_after_meta_took_it_is_a_response() -> None:
    inbound(NOON, PEER)
    delivered(1, status="failed")
    count_again()
    before = figures()
    erase_all_of(PEER)
    count_again()
    assert figures() == before


@pytest.mark.parametrize(
    ("peer", "expected"),
    [(f"erased:+49:{'ab' * 8}", False), (f"erased:{'49' * 8}", False), (f"erased:{'ff' * 8}", False),
     (PEER, False), (USER_ID, True), ("AD.1", True), ("ZW.1", True), ("ES.1", True)],
)  # fmt: skip
def test_only_a_user_id_makes_counts_look_for_other_addresses(peer: str, expected: bool) -> None:
    outbound(NOON, peer)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {ANY_USER_ID}")
        assert cursor.fetchone() == (expected,)


def test_a_word_has_the_country_and_market_of_its_address() -> None:
    chance = random.Random(5)
    peers = [str(chance.randrange(10**6, 10**12)) for _ in range(300)] + [""]
    peers += [f"{code}{chance.randrange(200, 999)}5550100" for code in (1, 7) for _ in range(300)]
    peers += [f"{chr(chance.randrange(65, 91))}{chr(chance.randrange(65, 91))}.134" for _ in range(300)]
    words = {peer: erased_words([peer])(peer) for peer in peers}
    assert {peer: (country_of(word), market_of(word)) for peer, word in words.items()} == {
        peer: (country_of(peer), market_of(peer)) for peer in peers
    }


def test_a_word_keeps_no_more_of_a_number_than_its_country() -> None:
    addresses = ("4915112345678", "18765550100", "77011234567", "35312345678", "DE.134", "000")
    assert [erased_words([peer])(peer).split(":")[1:-1] for peer in addresses] == [
        ["+49"], ["+1876"], ["+77"], ["+353"], ["+DE."], [],
    ]  # fmt: skip


def test_a_number_and_a_user_id_of_its_country_have_one_word() -> None:
    word = erased_words([PEER, USER_ID])
    assert word(PEER) == word(USER_ID) != word("FR.1")


@pytest.mark.parametrize(
    ("peer", "market"),
    [("erased:+49:4900000000000000", "Germany"), ("erased:+1242:0000000000000000", "Other"),
     ("erased:4900000000000000", "Other")],
)  # fmt: skip
def test_the_list_of_a_market_has_the_erased_messages_that_it_counts(peer: str, market: str) -> None:
    with connection.cursor() as cursor:
        found = set()
        for name in ("Germany", "North America", "Other"):
            cursor.execute("SELECT %s ~ %s", [peer, pattern_of(name)])
            found |= {name} if cursor.fetchone()[0] else set()
    assert (found, market_of(peer)) == ({market}, market)
