"""Messages to new recipients wait for the messaging limit; all others do not."""

import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import ApiClient, BusinessNumber, Direction, Message, Portfolio, Priority
from messaging.outgoing import release as release_module
from messaging.outgoing.holds import messaging_limit
from messaging.outgoing.holds.holds import hold_template
from messaging.outgoing.holds.messaging_limit import sweep_messaging_limits
from messaging.outgoing.release import release
from messaging.portfolios.budget import COUNTED_FOR
from messaging.whatsapp.errors import OutcomeUnknown, Rejected
from tests.messaging.factories import answered, claimed, number, pending
from tests.messaging.portfolios.limited_portfolio import holds, let_time_pass, limited, release_all

pytestmark = pytest.mark.django_db


def wrote(peer: str, ago: timedelta = timedelta(), type_: str = "text") -> None:
    """The user wrote to the default number."""
    at = timezone.now() - ago
    Message.objects.create(
        direction=Direction.INBOUND, number=number(), peer=peer, wamid=f"wamid.{peer}", type=type_,
        status="received", at=at, created_at=at, due_at=None,
    )  # fmt: skip


def test_a_limit_of_250_opens_exactly_250() -> None:
    limited(250)
    pending(300)
    normal = release_all()
    for n in range(40):
        pending(peer=f"1666{n:07}", priority=Priority.HIGH)
    assert (len(normal), len(release_all()), holds()) == (225, 25, {"limit"})


def test_a_share_is_left_for_urgent_messages() -> None:
    limited(20)
    pending(30)
    assert len(release_all()) == 18
    for n in range(5):
        pending(peer=f"1666{n:07}", priority=Priority.HIGH)
    assert len(release_all()) == 2


def test_a_recipient_who_wrote_within_a_day_gets_messages_beyond_the_limit() -> None:
    portfolio = limited(2)
    pending(3)
    assert len(release_all()) == 1
    wrote("15559990001", timedelta(hours=23))
    (reply,) = pending(peer="15559990001")
    assert release_all() == [reply.pk]
    portfolio.refresh_from_db()
    assert portfolio.opened == 1


@pytest.mark.parametrize(
    ("ago", "type_"),
    [(timedelta(hours=23, minutes=59, seconds=30), "text"), (timedelta(minutes=1), "system")],
    ids=["the window ends before the call", "a system message opens no window"],
)
def test_a_closed_window_counts(ago: timedelta, type_: str) -> None:
    portfolio = limited(5)
    wrote("15559990001", ago, type_)
    pending(peer="15559990001")
    release_all()
    portfolio.refresh_from_db()
    assert portfolio.opened == 1


def test_a_window_with_another_number_does_not_count() -> None:
    portfolio = limited(5)
    wrote("15559990001")
    Message.objects.update(number=type(number()).objects.create(phone_number_id="77"))
    pending(peer="15559990001")
    release_all()
    portfolio.refresh_from_db()
    assert portfolio.opened == 1


def test_held_messages_go_when_the_window_moves_the_most_urgent_and_oldest_first() -> None:
    limited(10)
    pending(9)
    release_all()
    late = [pending(peer=f"1777{n:07}")[0].pk for n in range(20)]
    urgent = [pending(peer=f"1888{n:07}", priority=Priority.HIGH)[0].pk for n in range(3)]
    assert release_all() == urgent[:1]
    let_time_pass(COUNTED_FOR + timedelta(minutes=2))
    sweep_messaging_limits()
    assert set(release_all()) == {*urgent[1:], *late[:7]}


def of_client(name: str, count: int) -> list[Message]:
    """Messages of an API client to new recipients."""
    client = ApiClient.objects.create(name=name)
    digits = f"{client.pk % 10_000:04}"
    rows = [row for n in range(count) for row in pending(peer=f"1{digits}{n:06}")]
    Message.objects.filter(pk__in=[row.pk for row in rows]).update(client=client)
    return rows


def test_clients_share_what_the_limit_leaves() -> None:
    portfolio = limited(0)
    of_client("bulk", 40)
    of_client("small", 4)
    release_all()
    Portfolio.objects.filter(pk=portfolio.pk).update(users_a_day=10)
    sweep_messaging_limits()
    due = Counter(Message.objects.filter(hold=None).values_list("client__name", flat=True))
    assert due == {"bulk": 5, "small": 4}


def test_a_client_with_two_numbers_gets_no_more_of_the_limit() -> None:
    portfolio = limited(0)
    second = BusinessNumber.objects.create(phone_number_id="2", limited_by=portfolio)
    others = of_client("two numbers", 12)[::2]
    Message.objects.filter(pk__in=[row.pk for row in others]).update(number=second)
    of_client("one", 6)
    release_all()
    Portfolio.objects.filter(pk=portfolio.pk).update(users_a_day=8)
    sweep_messaging_limits()
    due = Counter(Message.objects.filter(hold=None).values_list("client__name", flat=True))
    assert sorted(due.values()) == [3, 4]


def test_nothing_is_made_due_while_the_limit_is_used_up() -> None:
    limited(10)
    pending(30)
    release_all()
    sweep_messaging_limits()
    assert Message.objects.exclude(hold=None).count() == 21


def test_a_higher_limit_releases_what_waits() -> None:
    limited(10)
    pending(30)
    release_all()
    Portfolio.objects.update(users_a_day=20)
    sweep_messaging_limits()
    assert len(release_all()) == 9


def test_no_limit_any_more_releases_all() -> None:
    limited(10)
    pending(30)
    release_all()
    Portfolio.objects.update(users_a_day=None)
    sweep_messaging_limits()
    assert len(release_all()) == 21


def test_a_held_message_goes_at_once_when_its_recipient_writes() -> None:
    limited(10)
    rows = pending(30)
    sent = release_all()
    held = next(row for row in rows if row.pk not in sent)
    wrote(held.peer)
    sweep_messaging_limits()
    assert release_all() == [held.pk]


@pytest.mark.parametrize("looked_s_ago", [700, None], ids=["after an outage or a pause", "by a new process"])
def test_a_held_message_goes_although_no_sweep_ran_when_its_recipient_wrote(
    looked_s_ago: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(10)
    rows = pending(30)
    sent = release_all()
    held = next(row for row in rows if row.pk not in sent)
    looked_at = {} if looked_s_ago is None else {number().pk: time.monotonic() - looked_s_ago}
    monkeypatch.setattr(messaging_limit, "_looked_at", looked_at)
    wrote(held.peer, timedelta(minutes=11))
    sweep_messaging_limits()
    assert release_all() == [held.pk]


def test_a_sweep_looks_at_the_messages_since_the_last_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(10)
    monkeypatch.setattr(messaging_limit, "_looked_at", {})
    sweep_messaging_limits()
    assert 15 <= messaging_limit._not_looked_at_s([number().pk]) < 60


def test_a_paused_number_keeps_its_held_messages() -> None:
    limited(10)
    pending(30)
    release_all()
    Portfolio.objects.update(users_a_day=None)
    number(paused_at=timezone.now())
    sweep_messaging_limits()
    assert Message.objects.exclude(hold=None).count() == 21


@pytest.mark.parametrize(
    ("call", "rejection", "opened"),
    [
        (1, Rejected(code=131026), 0),
        (2, Rejected(code=131026), 1),
        (1, Rejected(code=131049, wait=60.0), 1),
    ],
    ids=["at the first call", "after a call that Meta may have taken", "until a later retry"],
)
def test_a_message_that_meta_never_takes_does_not_count(call: int, rejection: Rejected, opened: int) -> None:
    portfolio = limited(10)
    answered(replace(claimed(), call=call), rejection)
    portfolio.refresh_from_db()
    assert portfolio.opened == opened


def test_an_unknown_outcome_counts() -> None:
    portfolio = limited(10)
    answered(claimed(), OutcomeUnknown())
    portfolio.refresh_from_db()
    assert portfolio.opened == 1


def test_a_rejection_after_another_message_to_the_recipient_counts() -> None:
    portfolio = limited(10)
    pending(peer="15550000000")
    release_all()
    answered(claimed(peer="15550000000"), Rejected(code=131026))
    portfolio.refresh_from_db()
    assert portfolio.opened == 1


def test_a_hold_of_another_kind_comes_first() -> None:
    limited(1)
    hold_template("promo", by="me")
    pending(2)
    Message.objects.update(template="promo")
    release(number().pk)
    assert holds() == {"template"}


def test_a_limit_that_is_reached_meanwhile_allows_no_more_than_is_left_nor_than_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limited(10)
    pending(20)
    lock = release_module._lock

    def before_others_counted(cursor: Any, number_id: int) -> Any:
        found = lock(cursor, number_id)
        return found and replace(found, usage=replace(found.usage, users_a_day=1000))

    monkeypatch.setattr(release_module, "_lock", before_others_counted)
    row = number()
    (few,) = release(row.pk, at_most=4)
    Message.objects.filter(pk__in=few.message_ids).update(status="accepted", outcome_at=timezone.now())
    number()
    (rest,) = release(row.pk, at_most=6)
    assert (len(few.message_ids), len(rest.message_ids)) == (4, 5)
