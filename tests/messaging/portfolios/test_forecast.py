"""A client learns beforehand how long messages will wait for a messaging limit."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from messaging.models import ApiClient, BusinessNumber, Message, OpenedCount, Portfolio, Priority
from messaging.outgoing.holds.campaigns import campaign_exists, hold_campaign
from messaging.portfolios import assign_portfolio, clear_limit_cache, limit_warning, messages_on_hold, waiting_until
from messaging.portfolios.budget import COUNTED_FOR
from tests.messaging.factories import number, pending
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


@pytest.mark.parametrize(
    ("priorities", "waits"),
    [(["high"], False), (["normal"], True), (["low"], True), (["high", "low"], True)],
)
def test_the_share_of_high_priority_is_free_for_it_alone(priorities: list[str], waits: bool, api: Any) -> None:
    ApiClient.objects.update(may_send_high=True)
    limited(10)  # one of them for high priority
    pending(9)
    release_all()
    items = [item(n, priority=priority) for n, priority in enumerate(priorities)]
    (forecast,) = bulk(api, items)["messaging_limit"]
    done_at = parse_datetime(forecast["done_at"])
    assert done_at and (done_at > timezone.now() + timedelta(hours=1)) == waits


def test_a_recipient_with_an_open_window_is_not_new(api: Any) -> None:
    limited(10)
    for n, hours in enumerate((1, 25)):
        Message.objects.create(
            direction="inbound", number=number(), peer=f"1650253{n:04}", type="text", status="received",
            at=timezone.now() - timedelta(hours=hours),
        )  # fmt: skip
    (forecast,) = bulk(api, [item(n) for n in range(3)])["messaging_limit"]
    assert forecast["new_recipients"] == 2


def test_only_the_portfolios_own_recipients_of_the_last_day_count(api: Any) -> None:
    mine = limited(10)
    other = Portfolio.objects.create(key="other")
    now = timezone.now().replace(second=0, microsecond=0)
    for portfolio, minute, recipients in ((mine, now, 1), (mine, now - timedelta(hours=25), 2), (other, now, 4)):
        OpenedCount.objects.create(portfolio=portfolio, minute=minute, recipients=recipients)
    (forecast,) = bulk(api, [item(1)])["messaging_limit"]
    assert forecast["opened"] == 1


WARNING = (
    "The messaging limit of 2 new recipients in 24 hours is used up: if the recipient is new, the message waits until "
    "the window moves."
)


@pytest.mark.parametrize(
    ("users", "opened", "priority", "warning"),
    [
        (2, 0, Priority.NORMAL, ""),
        (2, 1, Priority.NORMAL, WARNING),
        (2, 1, Priority.HIGH, ""),
        (2, 2, Priority.HIGH, WARNING),
        (None, 2, Priority.NORMAL, ""),
    ],
)
def test_a_warning_says_which_limit_is_used_up(users: int | None, opened: int, priority: int, warning: str) -> None:
    limited(users)
    Portfolio.objects.update(opened=opened)
    assert limit_warning(Message(number=number(), priority=priority)) == warning


def wait_for_the_limit(sender: BusinessNumber, count: int, priority: int = Priority.NORMAL) -> None:
    for row in pending(count):
        hold = f"limit:{sender.pk}:{priority}"
        Message.objects.filter(pk=row.pk).update(number=sender, hold=hold, priority=priority)


def test_waiting_messages_are_counted_by_priority_and_up_to_a_number() -> None:
    sender = number()
    wait_for_the_limit(sender, 3)
    wait_for_the_limit(sender, 1, Priority.LOW)
    assert messages_on_hold([sender.pk], 2) == {Priority.HIGH: 0, Priority.NORMAL: 2, Priority.LOW: 1}


def test_the_end_of_a_wait_is_known_if_that_of_each_portfolio_is() -> None:
    limited(10)
    first, never, free = number(), *(BusinessNumber.objects.create(phone_number_id=key, waba_id=key) for key in "78")
    for sender in (never, free):
        assign_portfolio(sender.pk)
    # A tenth of the limit, at least one, is left for high priority: nothing is for others.
    Portfolio.objects.filter(businessnumber=never).update(users_a_day=1)
    wait_for_the_limit(first, 10)
    wait_for_the_limit(never, 1)
    found = [waiting_until(pks) for pks in ([first.pk, free.pk], [never.pk], [first.pk, never.pk], [free.pk], [])]
    assert found[0] and abs(found[0] - timezone.now() - COUNTED_FOR) < timedelta(minutes=1)
    assert found[1:] == [None] * 4


def test_single_sends_share_what_is_known_of_the_limits() -> None:
    limited(250)
    (row,) = pending()
    with CaptureQueriesContext(connection) as queries:
        limit_warning(row)
        limit_warning(row)
    assert len(queries) == 1


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


def test_a_limit_that_has_just_ended_keeps_nothing_waiting(api: Any) -> None:
    portfolio = limited(250)
    assert "messaging_limit" in bulk(api, [item(1)])
    Portfolio.objects.filter(pk=portfolio.pk).update(users_a_day=None)
    assert "messaging_limit" not in bulk(api, [item(2)])


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
