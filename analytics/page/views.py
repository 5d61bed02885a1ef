"""`/analytics/`, for staff: all of its state is in the address, so that it can be shared and printed."""

from typing import Any

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from analytics.page.drill_down import messages_url
from analytics.page.sections import page
from analytics.questions import MAY_SEE, Asked, Granularity, SteppedQuery, read_asked
from messaging.models import ApiClient, BusinessNumber

BAD_REQUEST = 400
CLOCK = "%-d %b %Y %H:%M"
# The lists of the form's fields; a company has few of each.
LISTED = 500
TEXT_FILTERS = ("template", "campaign", "country")
HIDDEN_FILTERS = ("account", "direction", "type", "category", "price_type", "status", "error_code")
GRANULARITIES = (Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH)


@never_cache
@require_safe
@staff_member_required
def analytics_page(request: HttpRequest) -> HttpResponse:
    """The page. Parameters that are wrong are named above the form, with status 400."""
    user: Any = request.user
    if not (user.has_perm(MAY_SEE) or user.has_perm(MAY_SEE.replace(".view_", ".change_"))):
        raise PermissionDenied
    given = {name: str(value) for name, value in request.GET.items() if value}
    context: dict[str, Any] = {"given": given, **_form(given)}
    try:
        asked, _ = read_asked(Request(_without_blanks(request, given)), SteppedQuery)
    except ValidationError as error:
        return render(request, "analytics/page.html", {**context, "problems": _problems(error)}, status=BAD_REQUEST)
    return render(request, "analytics/page.html", {**context, **_answered(asked)})


def _answered(asked: Asked) -> dict[str, Any]:
    shown = page(asked)
    period = asked.period
    return {
        "page": shown,
        # Texts: a template would turn times into the server's zone.
        "since": f"{period.local(period.since):{CLOCK}}",
        "until": f"{period.local(period.until):{CLOCK}}",
        "zone": str(period.zone),
        "links": {
            "all": messages_url(asked),
            "inbound": messages_url(asked, {"direction": "inbound"}),
            "outbound": messages_url(asked, {"direction": "outbound"}),
            "failed": messages_url(asked, {"direction": "outbound", "status": "failed"}),
        },
        "errors": [
            (row, messages_url(asked, {"status": "failed", "error_code": row["error_code"]})) for row in shown.errors
        ],
        "best": [(row, messages_url(asked, {"template": row["template"]})) for row in shown.best],
        "worst": [(row, messages_url(asked, {"template": row["template"]})) for row in shown.worst],
        "campaigns": [(row, messages_url(asked, {"campaign": row["campaign"]})) for row in shown.campaigns],
        "hours": range(0, 24, 3),
    }


def _form(given: dict[str, str]) -> dict[str, Any]:
    return {
        "senders": BusinessNumber.objects.order_by("pk")[:LISTED],
        "clients": ApiClient.objects.order_by("name").values_list("name", flat=True)[:LISTED],
        "granularities": GRANULARITIES,
        "text_filters": [(name, given.get(name, "")) for name in TEXT_FILTERS],
        "hidden_filters": [(name, given[name]) for name in HIDDEN_FILTERS if name in given],
        "zone": given.get("timezone", settings.TIME_ZONE),
    }


def _without_blanks(request: HttpRequest, given: dict[str, str]) -> HttpRequest:
    """A form sends its empty fields too."""
    query = request.GET.copy()
    for name in list(query):
        if query.getlist(name) == [""]:
            del query[name]
    request.GET = query  # type: ignore[assignment]
    return request


def _problems(error: ValidationError) -> list[tuple[str, str]]:
    detail: Any = error.detail
    return [(name, " ".join(map(str, texts))) for name, texts in detail.items()]
