"""The page without messages says why, and what to do."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from analytics.templatetags.analytics_format import breakable
from tests.analytics.rollups.factories import NOON, count_again, outbound

pytestmark = pytest.mark.django_db
NOVEMBER = "/analytics/?since=2026-11-01&until=2026-12-01&timezone=UTC"


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def counted() -> None:
    """A message in November, with a campaign."""
    outbound(NOON, campaign="spring", template="order_shipped")
    count_again()


@pytest.mark.parametrize(("local", "demo"), [(True, True), (False, False)])
def test_an_installation_that_has_counted_nothing_names_the_first_steps(
    admin_client: Client, settings: Any, local: bool, demo: bool
) -> None:
    settings.LOCAL = local
    text = text_of(admin_client, "/analytics/?campaign=spring")
    assert "No message has been counted yet" in text
    assert "POST /messaging/send" in text and "rebuild_rollups" in text
    assert ("demo_data" in text) is demo


def test_filters_that_nothing_has_are_named_and_a_link_leaves_them_out(admin_client: Client, counted: None) -> None:
    text = text_of(admin_client, f"{NOVEMBER}&campaign=Spring&template=order_shipped&granularity=week")
    assert "No messages with these filters" in text
    assert "campaign <b>Spring</b> and template <b>order_shipped</b>" in text
    link = "/analytics/?since=2026-11-01&amp;until=2026-12-01&amp;timezone=UTC&amp;granularity=week"
    assert f'href="{link}"' in text
    assert "Busiest hours" in text_of(admin_client, link.replace("&amp;", "&"))


@pytest.mark.parametrize(("since", "until"), [("2026-12-01", "2027-01-01"), ("2026-09-01", "2026-10-01")])
def test_a_period_without_messages_leads_to_the_nearest_that_were_counted(
    admin_client: Client, counted: None, since: str, until: str
) -> None:
    text = text_of(admin_client, f"/analytics/?since={since}&until={until}&timezone=UTC&campaign=spring")
    assert "is from 20 Nov 2026" in text
    link = "/analytics/?since=2026-10-22&amp;until=2026-11-21&amp;timezone=UTC&amp;campaign=spring"
    assert f'href="{link}"' in text
    assert "Busiest hours" in text_of(admin_client, link.replace("&amp;", "&"))


def test_the_nearest_day_is_one_of_the_zone_that_asks(admin_client: Client) -> None:
    outbound(NOON + timedelta(hours=7))
    count_again()
    text = text_of(admin_client, "/analytics/?since=2026-12-01&until=2026-12-02&timezone=Asia/Kolkata")
    assert "is from 21 Nov 2026" in text


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("", ""),
        ("sale", '<span class="word">sale</span>'),
        ("sale_<b>", '<span class="word">sale_</span><wbr><span class="word">&lt;b&gt;</span>'),
        ("spring-sale", '<span class="word">spring-</span><wbr><span class="word">sale</span>'),
        ("two words", '<span class="word">two</span> <span class="word">words</span>'),
        ("__x", '<span class="word">__</span><wbr><span class="word">x</span>'),
        ("appointmentreminder_1", 'appointmentreminder_<wbr><span class="word">1</span>'),
    ],
)
def test_a_name_goes_on_in_the_next_line_after_an_underscore_or_within_a_very_long_word(name: str, html: str) -> None:
    assert breakable(name) == html


def test_the_way_to_the_nearest_messages_is_open_from_a_page_by_quarters(admin_client: Client, counted: None) -> None:
    text = text_of(admin_client, "/analytics/?since=2026-12-01&until=2026-12-02&timezone=UTC&granularity=15m")
    (link,) = set(re.findall(r'href="(/analytics/\?since=[^"]*until=2026-11-21[^"]*)"', text))
    assert "Busiest hours" in text_of(admin_client, unescape(link))
