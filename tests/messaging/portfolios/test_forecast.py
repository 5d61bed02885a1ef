"""A client learns beforehand how long messages will wait for a messaging limit."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from messaging.models import Portfolio
from messaging.outgoing import campaign_exists, hold_campaign
from messaging.portfolios import clear_limit_cache
from messaging.portfolios.budget import COUNTED_FOR
from tests.messaging.factories import pending
from tests.messaging.portfolios.limited_portfolio import limited, release_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_cache() -> Iterator[None]:
    """Each test has limits of its own."""
    clear_limit_cache()
    yield
    clear_limit_cache()


def item(n: int, **fields: Any) -> dict[str, Any]:
    data = {"name": "hello_world", "language": "en_US"}
    return {"phone_number": f"+1650253{n:04}", "message_type": "template", "message_data": data, **fields}


def bulk(api: Any, items: list[dict[str, Any]], query: str = "") -> Any:
    return api.post(f"/messaging/send/bulk{query}", {"messages": items}, format="json").json()


def test_a_bulk_within_the_limit_waits_for_nothing(api: Any) -> None:
    limited(250)
    (forecast,) = bulk(api, [item(n) for n in range(10)])["messaging_limit"]
    done_at = parse_datetime(forecast.pop("done_at"))
    expected = {"users_a_day": 250, "opened": 0, "new_recipients": 10, "waiting": 0}
    assert forecast == {"portfolio": Portfolio.objects.get().key, **expected}
    assert done_at and done_at <= timezone.now()


def test_a_bulk_beyond_the_limit_says_when_its_last_message_goes(api: Any) -> None:
    limited(10)
    pending(12)
    release_all()
    (forecast,) = bulk(api, [item(n) for n in range(10)])["messaging_limit"]
    done_at = parse_datetime(forecast["done_at"])
    assert (forecast["opened"], forecast["new_recipients"], forecast["waiting"]) == (9, 10, 3)
    # 9 a day: 13 need two days.
    assert done_at and abs(done_at - timezone.now() - 2 * COUNTED_FOR) < timedelta(minutes=3)


def test_recipients_who_count_already_are_not_new(api: Any) -> None:
    limited(10)
    bulk(api, [item(n) for n in range(3)])
    release_all()
    (forecast,) = bulk(api, [item(n) for n in range(5)])["messaging_limit"]
    assert forecast["new_recipients"] == 2


def test_an_estimate_says_the_same_and_sends_nothing(api: Any) -> None:
    limited(250)
    (forecast,) = bulk(api, [item(n) for n in range(10)], "?estimate=true")["messaging_limit"]
    assert forecast["new_recipients"] == 10


def test_without_a_limit_nothing_is_said(api: Any) -> None:
    limited(None)
    assert bulk(api, [item(1)]).keys() == {"results"}


def test_a_single_send_is_warned_once_the_limit_is_used_up(api: Any) -> None:
    limited(2)
    pending(2)
    release_all()
    answer = api.post("/messaging/send", item(1), format="json").json()
    assert any("messaging limit" in warning for warning in answer["warnings"])


def test_a_campaign_says_how_many_of_its_messages_wait_for_the_limit_and_until_when() -> None:
    limited(10)
    pending(12, campaign="spring")
    release_all()
    state = hold_campaign("spring", None, "me")
    assert campaign_exists("spring", None)
    assert state.waiting_for_limit == 3
    assert state.limit_done_at and state.limit_done_at > timezone.now() + timedelta(hours=23)
