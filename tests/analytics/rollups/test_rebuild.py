"""`manage.py rebuild_rollups`."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from analytics.management.commands import rebuild_rollups
from analytics.management.commands.rebuild_rollups import moment
from analytics.models import Bucket, Charge, Rollup
from analytics.rollups.buckets import mark_period, recount
from messaging.models import Message, MessageEvent
from tests.analytics.rollups.factories import EVER, NOON, latencies, outbound, recounted, rolled_up

pytestmark = pytest.mark.django_db
# Two a day to mark, and some for each quarter that is counted.
QUERIES_OF_A_YEAR = 1000


def rebuild(*options: str) -> str:
    out = StringIO()
    call_command("rebuild_rollups", *options, stdout=out)
    return out.getvalue()


def test_everything_is_counted_without_any_sweep() -> None:
    for day in (0, 1, 40):
        outbound(NOON - timedelta(days=day))
    out = rebuild()
    assert (rolled_up(), "3 of 3" in out, "3 quarters of an hour counted." in out) == (recounted()[0], True, True)


def test_a_period_is_counted_and_nothing_beside_it() -> None:
    for minute in (0, 15, 30):
        outbound(NOON + timedelta(minutes=minute))
    rebuild("--since", "2026-11-20T12:15", "--until", "2026-11-20T12:30")
    assert {start for start, _ in rolled_up()} == {NOON + timedelta(minutes=15)}


def test_a_wrong_count_is_put_right() -> None:
    outbound()
    rebuild()
    Rollup.objects.update(messages=7)
    rebuild()
    assert [values[0] for values in rolled_up().values()] == [1]


def test_a_rebuild_that_was_stopped_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(3):
        outbound(NOON + timedelta(hours=hour))
    counted: list[Any] = []

    def stops(*args: Any, **options: Any) -> int:
        if counted:
            raise KeyboardInterrupt
        counted.append(1)
        return recount(*args, **options)

    monkeypatch.setattr(rebuild_rollups, "recount", stops)
    with pytest.raises(CommandError, match="--resume"):
        rebuild()
    monkeypatch.setattr(rebuild_rollups, "recount", recount)
    first = Bucket.objects.filter(counted_at__isnull=False).values_list("counted_at", flat=True).get()
    assert "2 of 2" in rebuild("--resume")
    assert (Bucket.objects.filter(counted_at=first).count(), rolled_up()) == (1, recounted()[0])


def test_a_rebuild_that_goes_on_stays_within_its_period() -> None:
    for minute in (0, 15, 30):
        outbound(NOON + timedelta(minutes=minute))
    mark_period(EVER)
    far = timezone.now() + timedelta(days=1)
    Bucket.objects.update(due_at=far)
    out = rebuild("--resume", "--since", "2026-11-20T12:15", "--until", "2026-11-20T12:30")
    others = Bucket.objects.exclude(start=NOON + timedelta(minutes=15)).values_list("due_at", flat=True)
    assert ("1 of 1" in out, list(others), {start for start, _ in rolled_up()}) == (
        True, [far, far], {NOON + timedelta(minutes=15)},
    )  # fmt: skip


def test_counts_outlive_their_messages_unless_one_says_otherwise() -> None:
    outbound()
    rebuild()
    Message.objects.all().delete()
    rebuild()
    kept = sum(values[0] for values in rolled_up().values())
    Bucket.objects.update(dirty_since=NOON, due_at=NOON)
    rebuild("--resume", "--shrink")
    assert (kept, rolled_up()) == (1, {})


def delivered() -> Message:
    """A message that Meta bills, with its trail."""
    row = outbound(status="delivered", pricing_category="marketing", pricing_type="regular")
    row.events.all().delete()
    for seconds, status in ((1, "accepted"), (1000, "delivered")):
        at = NOON + timedelta(seconds=seconds)
        MessageEvent.objects.create(message=row, status=status, at=at, source="webhook", key=status)
    return row


def charged_at() -> list[datetime]:
    return list(Charge.objects.values_list("at", flat=True))


@pytest.mark.parametrize("gone", [["accepted"], ["delivered"], ["accepted", "delivered"]], ids=str)
def test_latencies_and_charges_outlive_their_timelines_unless_one_says_otherwise(gone: list[str]) -> None:
    delivered()
    rebuild()
    before = latencies(), charged_at(), rolled_up()
    MessageEvent.objects.filter(status__in=gone).delete()
    out = rebuild()
    kept = latencies(), charged_at(), rolled_up()
    assert "keep" not in rebuild("--shrink")
    assert (kept, "1 keep their counts" in out, latencies() == before[0]) == (before, True, False)


def test_a_charge_keeps_its_time_without_any_latency() -> None:
    row = delivered()
    row.events.filter(status="accepted").delete()
    rebuild()
    before = charged_at()
    row.events.all().delete()
    rebuild()
    assert (before, charged_at()) == ([NOON + timedelta(minutes=15)], before)


def test_a_quarter_that_was_never_counted_is_counted_without_its_timelines() -> None:
    delivered().events.all().delete()
    assert "keep" not in rebuild()
    assert (charged_at(), [values[3] for values in rolled_up().values()]) == ([NOON], [1])


def test_a_later_status_is_counted() -> None:
    row = delivered()
    rebuild()
    MessageEvent.objects.create(message=row, status="read", at=NOON + timedelta(hours=1), source="webhook", key="read")
    assert "keep" not in rebuild()
    assert [values[4] for values in rolled_up().values()] == [1]


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(CommandError, match="before"):
        rebuild("--since", "2026-11-20", "--until", "2026-11-19")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T12:30", datetime(2026, 11, 20, 12, 30, tzinfo=UTC)),
        ("2026-11-20T12:30+01:00", datetime(2026, 11, 20, 11, 30, tzinfo=UTC)),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, expected: datetime) -> None:
    assert moment(text) == expected


def test_nothing_to_count_is_no_error() -> None:
    assert "0 quarters of an hour counted." in rebuild()
    assert recount(EVER) == 0


@pytest.mark.parametrize("options", [["--since", "0001-01-01"], ["--until", "9999-12-31T23:59"]])
def test_a_period_longer_than_the_history_takes_no_longer(
    options: list[str], django_assert_max_num_queries: Any
) -> None:
    outbound()
    with django_assert_max_num_queries(QUERIES_OF_A_YEAR):
        assert "1 quarters of an hour counted." in rebuild(*options)


@pytest.mark.parametrize("given", ["0001-01-01T00:00+05:00", "9999-12-31T23:59-05:00", "yesterday"])
def test_a_time_that_cannot_be_is_refused(given: str) -> None:
    with pytest.raises(CommandError, match="invalid moment value"):
        call_command("rebuild_rollups", f"--since={given}")
