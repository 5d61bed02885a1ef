"""`manage.py demo_data` fills and removes a believable quarter year, and touches nothing else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections
from django.test import Client

from analytics.costs.figures import CostQuestion, figures
from analytics.demo import Fill, Removal
from analytics.demo.days import Planned, plan
from analytics.demo.shop import CAMPAIGNS, CARD_NAME, COUNTRIES, NUMBERS, people
from analytics.models import Bucket, Budget, Charge, Day, Dimensions, Event, Histogram, RateCard, Rollup
from analytics.rollups.days import sum_day
from messaging.models import ApiClient, BusinessNumber, Contact, Delivery, Message, MessageEvent, Subscription
from tests.analytics.costs.factories import LIST, card
from tests.analytics.rollups.factories import count_again, inbound, outbound, recounted, rolled_up
from tests.messaging.lock_order import in_own_connection, is_waited_for
from tests.tables import kept_rows
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
DAYS, MESSAGES = 6, 150
OURS: list[Any] = [
    ApiClient, BusinessNumber, Message, MessageEvent, Contact, Event, RateCard, Budget, Charge, Rollup, Histogram
]  # fmt: skip


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six days in the place of ninety-one, and no connection of any kind but the database's."""
    for module in ("fill", "days"):
        monkeypatch.setattr(f"analytics.demo.{module}.DAYS", DAYS)
    monkeypatch.setattr("analytics.management.commands.demo_data.DAYS", DAYS)

    def refuse(*_: Any) -> None:
        raise AssertionError("demo_data connects to something")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def fill(**options: Any) -> None:
    call_command("demo_data", messages=MESSAGES, **options)


def filled() -> None:
    """Begin with what `fill` makes."""
    kept_rows.fill(fill)


def sum_days() -> None:
    while sum_day():
        pass


def everything() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in [*OURS, Dimensions, Bucket, Day]}


@pytest.mark.slow("makes demonstration data")
def test_its_counts_are_a_recount_of_its_messages_and_nothing_is_left_to_count() -> None:
    filled()
    assert rolled_up() == recounted()[0]
    assert not Bucket.objects.filter(dirty_since__isnull=False).exists()
    assert Day.objects.filter(dirty_since=None).count() == DAYS


@pytest.mark.slow("makes demonstration data")
def test_while_it_is_filled_only_the_quarters_of_two_days_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    due: list[int] = []
    store = Fill._store

    def watched(*args: Any) -> int:
        stored = store(*args)
        dirty = Bucket.objects.filter(dirty_since__isnull=False).values_list("start", flat=True)
        due.append(len({start.date() for start in dirty}))
        return stored

    monkeypatch.setattr(Fill, "_store", watched)
    fill()
    assert due == [1, *[2] * (DAYS - 1)]


def test_nothing_of_it_waits_to_be_sent_or_delivered() -> None:
    filled()
    assert set(Message.objects.values_list("status", flat=True)) <= {
        "received", "accepted", "sent", "delivered", "read", "failed"
    }  # fmt: skip
    assert (Message.objects.filter(outcome_at=None, direction="outbound").count(), Delivery.objects.count()) == (0, 0)


def test_just_after_midnight_none_of_its_messages_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    last = midnight - timedelta(milliseconds=100)
    accepted = midnight + timedelta(seconds=2)
    trail = (("pending", last), ("accepted", accepted), ("read", midnight + timedelta(hours=1)))

    def at_the_end(day: date, *_: Any) -> list[Planned]:
        late = Planned(last, people(1)[0], 0, inbound=False, type="text", text="Late", trail=trail)
        return [late] if day == last.date() else []

    monkeypatch.setattr("analytics.demo.fill.plan", at_the_end)
    for seconds in (1, 90):
        monkeypatch.setattr("analytics.demo.fill.timezone.now", lambda s=seconds: midnight + timedelta(seconds=s))
        list(Fill(MESSAGES, 1).days())
    assert Message.objects.values_list("status", "updated_at").get() == ("accepted", accepted)


def test_its_messages_have_campaigns_prices_and_costs() -> None:
    filled()
    campaign = Message.objects.filter(campaign=CAMPAIGNS[0].name)
    assert campaign.filter(pricing_category="marketing", pricing_type="regular").exists()
    (figure,) = figures(CostQuestion([Bucket.objects.earliest("start").start], _end(), "USD"))
    assert (figure.cost > 0, figure.unpriced) == (True, 0)


def _end() -> Any:
    return Day.objects.latest("start").start + timedelta(days=2)


def test_the_pages_show_it(admin_client: Client) -> None:
    filled()
    for path in ("/analytics/", f"/analytics/?campaign={CAMPAIGNS[0].name}"):
        assert admin_client.get(path).status_code == 200


def test_a_second_run_changes_nothing() -> None:
    filled()
    before = everything()
    fill()
    assert everything() == before


@pytest.mark.slow("makes demonstration data")
def test_a_run_that_was_killed_goes_on_and_makes_what_one_run_makes() -> None:
    days = Fill(MESSAGES, 1).days()
    next(days), next(days), next(days)
    days.close()
    assert Message.objects.count() > 0
    fill()
    killed = set(Message.objects.values_list("id", "status"))
    fill(remove=True)
    fill()
    assert set(Message.objects.values_list("id", "status")) == killed


@pytest.mark.slow("makes demonstration data")
def test_its_removal_leaves_other_messages_and_their_counts() -> None:
    outbound(campaign="our own")
    count_again()
    sum_days()
    before, counts = everything(), rolled_up()
    fill()
    fill(remove=True)
    assert (everything(), rolled_up()) == (before, counts)


def test_a_removal_that_was_killed_goes_on() -> None:
    before = everything()
    filled()
    days = Removal().days()
    next(days), next(days)
    days.close()
    fill(remove=True)
    assert everything() == before


def test_a_removal_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    fill(remove=True)
    assert capsys.readouterr().out == "There is no demonstration data.\n"


@pytest.mark.slow("makes demonstration data")
def test_a_rate_card_of_ones_own_is_used_and_stays() -> None:
    own = card(LIST + "Germany,USD,1,,,\n")
    fill()
    assert not RateCard.objects.filter(name=CARD_NAME).exists()
    fill(remove=True)
    assert RateCard.objects.get() == own


def test_production_is_refused(settings: Any) -> None:
    settings.LOCAL = False
    with pytest.raises(CommandError, match="DEPLOYMENT=local"):
        fill()
    assert not BusinessNumber.objects.filter(phone_number_id__in=NUMBERS).exists()


def test_too_few_messages_are_refused() -> None:
    with pytest.raises(CommandError, match="--messages"):
        call_command("demo_data", "--messages", "12")


def test_its_customers_have_numbers_that_nobody_has() -> None:
    codes = sorted(COUNTRIES, key=len, reverse=True)
    for person in people(1):
        code = next(code for code in codes if person.peer.startswith(code))
        assert person.peer.removeprefix(code).startswith("00")


def test_another_seed_makes_another_day() -> None:
    day = date(2026, 11, 2)
    assert plan(day, 3, 50, people(1), 1) == plan(day, 3, 50, people(1), 1)
    assert plan(day, 3, 50, people(1), 1) != plan(day, 3, 50, people(2), 2)


def test_its_removal_ends_although_a_message_came_days_after_it_was_written() -> None:
    filled()
    first = Message.objects.filter(direction="inbound").earliest("id")
    Message.objects.filter(id__lt=first.id).delete()
    Message.objects.filter(pk=first.pk).update(at=first.at - timedelta(days=2))
    for _ in islice(Removal().days(), 2 * DAYS):
        pass
    assert not Message.objects.exists()


def test_its_removal_takes_along_the_subscriptions_of_its_numbers() -> None:
    filled()
    numbers = BusinessNumber.objects.filter(phone_number_id__in=NUMBERS)
    Subscription.objects.create(url="https://example.com/", number=numbers[0])
    fill(remove=True)
    assert (numbers.exists(), Subscription.objects.exists()) == (False, False)


@pytest.mark.django_db(transaction=True)
def test_a_message_that_arrives_in_the_last_step_of_its_removal_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = BusinessNumber.objects.create(phone_number_id=next(iter(NUMBERS)))
    forget = Removal._forget_counts
    arrivals: list[threading.Thread] = []

    def arrive() -> None:
        with suppress(IntegrityError):  # its number is gone: the webhook is processed again
            inbound(number=number)

    def meanwhile(self: Removal) -> None:
        arrivals.append(threading.Thread(target=in_own_connection, args=[arrive]))
        arrivals[-1].start()
        assert eventually(lambda: is_waited_for() or not arrivals[-1].is_alive(), every=0.01)
        forget(self)

    monkeypatch.setattr(Removal, "_forget_counts", meanwhile)
    fill(remove=True)
    for thread in arrivals:
        thread.join()
    assert not BusinessNumber.objects.filter(pk=number.pk).exists()


@pytest.mark.parametrize("remove", [False, True])
def test_a_run_beside_another_is_refused(remove: bool) -> None:
    with another_run(), pytest.raises(CommandError, match="Another demo_data runs"):
        fill(remove=remove)
    assert not BusinessNumber.objects.filter(phone_number_id__in=NUMBERS).exists()


@contextmanager
def another_run() -> Iterator[None]:
    """What a run of another process holds."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('demo data'))")
            yield
    finally:
        other.close()
