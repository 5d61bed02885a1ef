"""`manage.py reconcile_costs`: the sandbox sends, its statuses come in, and both count the same."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from analytics.costs.reconcile import Comparison, Line, Side, compare, lines_of, metas
from messaging.accepting.sending_numbers import sending_number
from messaging.accounts.tokens import clear_token_cache
from messaging.incoming.store import receive
from messaging.models import Account, BusinessNumber, Message
from messaging.whatsapp.graph import PricePoint
from tests.analytics.costs.factories import card, charge
from tests.analytics.rollups.factories import outbound, settle
from tests.messaging.sandbox.conftest import only_receiver, only_sandbox, receiver, sandbox
from tests.messaging.sandbox.graph_api.calls import WABA, call
from tests.messaging.sandbox.process import NUMBER, TOKEN, Sandbox
from tests.messaging.sandbox.receiver import Receiver

__all__ = ["only_receiver", "only_sandbox", "receiver", "sandbox"]
pytestmark = pytest.mark.django_db
GERMAN, AMERICAN = "4915112345678", "14155550100"
HELLO = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
CARD = "Market,Currency,Utility,Service\nGermany,USD,0.05,0.01\nNorth America,USD,0.05,0.01\n"


@pytest.fixture
def month(sandbox: Sandbox, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Five messages that the sandbox delivered and reported, and a card with its prices."""
    monkeypatch.setattr("analytics.rollups.sweep.SEEN_FOR", timedelta(0))
    settings.WA_GRAPH_URL, settings.WA_ACCESS_TOKEN = f"http://127.0.0.1:{sandbox.port}", TOKEN
    settings.WA_PHONE_NUMBER_ID, settings.TIME_ZONE = NUMBER, "UTC"
    BusinessNumber.objects.filter(pk=sending_number().pk).update(waba_id=WABA)
    # The beginning of the month that lies in these times, whatever day it is.
    card(CARD, f"{timezone.now() - timedelta(days=40):%Y-%m-%d}")
    sandbox.post("/_sandbox/settings", {"free_service_messages": 1, "read": False})
    for to, message in ((GERMAN, HELLO), (GERMAN, HELLO), (AMERICAN, HELLO), (GERMAN, {}), (GERMAN, {})):
        outbound(timezone.now(), to, status="accepted", wamid=sandbox.send(to=to, **message))
    for hook in receiver.wait_for(5, lambda hook: hook.status.get("status") == "delivered"):
        receive(json.loads(hook.body))
    settle_now()
    return f"{timezone.now():%Y-%m}"


def settle_now() -> None:
    from analytics.rollups import roll_up
    from analytics.rollups.buckets import Period, mark_period

    settle()
    mark_period(Period(timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1)))
    roll_up()


def answer(month: str, **options: Any) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("reconcile_costs", f"--month={month}", stdout=out, **options)
    except SystemExit as ended:
        return out.getvalue(), int(str(ended.code))
    return out.getvalue(), 0


def test_a_month_that_both_count_alike_agrees(month: str) -> None:
    text, status = answer(month, format="json")
    (found,) = json.loads(text)
    lines = {(line["market"], line["category"]): line["meta"] for line in found["lines"]}
    assert status == 0, text
    assert lines == {
        ("Germany", "service"): {"messages": 2, "cost": "0.01", "unpriced": 0},
        ("Germany", "utility"): {"messages": 2, "cost": "0.10", "unpriced": 0},
        ("North America", "utility"): {"messages": 1, "cost": "0.05", "unpriced": 0},
    }


def test_a_message_that_we_missed_is_a_difference_of_its_market_and_category(month: str) -> None:
    Message.objects.filter(peer=AMERICAN).delete()
    call_command("rebuild_rollups", since=timezone.now() - timedelta(hours=1), shrink=True, stdout=io.StringIO())
    text, status = answer(month)
    assert status == 1
    (line,) = [line.split() for line in text.splitlines() if line.startswith("!")]
    assert line == ["!", "North", "America", "utility", "0", "1", "0.00", "0.05", "-0.05"]
    assert "1 of 3 lines differ" in text


def test_another_price_is_a_difference_and_a_tolerance_allows_it(month: str) -> None:
    card(CARD.replace("North America,USD,0.05", "North America,USD,0.07"), f"{timezone.now():%Y-%m}-01")
    assert answer(month)[1] == 1
    assert answer(month, tolerance=Decimal("0.03"))[1] == 0


def test_an_unpriced_message_is_a_difference(month: str) -> None:
    card(CARD.replace("North America,USD,0.05,0.01\n", ""), f"{timezone.now():%Y-%m}-01")
    text, status = answer(month, tolerance=Decimal(10))
    assert status == 1 and "(1 unpriced)" in text


def test_a_comparison_is_of_the_accounts_numbers_and_of_its_month_in_its_time_zone(
    sandbox: Sandbox, settings: Any
) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    settings.WA_GRAPH_URL, settings.WA_ACCESS_TOKEN = f"http://127.0.0.1:{sandbox.port}", TOKEN
    settings.ACCOUNT_TIME_ZONES = {WABA: zone}
    mine, other = (
        BusinessNumber.objects.create(phone_number_id=key, waba_id=waba_id).pk
        for key, waba_id in (("8", WABA), ("9", ""))
    )
    begin, end = datetime(2026, 11, 1, tzinfo=zone), datetime(2026, 12, 1, tzinfo=zone)
    quarter = timedelta(minutes=15)
    for at, messages, number in (
        (begin - quarter, 1, mine), (begin, 2, mine), (end - quarter, 4, mine), (end, 8, mine), (begin, 16, other),
    ):  # fmt: skip
        charge(at.astimezone(UTC), messages, "utility", number_id=number)
    line = Line("Germany", "utility", Side(6, Decimal(0), 6), Side())
    assert compare(date(2026, 11, 1)) == [Comparison(WABA, "USD", begin, end, [line])]


def test_another_month_has_no_lines(month: str) -> None:
    text, status = answer("2026-01")
    assert status == 0 and "all agrees" in text


def test_a_refusal_of_meta_is_an_error_with_its_reason(month: str, settings: Any) -> None:
    settings.WA_ACCESS_TOKEN = "another-token"
    with pytest.raises(CommandError, match="cannot be read") as failed:
        call_command("reconcile_costs", f"--month={month}")
    assert failed.value.returncode == 2
    assert "another-token" not in str(failed.value)


def test_an_account_that_meta_refuses_keeps_no_other_from_its_comparison(month: str) -> None:
    Account.objects.create(waba_id="1", token_name="WA_ACCESS_TOKEN_UNSET")
    clear_token_cache()
    BusinessNumber.objects.create(phone_number_id="9", waba_id="1")
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"account 1 cannot be read: .*WA_ACCESS_TOKEN_UNSET") as failed:
        call_command("reconcile_costs", f"--month={month}", stdout=out)
    assert (failed.value.returncode, f"Account {WABA}" in out.getvalue()) == (2, True)


def test_a_program_reads_which_accounts_are_missing_from_the_figures(month: str) -> None:
    Account.objects.create(waba_id="1", token_name="WA_ACCESS_TOKEN_UNSET")
    clear_token_cache()
    BusinessNumber.objects.create(phone_number_id="9", waba_id="1")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("reconcile_costs", f"--month={month}", format="json", stdout=out)
    found = {one["account"]: one for one in json.loads(out.getvalue())}
    assert (set(found), "WA_ACCESS_TOKEN_UNSET" in found["1"]["error"]) == ({"1", WABA}, True)
    assert "error" not in found[WABA]


def test_without_an_account_the_command_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="connect"):
        call_command("reconcile_costs", "--month=2026-11")


@pytest.mark.parametrize("given", ["2026", "2026-13", "November", "0001-01", "9999-12"])
def test_a_wrong_month_is_refused(given: str) -> None:
    with pytest.raises(CommandError, match="invalid month value"):
        call_command("reconcile_costs", f"--month={given}")


@pytest.mark.parametrize(
    "field",
    [
        "pricing_analytics.start(1).end(2)",
        "pricing_analytics.start(1).granularity(DAILY)",
        "pricing_analytics.start(²).end(2).granularity(DAILY)",
        f"pricing_analytics.start({'9' * 5000}).end(2).granularity(DAILY)",
        "pricing_analytics.start(1).end(2).granularity(YEARLY)",
        "pricing_analytics.start(1).end(2).granularity(DAILY).dimensions(COLOUR)",
    ],
)
def test_the_sandbox_refuses_what_meta_does(sandbox: Sandbox, field: str) -> None:
    status, body = call(sandbox, "GET", WABA, fields=field)
    assert (status, body["error"]["code"]) == (400, 100)


def test_the_sandbox_sums_up_what_no_dimension_tells_apart(month: str, sandbox: Sandbox) -> None:
    now = datetime.now(UTC)
    period = f"start({int(now.timestamp()) - 3600}).end({int(now.timestamp()) + 3600})"
    body = call(sandbox, "GET", WABA, fields=f"id,pricing_analytics.{period}.granularity(MONTHLY)")[1]
    points = body["pricing_analytics"]["data"][0]["data_points"]
    assert sum(point["volume"] for point in points) == 5
    assert round(sum(point["cost"] for point in points), 4) == 0.16


def test_countries_of_a_market_are_summed_up() -> None:
    points = [
        PricePoint("KE", "utility", "regular", 3, Decimal("0.3")),
        PricePoint("TD", "utility", "free_entry_point", 2, Decimal(0)),
        PricePoint("PL", "authentication-international", "regular", 1, Decimal("0.5")),
    ]
    assert metas(points) == {
        ("Rest of Africa", "utility"): Side(5, Decimal("0.3")),
        ("Poland", "authentication_international"): Side(1, Decimal("0.5")),
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        (Side(5, Decimal("1.00")), Side(5, Decimal("1.01")), False),
        (Side(5, Decimal("1.00")), Side(5, Decimal("1.02")), True),
        (Side(5, Decimal("1.00")), Side(6, Decimal("1.00")), True),
        (Side(5, Decimal("1.00"), 1), Side(5, Decimal("1.00")), True),
        (Side(), Side(1), True),
    ],
)
def test_a_line_differs_by_messages_or_by_more_than_the_tolerance(ours: Side, theirs: Side, differs: bool) -> None:
    assert Line("Germany", "utility", ours, theirs).differs(Decimal("0.01")) is differs


def test_what_only_one_side_has_is_a_line_too() -> None:
    lines = lines_of({("Germany", "utility"): Side(1)}, {("India", "service"): Side(2)})
    assert [(line.market, line.ours.messages, line.metas.messages) for line in lines] == [
        ("Germany", 1, 0),
        ("India", 0, 2),
    ]
