"""The dashboard page as the server renders it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from monitoring.metrics import samples
from monitoring.metrics.gauges import QUEUE
from monitoring.metrics.message_counts import FAILURES, MESSAGES
from monitoring.models import Alert, Sample
from monitoring.templatetags.monitoring_format import last_span, per_second, spark
from tests.messaging.factories import number
from waproject.web.number_formats import count, duration, percent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sqs")]


@pytest.fixture
def staff(db: None) -> Client:
    user = User.objects.create_user("ann", is_staff=True)
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, **headers: str) -> str:
    answer = client.get("/monitoring/dashboard", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_dashboard_says_that_all_is_well(staff: Client) -> None:
    samples.store(timezone.now(), {})
    assert "All is well" in page(staff)


def test_the_dashboard_shows_an_alert_with_its_action(staff: Client) -> None:
    now = timezone.now()
    samples.store(now, {})
    Alert.objects.create(
        rule="dlq-not-empty",
        key="incoming",
        severity="warning",
        value=2,
        summary="2 lie there.",
        since=now,
        fired_at=now,
    )
    text = page(staff)
    assert "something needs attention" in text and "2 lie there." in text and "redrive" in text


def test_htmx_gets_only_the_part_that_changes(staff: Client) -> None:
    text = page(staff, HX_Request="true")
    assert "<html" not in text and 'id="status"' in text


def test_an_expired_session_reloads_the_page() -> None:
    answer = Client().get("/monitoring/dashboard", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (403, "true")


def test_the_admin_index_shows_the_state(staff: Client) -> None:
    samples.store(timezone.now(), {})
    text = staff.get("/admin/").content.decode()
    assert "All is well." in text and "/monitoring/dashboard" in text


def test_errors_are_shown_with_their_meaning(staff: Client) -> None:
    series = (FAILURES.name, "131047")
    samples.store(timezone.now() - timedelta(seconds=60), {series: 0.0, (MESSAGES.name, "failed"): 0.0})
    from monitoring.metrics import totals

    totals.add({series: 4})
    assert "More than 24 hours since the user wrote" in page(staff)


def test_markup_in_a_name_is_escaped(staff: Client) -> None:
    number(display_phone_number="<b>1</b>")
    assert "&lt;b&gt;1&lt;/b&gt;" in page(staff)


def test_the_dashboard_loads_nothing_from_other_hosts(staff: Client) -> None:
    sources = re.findall(r'(?:src|href)="([^"#?]+)', page(staff))
    assert [source for source in sources if not source.startswith(("/", "data:"))] == []


def test_the_static_files_of_the_dashboard_exist(staff: Client) -> None:
    files = re.findall(r'"/static/([^"]+)"', page(staff))
    assert len(files) == 5 and all(finders.find(name) for name in files)


def test_static_files_load_nothing_from_other_hosts() -> None:
    for name in ("waproject/dashboard.css", "monitoring/dashboard.js", "waproject/vendor/uPlot.min.css"):
        assert not re.search(r"https?://|@import|url\(", Path(str(finders.find(name))).read_text()), name


@pytest.mark.parametrize(("over", "points"), [("1h", 10), ("24h", 5), ("nonsense", 10)])
def test_history_has_the_points_of_its_range(staff: Client, over: str, points: int) -> None:
    now = timezone.now()
    Sample.objects.bulk_create(
        Sample(at=now - timedelta(minutes=2 * n), values={f"{QUEUE.name}/incoming/waiting": n}, coarse=n % 2 == 0)
        for n in range(10, -1, -1)
    )
    answer = staff.get(f"/monitoring/history?range={over}").json()
    waiting = next(chart for chart in answer["charts"] if chart["name"] == "waiting")
    assert len(answer["at"]) == len(waiting["lines"][0]["values"])
    assert len(answer["at"]) == points


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 s"),
        (0.0123, "12 ms"),
        (3.44, "3.4 s"),
        (45, "45 s"),
        (240, "4 min"),
        (7200, "2 h"),
        (3 * 86400, "3 d"),
    ],
)
def test_a_duration_has_one_unit(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("share", "text"), [(1, "100 %"), (0.9999, "99.9 %"), (0.975, "97.5 %"), (0, "0 %")])
def test_a_share_is_100_percent_only_if_exact(share: float, text: str) -> None:
    assert percent(share) == text


def test_an_unknown_value_is_a_dash_and_not_a_zero() -> None:
    assert {count(None), per_second(None), percent(None)} == {"\N{EN DASH}"}


def test_a_sparkline_stays_in_its_box() -> None:
    points: list[Any] = [point.split(",") for point in spark([0, 5, 10]).split()]
    assert [(float(x), float(y)) for x, y in points] == [(0.0, 27.0), (60.0, 14.0), (120.0, 1.0)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3600, "the last hour"),
        (3510, "the last hour"),
        (3509, "the last 58 min"),
        (1500, "the last 25 min"),
        (45, "the last 45 s"),
        (0, "the last hour (no samples yet)"),
    ],
)
def test_the_counts_of_an_hour_name_the_time_that_they_cover(seconds: float, text: str) -> None:
    assert last_span(seconds) == text


def test_after_an_outage_of_the_monitor_the_page_names_the_time_that_it_counts(staff: Client) -> None:
    for minutes in (180, 25, 1):
        samples.store(timezone.now() - timedelta(minutes=minutes), {})
    text = page(staff)
    assert "In the last 25 min" in text and "the last hour" not in text
