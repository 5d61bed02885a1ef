"""`/analytics/`, for staff. Its whole state is in the URL, so that it can be shared."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from analytics.costs.api import CurrencyField
from analytics.models import RateCard
from analytics.page.campaign import campaign_head
from analytics.page.cost_panel import CostPanel, cost_panel
from analytics.page.drill_down import MessageLinks, meta_spelling, page_with, page_without
from analytics.page.empty_state import empty_state
from analytics.page.sections import page
from analytics.questions import MAY_SEE, Granularity, Question, SteppedQuery, read_question
from analytics.rollups.markets import MARKETS
from messaging.models import ApiClient, BusinessNumber
from waproject.web.api.strict_fields import ChoiceField
from waproject.web.statement_timeout import ADVICE, timed_out

COSTS = "#costs"
CLOCK = "%-d %b %Y %H:%M"
# The lists of the form's fields; a company has few of each.
LISTED = 500
TEXT_FILTERS = ("template", "campaign", "country")
HIDDEN_FILTERS = ("account", "direction", "type", "category", "price_type", "status", "error_code", "market")
GRANULARITIES = (Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH)


class PageQuery(SteppedQuery):
    """Adds the currency and the market of the costs section."""

    currency = CurrencyField(required=False, max_length=3, help_text="That of the rate cards.")
    market = ChoiceField(sorted(MARKETS), required=False, help_text="Costs of this market only.")


@never_cache
@require_safe
@staff_member_required
def analytics_page(request: HttpRequest) -> HttpResponse:
    """The page. With invalid parameters the status is 400, and the text below the form names them; 503 if the database
    takes too long."""
    user: Any = request.user
    if not (user.has_perm(MAY_SEE) or user.has_perm(MAY_SEE.replace(".view_", ".change_"))):
        raise PermissionDenied
    given = {name: str(value) for name, value in request.GET.items() if value}
    context: dict[str, Any] = {"given": given, **_form(given)}
    try:
        question, others = read_question(_api_request(request), PageQuery)
    except ValidationError as error:
        context["problems"] = _problems(error)
        return render(request, "analytics/page.html", context, status=HTTPStatus.BAD_REQUEST)
    try:
        answered = _answered(question, request.GET, others)
    except OperationalError as error:
        if not timed_out(error):
            raise
        context["problems"] = [("period", ADVICE)]
        return render(request, "analytics/page.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return render(request, "analytics/page.html", {**context, **answered})


def _answered(question: Question, query: QueryDict, others: Mapping[str, Any]) -> dict[str, Any]:
    links = MessageLinks(question)
    market = others.get("market", "")
    costs = cost_panel(
        question,
        others.get("currency", settings.COSTS_CURRENCY),
        market,
        lambda name, value: links.charged({"market": market, name: value}),
        lambda name, value: page_with(query, name, meta_spelling(value)) + COSTS,
    )
    return {"costs": costs, **_sections(question, query, links, costs)}


def _sections(question: Question, query: QueryDict, links: MessageLinks, costs: CostPanel) -> dict[str, Any]:
    shown = page(question)
    period = question.period
    messages_url = links.to
    campaign = str((question.filters or {}).get("campaign", ""))
    return {
        "page": shown,
        "empty_state": empty_state(question, query) if shown.is_empty else None,
        "all_markets_url": page_without(query, ["market"]) + COSTS,
        "costs_url": page_without(query, costs.unknown) + COSTS,
        "charged_url": links.charged({"market": costs.market}),
        "campaign": campaign_head(campaign, shown.total, costs) if campaign else None,
        # Texts: a template would turn times into the server's zone.
        "since": f"{period.local(period.since):{CLOCK}}",
        "until": f"{period.local(period.until):{CLOCK}}",
        "zone": str(period.zone),
        "links": {
            "all": messages_url(),
            "inbound": messages_url({"direction": "inbound"}),
            "outbound": messages_url({"direction": "outbound"}),
            "failed": messages_url({"direction": "outbound", "status": "failed"}),
        },
        "errors": [(row, messages_url({"status": "failed", "error_code": row["error_code"]})) for row in shown.errors],
        "best": [(row, messages_url({"template": row["template"]})) for row in shown.best],
        "worst": [(row, messages_url({"template": row["template"]})) for row in shown.worst],
        "campaigns": [
            (row, messages_url({"campaign": row["campaign"]}), page_with(query, "campaign", row["campaign"]))
            for row in shown.campaigns
        ],
        "hours": range(0, 24, 3),
    }


def _form(given: dict[str, str]) -> dict[str, Any]:
    currency = given.get("currency", settings.COSTS_CURRENCY)
    return {
        "senders": BusinessNumber.objects.order_by("pk")[:LISTED],
        "clients": ApiClient.objects.order_by("name").values_list("name", flat=True)[:LISTED],
        "granularities": GRANULARITIES,
        "text_filters": [(name, given.get(name, "")) for name in TEXT_FILTERS],
        "hidden_filters": [(name, given[name]) for name in HIDDEN_FILTERS if name in given],
        "zone": given.get("timezone", settings.TIME_ZONE),
        "currency": currency,
        "currencies": sorted({*RateCard.objects.values_list("currency", flat=True), currency}),
    }


def _api_request(request: HttpRequest) -> Request:
    """The request as questions read it. A form sends its empty fields too: they are left out."""
    query = request.GET.copy()
    for name in list(query):
        if query.getlist(name) == [""]:
            del query[name]
    request.GET = query  # type: ignore[assignment]
    read = Request(request)
    # Else DRF would look for a key, find none, and leave an anonymous user in the request that templates see.
    read.user, read.auth = request.user, None
    return read


def _problems(error: ValidationError) -> list[tuple[str, str]]:
    detail: Any = error.detail
    return [(name, " ".join(map(str, texts))) for name, texts in detail.items()]
