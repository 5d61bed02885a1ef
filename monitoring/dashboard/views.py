"""`/monitoring/dashboard`, for staff.

The server renders the page with all texts and numbers. With JavaScript the page refreshes itself every five seconds and
draws its charts. It loads nothing from other hosts.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.dashboard import charts
from monitoring.dashboard.overview import read_overview
from monitoring.metrics import current

DEFAULT_RANGE = "1h"
View = Callable[[HttpRequest], HttpResponse]


def _for_staff(view: View) -> View:
    """Redirects others to the log-in page; an htmx request makes the whole page reload and go there."""
    checked = staff_member_required(view)

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not (user.is_active and user.is_staff) and request.headers.get("HX-Request"):
            return HttpResponse(status=403, headers={"HX-Refresh": "true"})
        return checked(request)

    return wrapped


@never_cache
@require_safe
@_for_staff
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page; for htmx only the part that changes."""
    context: dict[str, Any] = {"overview": read_overview(current.window())}
    if request.headers.get("HX-Request"):
        return render(request, "monitoring/dashboard_sections.html", context)
    selected = _range(request)
    _, drawn = charts.draw(selected)
    context |= {"ranges": charts.RANGES.values(), "selected": selected, "charts": drawn}
    return render(request, "monitoring/dashboard.html", context)


@never_cache
@require_safe
@_for_staff
def history(request: HttpRequest) -> HttpResponse:
    """The values of the charts, for the page's script."""
    return JsonResponse(charts.as_json(*charts.draw(_range(request))))


def _range(request: HttpRequest) -> charts.Range:
    """The requested range, or the default for an unknown one."""
    return charts.RANGES.get(request.GET.get("range", ""), charts.RANGES[DEFAULT_RANGE])
