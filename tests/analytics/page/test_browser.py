"""The analytics page in a browser: both themes, both widths, its links, its empty state and its errors."""

import random
from datetime import datetime, timedelta

import pytest
from django.test import Client

from analytics.rollups.facts import REACHED
from messaging.models import ApiClient, Message, MessageEvent
from tests.analytics.costs.factories import LIST, card
from tests.analytics.rollups.factories import NOON, count_again, inbound, outbound
from tests.pages import (
    LOOKS,
    THEMES,
    OpenPage,
    check_looks,
    needs_chromium,
    scrolling_regions,
    wait_until,
    wait_until_it_fits,
)
from tests.tables.kept_rows import fill

pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True)]
MONTH = "/analytics/?since=2026-10-25&until=2026-11-22&timezone=Europe/Berlin"

# The most frequent blue of the first chart: its first line's.
PIXELS = """() => {
  const canvas = document.querySelector(".uplot canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const counts = {};
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.slice(at, at + 4);
    if (alpha === 255 && blue > red + 60 && blue > green + 60) {
      const name = `rgb(${red}, ${green}, ${blue})`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return Object.entries(counts).sort((one, other) => other[1] - one[1])[0]?.[0];
}"""


def trail(row: Message, at: datetime, chance: random.Random, states: list[str]) -> None:
    for state, mean_s in zip(states, (0.4, 1.5, 4, 900), strict=False):
        at += timedelta(seconds=chance.expovariate(1 / mean_s))
        MessageEvent.objects.create(message=row, status=state, at=at, source="webhook")


@pytest.fixture
def history() -> None:
    """Four weeks of two campaigns, with failures and answers."""
    fill(make_history)


def make_history() -> None:
    chance = random.Random(4)
    card(LIST + "Germany,USD,0.1365,0.055,,\nNorth America,USD,0.025,0.004,,\n")
    shop = ApiClient.objects.create(name="shop")
    for n in range(300):
        at = NOON - timedelta(days=n % 26, hours=chance.randint(0, 9), minutes=chance.randint(0, 59))
        template = chance.choice(["order_shipped", "autumn_sale", "appointment_reminder_for_tomorrow"])
        status = chance.choices(["read", "delivered", "sent", "failed"], [5, 3, 1, 1])[0]
        code = chance.choice([131026, 131049, 131047]) if status == "failed" else None
        peer = f"49151{n:08d}" if n % 5 else f"1415{n:07d}"
        campaign = "autumn" if template == "autumn_sale" else ""
        price = {"pricing_type": "regular", "pricing_category": "marketing" if campaign else "utility"}
        row = outbound(at, peer, type="template", template=template, campaign=campaign, status=status, error_code=code,
                 client=shop, wamid=f"w{n}" if status != "failed" else None, **price)  # fmt: skip
        if status != "failed":
            trail(row, at, chance, REACHED[: REACHED.index(status) + 1])
        if n % 4 == 0:
            inbound(at + timedelta(minutes=3), peer)
            outbound(at + timedelta(minutes=chance.randint(4, 50)), peer, status="read", wamid=f"r{n}")
    count_again()


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_of_a_campaign_shows_its_cost_and_fits_the_screen(
    open_page: OpenPage, history: None, theme: str
) -> None:
    path = f"{MONTH}&campaign=autumn"
    page = open_page(path, color_scheme=theme, viewport=LOOKS[0]["viewport"])
    page.wait_for_selector(".uplot canvas")
    assert "for each delivered message" in page.inner_text("section:has(#campaign)")
    check_looks(page, theme, "campaign", wait=wait_until_it_fits)


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_fits_the_screen_and_draws_its_charts(open_page: OpenPage, history: None, theme: str) -> None:
    page = open_page(MONTH, color_scheme=theme, viewport=LOOKS[0]["viewport"])
    page.locator(".uplot canvas").nth(1).wait_for()
    check_looks(page, theme, "analytics", wait=wait_until_it_fits)


def test_on_a_phone_only_the_widest_tables_and_those_of_templates_scroll_sideways(
    open_page: OpenPage, history: None
) -> None:
    page = open_page(MONTH, viewport=LOOKS[0]["viewport"])
    assert scrolling_regions(page) == [
        "The figures of each step", "Latency", "Best templates", "Campaigns", "Busiest hours", "Costs by template"
    ]  # fmt: skip


@pytest.mark.parametrize("width", [768, 960, 1100, 1280])
def test_from_a_tablet_upwards_nothing_scrolls_sideways(open_page: OpenPage, history: None, width: int) -> None:
    page = open_page(MONTH, viewport={"width": width, "height": 900})
    assert scrolling_regions(page) == []


def test_every_table_has_a_caption(open_page: OpenPage, history: None) -> None:
    page = open_page(MONTH)
    captions = page.eval_on_selector_all("table", "all => all.map((table) => table.caption?.textContent ?? '')")
    assert len(captions) == len(set(captions)) == 12 and all(captions)


def test_charts_are_light_on_paper_in_the_dark_theme_too(open_page: OpenPage, history: None) -> None:
    page = open_page(MONTH, color_scheme="dark")
    page.locator(".uplot canvas").nth(1).wait_for()
    page.evaluate("window.before = document.querySelector('.uplot canvas')")
    page.emulate_media(media="print")
    wait_until(page, "() => document.querySelector('.uplot canvas') !== window.before")
    assert page.evaluate(PIXELS) == "rgb(29, 78, 216)"


def test_a_number_leads_to_its_messages(open_page: OpenPage, history: None) -> None:
    page = open_page(MONTH, viewport={"width": 1440, "height": 900})
    link = page.locator("section:has(#failures) tbody a").first
    shown = int(link.inner_text())
    link.click()
    page.wait_for_url("**/admin/messaging/message/**")
    assert page.locator("#result_list tbody tr").count() == shown


def test_the_form_puts_its_state_into_the_address(open_page: OpenPage, history: None) -> None:
    page = open_page(MONTH)
    page.fill("[name=campaign]", "autumn")
    page.click("text=Show")
    page.wait_for_url("**campaign=autumn**")
    assert "since=2026-10-25" in page.url
    assert "appointment_reminder" not in page.inner_text("main")


def test_costs_are_in_the_print(open_page: OpenPage, history: None) -> None:
    page = open_page(MONTH, viewport={"width": 800, "height": 1100}, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.is_visible("section:has(#costs) .cost-tables") and not page.is_visible("form.filters")
    assert page.evaluate("getComputedStyle(document.querySelector('.unpriced')).color") == "rgb(131, 82, 0)"


# Lines of each word of a table's names: a word that is broken has two.
BROKEN = """() => [...document.querySelectorAll("tbody th")].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), broken = [];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    for (const word of text.data.matchAll(/[^\\s_-]+/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((line) => line.top)).size > 1) broken.push(text.data);
    }
  }
  return broken;
})"""


def test_names_of_templates_break_at_their_underscores_alone_on_a_phone(open_page: OpenPage, history: None) -> None:
    page = open_page(MONTH, viewport={"width": 390, "height": 844})
    assert "appointment_reminder_for_tomorrow" in page.inner_text("section:has(#best)")
    assert page.evaluate(BROKEN) == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("empty", "/analytics/"),
        ("no-result", f"{MONTH}&campaign=winter&template=order_shipped_to_the_neighbour"),
        ("no-period", "/analytics/?since=2025-01-01&until=2025-02-01"),
    ],
)
def test_a_page_without_messages_fits_the_screen(open_page: OpenPage, theme: str, name: str, path: str) -> None:
    if name != "empty":
        outbound(campaign="autumn")
        count_again()
    page = open_page(path, color_scheme=theme, viewport=LOOKS[0]["viewport"])
    check_looks(page, theme, f"analytics-{name}", wait=wait_until_it_fits)


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_without_a_rate_card_or_campaign_fits_the_screen(open_page: OpenPage, theme: str) -> None:
    outbound(status="delivered", wamid="w")
    count_again()
    page = open_page(MONTH, color_scheme=theme, viewport=LOOKS[0]["viewport"])
    assert "There is no rate card in USD yet" in page.inner_text("section:has(#costs)")
    assert "No message has a campaign" in page.inner_text("section:has(#campaigns)")
    check_looks(page, theme, "analytics-no-card", wait=wait_until_it_fits)


def test_a_wrong_parameter_is_named(admin_client: Client) -> None:
    answer = admin_client.get("/analytics/?timezone=Mars&sender=")
    assert (answer.status_code, b"IANA" in answer.content) == (400, True)
