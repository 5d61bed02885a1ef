"""The costs on the analytics page, a campaign's cost, and their links."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from analytics.models import Budget
from analytics.page.cost_panel import aligned
from messaging.messages import pagination
from messaging.models import ApiClient, BusinessNumber, Hold, Message
from tests.analytics.costs.factories import LIST, card, delivered
from tests.analytics.rollups.factories import NOON, count_again, inbound, outbound

pytestmark = pytest.mark.django_db
PERIOD = "since=2026-11-01&until=2026-12-01"
INDIA = "919812345678"


@pytest.fixture
def costs() -> None:
    """Two campaigns, two markets, a message without a price and a free one."""
    card(LIST + "Germany,USD,0.1365,0.055,,\n")
    for n in range(3):
        delivered(NOON, campaign="autumn", template="sale", wamid=f"w{n}")
    delivered(NOON, category="utility", campaign="autumn", template="order_shipped")
    delivered(NOON, category="authentication-international", peer=INDIA, template="code")
    delivered(NOON, category="service", pricing_type="free_customer_service")
    outbound(NOON, status="failed", campaign="autumn")
    count_again()


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/analytics/?{PERIOD}&{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def section(text: str, name: str) -> str:
    found = re.search(rf'<section aria-labelledby="{name}">(.*?)</section>', text, re.S)
    assert found
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


def test_costs_come_by_market_category_template_and_campaign(admin_client: Client, costs: None) -> None:
    text = section(page(admin_client), "costs")
    assert "0.4645 USD, of 4 charged messages" in text
    for row in ("Germany 5 1 0 0.4645", "utility 1 0 0 0.0550", "sale 3 0 0 0.4095", "autumn 4 0 0 0.4645"):
        assert row in text


def test_a_table_by_the_filter_itself_is_left_out(admin_client: Client, costs: None) -> None:
    tables = {"market": "Market", "category": "Category", "template": "Template", "campaign": "Campaign"}
    for query, left_out in {"": "", "campaign=autumn": "campaign", "template=sale": "template",
                            "category=marketing": "category", "market=Germany": "market"}.items():  # fmt: skip
        shown = [name for name, title in tables.items() if f"Costs by {title.lower()}" in page(admin_client, query)]
        assert shown == [name for name in tables if name != left_out], query


def test_filters_by_everything_that_has_a_table_leave_the_total(admin_client: Client, costs: None) -> None:
    query = "market=Germany&category=marketing&template=sale&campaign=autumn"
    assert "0.4095 USD, of 3 charged messages" in section(page(admin_client, query), "costs")


@pytest.mark.parametrize(
    ("costs", "written"),
    [
        ([], []),
        (["1.50", "12.00"], ["1.50", "12.00"]),
        (["1.50", "0.0123", "1200.00"], ["1.5000", "0.0123", "1,200.0000"]),
        (["0.0550", None], ["0.0550", "unpriced"]),
        ([None], ["unpriced"]),
    ],
)
def test_the_points_of_a_column_stand_below_each_other(costs: list[str | None], written: list[str]) -> None:
    assert aligned(costs) == written


def test_what_has_no_price_is_unpriced_and_the_page_says_how_to_import_one(admin_client: Client, costs: None) -> None:
    text = section(page(admin_client), "costs")
    assert "India 1 0 1 unpriced" in text
    assert "1 message cannot be priced" in text and "import_rate_card" in text


def test_without_a_card_of_the_currency_the_page_says_what_to_import(admin_client: Client, costs: None) -> None:
    text = page(admin_client, "currency=EUR")
    assert "There is no rate card in EUR yet" in section(text, "costs")
    assert "unpriced EUR, of 0 charged messages" in section(text, "costs")
    assert "/admin/analytics/ratecard/" in text
    assert b"import_rate_card" in admin_client.get("/admin/analytics/ratecard/").content


def test_the_cards_that_made_the_costs_are_named(admin_client: Client, costs: None) -> None:
    card(LIST + "Germany,USD,0.2,,,\n", "2026-11-20")
    text = section(page(admin_client), "costs")
    assert "priced by Test (USD, list) from 2026-11-20" in text


def test_a_row_names_its_card_where_it_is_not_that_of_all(admin_client: Client, costs: None) -> None:
    card(LIST + "Germany,USD,0.2,,,\n", "2026-11-21")
    delivered(NOON + timedelta(days=2), campaign="late")
    count_again()
    assert "late 1 0 0 0.2000 Test (USD, list) from 2026-11-21" in section(page(admin_client), "costs")


def test_a_filter_that_costs_do_not_know_shows_none_rather_than_wrong_ones(admin_client: Client, costs: None) -> None:
    text = section(page(admin_client, "status=delivered"), "costs")
    assert "not stored by status" in text and "0.4" not in text


def test_a_market_narrows_the_costs(admin_client: Client, costs: None) -> None:
    text = section(page(admin_client, "market=India"), "costs")
    assert "India only" in text and "Germany" not in text


def test_filters_of_the_page_narrow_the_costs(admin_client: Client, costs: None) -> None:
    for query in ("template=sale", "category=marketing", "price_type=regular&template=sale"):
        assert "0.4095 USD" in section(page(admin_client, query), "costs")


def test_an_account_and_a_sender_narrow_the_costs_together(admin_client: Client, costs: None) -> None:
    number = BusinessNumber.objects.get(messages__template="sale", messages__wamid="w0")
    BusinessNumber.objects.filter(pk=number.pk).update(waba_id="77")
    BusinessNumber.objects.create(phone_number_id="999", waba_id="88")
    count_again()
    both = f"account=77&sender={number.phone_number_id}"
    assert "0.4645 USD" in section(page(admin_client, both), "costs")
    answer = admin_client.get(f"/analytics/?{PERIOD}&account=88")
    assert b"0.4645" not in answer.content


def test_each_number_of_the_costs_leads_to_exactly_its_messages(admin_client: Client, costs: None) -> None:
    found = re.search(r'<section aria-labelledby="costs">(.*?)</section>', page(admin_client), re.S)
    assert found
    links = [(unescape(url), int(n)) for url, n in re.findall(r'<a href="([^"]+)">(\d+)</a>', found[1])]
    assert len(links) > 10
    for url, n in links:
        answer = admin_client.get(url)
        assert (answer.status_code, answer.context["cl"].result_count) == (200, n), url


def test_names_of_the_costs_lead_to_the_page_about_them(admin_client: Client, costs: None) -> None:
    found = re.search(r'<section aria-labelledby="costs">(.*?)</section>', page(admin_client), re.S)
    assert found
    links = {
        re.sub(r"<[^>]+>", "", words): unescape(url)
        for url, words in re.findall(r'<a href="([^"]+)">(.*?)</a>', found[1])
    }
    assert "template=sale" in links["sale"] and "since=2026-11-01" in links["sale"]
    # The other sections have Meta's spelling.
    code = admin_client.get(links["authentication_international"]).content.decode()
    assert section(code, "totals").startswith("In total 1 outbound")


def test_a_campaign_has_its_cost_at_the_top_with_budget_and_hold(admin_client: Client, costs: None) -> None:
    inbound(NOON + timedelta(minutes=1), "4915112345678")
    Budget.objects.create(campaign="autumn", amount=2, currency="USD", spent="0.4645")
    Hold.objects.create(kind="campaign", key="autumn", by="ann")
    count_again()
    text = section(page(admin_client, "campaign=autumn"), "campaign")
    assert "Campaign autumn 0.4645 USD 0.1161 for each delivered message" in text
    assert "0.1161 for each answer" in text
    assert "0.4645 of 2.00 USD, fine" in text and "Its messages are held" in text


def test_a_campaign_without_prices_costs_unpriced_and_not_zero(admin_client: Client) -> None:
    delivered(NOON, campaign="autumn")
    count_again()
    text = section(page(admin_client, "campaign=autumn"), "campaign")
    assert "Campaign autumn unpriced USD, without 1 unpriced message \N{EN DASH} for each delivered" in text


def test_a_client_that_costs_and_messages_share_narrows_both(admin_client: Client, costs: None) -> None:
    shop = ApiClient.objects.create(name="shop")
    delivered(NOON, campaign="theirs", client=shop)
    count_again()
    text = page(admin_client, "client=shop")
    assert "0.1365 USD" in section(text, "costs")
    url = re.search(r'<a href="(/admin/messaging/message/[^"]+)">1</a> *</b> <span>delivered', text)
    assert url and admin_client.get(unescape(url[1])).context["cl"].result_count == 1


@pytest.mark.parametrize("query", ["currency=usd", "market=Atlantis"])
def test_a_wrong_parameter_of_costs_is_named(admin_client: Client, query: str) -> None:
    answer = admin_client.get(f"/analytics/?{query}")
    assert (answer.status_code, query.split("=", maxsplit=1)[0].encode() in answer.content) == (400, True)


def link_on(client: Client, path: str) -> dict[str, list[str]]:
    """The query of the page's link to analytics with filters."""
    found = re.findall(r'href="(/analytics/\?[^"]+)"', client.get(path).content.decode())
    return parse_qs(urlsplit(unescape(found[0])).query) if found else {}


def test_the_message_list_leads_to_the_analytics_of_what_it_shows(admin_client: Client, costs: None) -> None:
    number = Message.objects.values_list("number_id", flat=True)[0]
    sender = BusinessNumber.objects.get(pk=number).phone_number_id
    query = f"campaign__exact=autumn&direction__exact=outbound&number__id__exact={number}"
    assert link_on(admin_client, f"/admin/messaging/message/?{query}") == {
        "campaign": ["autumn"], "direction": ["outbound"], "sender": [sender],
    }  # fmt: skip


def test_the_way_from_a_number_to_its_messages_and_back_keeps_period_and_filters(
    admin_client: Client, costs: None
) -> None:
    url = re.search(
        r'href="(/admin/messaging/message/[^"]+status__exact=failed[^"]*)"', page(admin_client, "type=text")
    )
    assert url
    assert link_on(admin_client, unescape(url[1])) == {
        "since": ["2026-11-01T00:00:00Z"], "until": ["2026-12-01T00:00:00Z"], "type": ["text"],
        "direction": ["outbound"], "status": ["failed"],
    }  # fmt: skip


def test_a_message_a_conversation_and_a_hold_lead_to_their_analytics(admin_client: Client, costs: None) -> None:
    row = Message.objects.select_related("number").get(wamid="w0")
    assert link_on(admin_client, f"/admin/messaging/message/{row.pk}/change/") == {"campaign": ["autumn"]}
    sender = {"sender": [row.number.phone_number_id]}
    assert link_on(admin_client, f"/admin/messaging/conversation/{row.pk}/change/") == sender
    assert link_on(admin_client, f"/admin/messaging/conversation/?number={row.number_id}") == sender
    hold = Hold.objects.create(kind="template", key="sale", number=row.number, by="ann")
    expected = {"template": ["sale"], **sender}
    assert link_on(admin_client, "/admin/messaging/hold/") == expected
    assert link_on(admin_client, f"/admin/messaging/hold/{hold.pk}/change/") == expected


def test_who_may_not_see_analytics_gets_no_links(client: Client, costs: None, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("ben", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_message", "view_hold", "view_conversation"])
    )
    client.force_login(user)
    row = Message.objects.get(wamid="w0")
    Hold.objects.create(kind="campaign", key="autumn", by="ann")
    for path in ("message/", f"message/{row.pk}/change/", "hold/", "conversation/", f"conversation/{row.pk}/change/"):
        answer = client.get(f"/admin/messaging/{path}")
        assert (answer.status_code, b'"/analytics/' in answer.content) == (200, False), path


def test_a_number_of_an_old_period_leads_to_its_messages_whatever_came_later(
    admin_client: Client, costs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "SCANNED", 7)
    for n in range(20):
        outbound(NOON + timedelta(days=11, minutes=n))
    found = re.search(r'<a href="([^"]+)">(\d+)</a>[^<]*</b> <span>delivered messages', page(admin_client))
    assert found
    listed = admin_client.get(unescape(found[1])).context["cl"]
    assert (listed.result_count, found[2]) == (6, "6")
