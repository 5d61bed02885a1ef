"""Links to the analytics page from pages below analytics."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from waproject.web.analytics_links import analytics_link, analytics_url, full_quarter, may_see_analytics


def test_a_link_has_the_filters_that_are_set() -> None:
    assert (
        analytics_link("Spring", campaign="spring", template="") == '<a href="/analytics/?campaign=spring">Spring</a>'
    )


def test_there_is_no_link_where_the_page_is_not_installed(settings: Any) -> None:
    settings.ROOT_URLCONF = "messaging.urls"
    assert (analytics_url(), analytics_link("Spring")) == ("", "")


@pytest.mark.parametrize(
    ("section", "filters", "url"),
    [
        ("", {}, "/analytics/"),
        ("costs", {}, "/analytics/#costs"),
        ("costs", {"campaign": "a b", "template": ""}, "/analytics/?campaign=a+b#costs"),
        ("", {"a": "1", "b": "2"}, "/analytics/?a=1&b=2"),
    ],
)
def test_an_address_has_its_filters_and_its_section(section: str, filters: dict[str, str], url: str) -> None:
    assert analytics_url(section, **filters) == url


def test_the_text_of_a_link_is_escaped() -> None:
    assert analytics_link("<b>", a="1", b="2") == '<a href="/analytics/?a=1&amp;b=2">&lt;b&gt;</a>'


@pytest.mark.parametrize(
    ("at", "quarter"),
    [
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:14:59.999999+00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:15:00+00:00", "2026-03-01T12:15:00Z"),
        ("2026-03-01T12:59:01.5+05:45", "2026-03-01T07:00:00Z"),
    ],
)
def test_a_time_is_rounded_down_to_a_quarter_of_an_hour_in_utc(at: str, quarter: str) -> None:
    assert full_quarter(datetime.fromisoformat(at)) == quarter


@pytest.mark.parametrize("may", [True, False])
def test_the_page_is_for_accounts_that_may_see_rollups(may: bool) -> None:
    account = SimpleNamespace(has_perm=lambda name: may if name == "analytics.view_rollup" else not may)
    assert may_see_analytics(account) is may
