import json
import time
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.whatsapp.inbound import normalise
from messaging.whatsapp.inbound.splitting import split
from tests.messaging.whatsapp.inbound.bodies import ANNA, BEN, message, webhook
from tests.messaging.whatsapp.strategies import BODIES, JSON


def size(body: Any) -> int:
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def contents(*bodies: Any) -> list[str]:
    updates = [update for found in map(normalise, bodies) for update in found.updates]
    written = ([type(update).__name__, asdict(update)] for update in updates)
    return sorted(json.dumps(update, sort_keys=True, default=str) for update in written)


def texts_of(*senders: Any) -> dict[str, Any]:
    people = {"16505551234": ANNA, "16505551235": BEN}
    messages = [message(**{"id": f"wamid.{at}", "from": sender}) for at, sender in enumerate(senders)]
    return webhook(messages=messages, contacts=[people[sender] for sender in sorted(set(senders))])


@pytest.mark.slow("splits random webhooks")
@settings(max_examples=300)
@given(BODIES | JSON, st.sampled_from([0, 200, 400, 800]))
def test_the_pieces_hold_together_what_the_whole_holds(body: Any, limit: int) -> None:
    pieces = split(body, limit)
    assert contents(*pieces) == contents(body)


@pytest.mark.slow("splits random webhooks")
@settings(max_examples=200)
@given(BODIES, st.sampled_from([200, 400, 800]))
def test_a_piece_over_the_limit_cannot_be_cut_further(body: Any, limit: int) -> None:
    for piece in split(body, limit):
        assert size(piece) <= limit or split(piece, limit) == [piece]


def test_a_body_within_the_limit_stays_whole() -> None:
    body = texts_of("16505551234", "16505551235")
    assert split(body, size(body)) == [body]


def test_a_body_over_the_limit_is_cut_between_updates() -> None:
    body = webhook(messages=[message(id=f"wamid.{at}", text={"body": "ä" * 90}) for at in range(50)])
    pieces = split(body, 2000)
    assert len(pieces) > 4
    assert all(size(piece) <= 2000 for piece in pieces)
    assert {(piece["object"], piece["entry"][0]["id"]) for piece in pieces} == {("whatsapp_business_account", "11")}


def test_an_update_that_is_too_large_stays_alone() -> None:
    large = message(id="wamid.L", text={"body": "x" * 4000})
    pieces = split(webhook(messages=[message(), large, message(id="wamid.C")]), 1000)
    (oversized,) = [piece for piece in pieces if size(piece) > 1000]
    assert oversized["entry"][0]["changes"][0]["value"]["messages"] == [large]


def test_a_piece_has_the_contacts_of_its_own_messages() -> None:
    pieces = split(texts_of("16505551234", "16505551235"), 10)
    values = [piece["entry"][0]["changes"][0]["value"] for piece in pieces]
    assert [value["contacts"] for value in values] == [[ANNA], [BEN]]


def test_a_piece_has_all_contacts_where_one_cannot_be_identified() -> None:
    body = webhook(messages=[message(**{"from": None}), message(id="wamid.B")], contacts=[ANNA, BEN])
    values = [piece["entry"][0]["changes"][0]["value"] for piece in split(body, 10)]
    assert [value["contacts"] for value in values] == [[ANNA, BEN], [ANNA]]


@pytest.mark.parametrize("body", [None, 5, "x" * 50, [1, 2], {"object": "page", "entry": [{}, {}]}])
def test_what_is_no_webhook_of_whatsapp_stays_whole(body: Any) -> None:
    assert split(body, 10) == [body]


def test_the_largest_body_that_meta_sends_is_cut_in_less_than_a_second() -> None:
    messages = [
        message(**{"id": f"wamid.{at}", "from": f"1650{at:07}", "text": {"body": "x" * 2500}}) for at in range(1000)
    ]
    contacts = [{"wa_id": f"1650{at:07}", "profile": {"name": "Anna"}} for at in range(1000)]
    started = time.process_time()
    pieces = split(webhook(messages=messages, contacts=contacts), 700_000)
    assert time.process_time() - started < 1
    assert all(size(piece) <= 700_000 for piece in pieces)
