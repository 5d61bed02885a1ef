"""The rollups equal a recount of the raw rows, whatever comes in whatever order."""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.models import Bucket, Day
from analytics.rollups import sweep as sweeping
from analytics.rollups.buckets import Period, mark_period, recount
from analytics.rollups.days import sum_day
from analytics.rollups.dimension_views import DAY_VIEWS, VIEWS
from messaging.lifecycle import Change, advance_many
from messaging.models import Message
from messaging.states import Status
from messaging.whatsapp.inbound import Pricing
from tests.analytics.rollups.factories import (
    EVER,
    NOON,
    in_view,
    inbound,
    latencies,
    outbound,
    read_trail,
    recounted,
    rolled_up,
    settle,
)

pytestmark = pytest.mark.django_db
# CI asks for 1,000 of them, in a run of its own.
EXAMPLES = int(os.environ.get("STREAMS", "50"))
CAMPAIGNS = 3
PEERS = ["15551230001", "4915112345678", "US.13491208655302741918", "99900"]
PRICES = [None, Pricing(True, "PMP", "regular", "marketing"), Pricing(False, "PMP", "free_customer_service", "service")]
STATES = [Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps follow each other at once."""
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(0))


offsets = st.integers(0, 3 * 86_400) | st.integers(0, 1800)
kinds = st.sampled_from(["text", "reaction"])
sends = st.tuples(st.just("send"), offsets, st.sampled_from(PEERS), st.sampled_from(["", "spring"]), kinds)
writes = st.tuples(st.just("write"), offsets, st.sampled_from(PEERS), kinds)
statuses = st.tuples(st.just("status"), st.integers(0, 20), st.sampled_from(STATES), st.integers(0, 9 * 86_400))
steps = st.sampled_from([("sweep",), ("recount",), ("repeat",)])
streams = st.lists(sends | writes | statuses | statuses | steps, min_size=1, max_size=14)


class Player:
    """Plays a stream against the database."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.last: list[Change] = []

    def play(self, step: Any) -> None:
        match step:
            case ("send", offset, peer, campaign, kind):
                client = {"campaign": campaign, "template": "hello" if campaign else "", "type": kind}
                self.sent.append(outbound(NOON + timedelta(seconds=offset, milliseconds=250), peer, **client))
            case ("write", offset, peer, kind):
                at = NOON + timedelta(seconds=offset)
                inbound(at, peer, type=kind, made=at + timedelta(seconds=offset % 7))
            case ("status", index, status, delay) if self.sent:
                self.last = [self.change(self.sent[index % len(self.sent)], status, delay)]
                advance_many(self.last)
            case ("repeat",):
                advance_many([change for change in self.last if change.key])
            case ("sweep",):
                read_trail()
            case ("recount",):
                recount(EVER)

    def change(self, message: Message, status: Status, delay: int) -> Change:
        """By the worker, or by a webhook, which may repeat itself."""
        at, wamid = message.at + timedelta(seconds=delay), f"wamid.{message.pk}"
        if status is Status.ACCEPTED:
            # Sending is the worker's; here it has begun.
            Message.objects.filter(pk=message.pk, status="pending").update(status="sending", calls=1)
            return Change(message.pk, status, at, "worker", wamid=wamid)
        failed = {"error_code": 131026, "error_title": "gone"} if status is Status.FAILED else {}
        price = PRICES[delay % 3] if status in (Status.SENT, Status.DELIVERED) else None
        key = f"{wamid}:{status}"
        return Change(message.pk, status, at, "webhook", wamid=wamid, key=key, pricing=price, **failed)  # type: ignore[arg-type]


@pytest.mark.slow("counts random streams")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck])
@given(streams)
def test_rollups_equal_a_recount_on_random_streams(stream: list[Any]) -> None:
    with transaction.atomic():
        player = Player()
        for step in stream:
            player.play(step)
        settle()
        counts, durations = recounted()
        assert (rolled_up(), latencies()) == (counts, durations)
        for view, names in VIEWS.items():
            assert rolled_up(view=view) == in_view(counts, names)
            assert rolled_up(60, view) == hours(rolled_up(view=view))
        assert latencies(view=CAMPAIGNS) == durations
        sum_days()
        assert rolled_up(1440) == days(rolled_up(60))
        for view, names in DAY_VIEWS.items():
            assert rolled_up(1440, view) == in_view(rolled_up(1440), names)
        transaction.set_rollback(True)


def hours(counted: dict[Any, Any]) -> dict[Any, Any]:
    """Quarters summed up to hours."""
    sums: dict[Any, Any] = {}
    for (start, *rest), values in counted.items():
        key = (start.replace(minute=0), *rest)
        sums[key] = tuple(a + b for a, b in zip(sums.get(key, (0,) * 9), values, strict=True))
    return sums


def days(counted: dict[Any, Any]) -> dict[Any, Any]:
    """Hours summed up to days."""
    sums: dict[Any, Any] = {}
    for (start, *rest), values in counted.items():
        key = (start.replace(hour=0), *rest)
        sums[key] = tuple(a + b for a, b in zip(sums.get(key, (0,) * 9), values, strict=True))
    return sums


def sum_days() -> None:
    Day.objects.update(due_at=NOON - timedelta(days=1))
    while sum_day():
        pass


def test_days_are_the_sums_of_their_hours() -> None:
    for hour in (-13, -12, 0, 11, 12):
        outbound(NOON - timedelta(days=3) + timedelta(hours=hour))
    settle()
    sum_days()
    assert rolled_up(1440) == days(rolled_up(60))
    assert sorted(values[0] for values in rolled_up(1440).values()) == [1, 1, 3]
    assert latencies(1440).total() == latencies(60).total()


def test_a_recount_makes_its_day_dirty() -> None:
    outbound()
    settle()
    sum_days()
    outbound(peer="15551230002")
    settle()
    assert Day.objects.get().dirty_since is not None


def test_a_day_that_is_not_over_is_not_summed_up() -> None:
    outbound(timezone.now())
    mark_period(Period(timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1)))
    while recount():
        pass
    assert (Day.objects.count(), sum_day()) == (1, False)


def test_hours_are_the_sums_of_their_quarters() -> None:
    for minute in (0, 14, 15, 59, 60):
        outbound(NOON + timedelta(minutes=minute))
    settle()
    assert rolled_up(60) == hours(rolled_up())
    assert sorted(values[0] for values in rolled_up(60).values()) == [1, 4]


def test_a_status_eight_days_late_counts_in_the_quarter_of_its_message() -> None:
    message = outbound()
    settle()
    player = Player()
    player.sent = [message]
    for status in (Status.ACCEPTED, Status.DELIVERED):
        player.play(("status", 0, status, 8 * 86_400))
    settle()
    ((start, dims), values) = next(iter(rolled_up().items()))
    assert (start, dims.status, values[3], len(rolled_up())) == (NOON, "delivered", 1, 1)


def test_a_quarter_whose_rows_are_gone_keeps_its_counts() -> None:
    outbound(), outbound(peer="15551230002")
    settle()
    before = rolled_up()
    Message.objects.filter(peer="15551230002").delete()
    mark_period(EVER)
    while recount(EVER):
        pass
    assert rolled_up() == before


def test_a_shrinking_rebuild_counts_what_is_left() -> None:
    outbound(), outbound(peer="15551230002")
    settle()
    Message.objects.filter(peer="15551230002").delete()
    mark_period(EVER)
    while recount(EVER, shrink=True):
        pass
    assert [values[0] for values in rolled_up().values()] == [1]


def test_a_reaction_whose_arrival_nobody_reports_lowers_no_share_of_delivered_messages() -> None:
    outbound(status="delivered")
    outbound(type="reaction", status="sent")
    settle()
    by_type = {dims.type: values[:5] for (_, dims), values in rolled_up().items()}
    assert by_type == {"text": (1, 1, 1, 1, 0), "reaction": (1, 0, 0, 0, 0)}


@pytest.mark.parametrize(("kind", "responded"), [("text", 1), ("reaction", 0)])
def test_a_reaction_of_ours_is_no_response(kind: str, responded: int) -> None:
    inbound()
    outbound(NOON + timedelta(minutes=5), type=kind, wamid="wamid.OURS", status="sent")
    settle()
    assert opened_and_responded() == (1, responded)


def test_a_user_who_got_a_reaction_alone_waits_since_the_first_message() -> None:
    inbound()
    outbound(NOON + timedelta(minutes=5), type="reaction", wamid="wamid.LIKED", status="sent")
    inbound(NOON + timedelta(minutes=10))
    outbound(NOON + timedelta(minutes=20), wamid="wamid.OURS", status="sent")
    settle()
    assert opened_and_responded() == (1, 1)


def opened_and_responded() -> tuple[int, ...]:
    """Of the inbound messages."""
    (found,) = {values[7:] for (_, dims), values in rolled_up().items() if dims.direction == "inbound"}
    return found


def test_echoes_and_history_are_not_counted() -> None:
    for origin in ("echo", "history"):
        outbound(origin=origin)
    inbound(origin="user")
    settle()
    assert [dims.direction for _, dims in rolled_up()] == ["inbound"]


def test_a_quarter_that_changed_is_not_counted_again_before_it_is_due() -> None:
    outbound()
    settle()
    outbound(peer="15551230002")
    read_trail()
    counted_at = Bucket.objects.get().counted_at
    recount()
    bucket = Bucket.objects.get()
    assert (bucket.counted_at, bucket.dirty_since is not None) == (counted_at, True)


def test_what_is_dirty_waits_for_its_turn_and_is_then_clean() -> None:
    outbound()
    read_trail()
    assert (recount(), Bucket.objects.get().dirty_since, recount()) == (1, None, 0)


def test_counting_a_quarter_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    for n in range(5):
        outbound(peer=f"1555123000{n}", campaign=f"c{n}")
    read_trail()
    with django_assert_max_num_queries(22):  # with the savepoints of a test and of a count
        recount()


def quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


@pytest.mark.parametrize("milliseconds", [0, 1, 899_999])
def test_a_message_counts_in_the_quarter_in_which_its_id_was_made(milliseconds: int) -> None:
    at = NOON + timedelta(milliseconds=milliseconds)
    outbound(at)
    settle()
    assert [start for start, _ in rolled_up()] == [quarter(at)]
