"""`/monitoring/dashboard`, for staff.

The page is made on the server and says everything in words and numbers; with JavaScript it renews itself every few
seconds and draws its history. Nothing on it comes from another host.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.dashboard import charts
from monitoring.dashboard.overview import overview
from monitoring.metrics import current

DEFAULT_RANGE = "1h"
View = Callable[[HttpRequest], HttpResponse]


def _for_staff(view: View) -> View:
    """Others go to the log-in page; a page that polls is loaded anew, so that it goes there as a whole."""
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
    """The page; for htmx the part of it that changes."""
    view = {"view": overview(current.window())}
    if request.headers.get("HX-Request"):
        return render(request, "monitoring/board.html", view)
    over = _range(request)
    _, drawn = charts.draw(over)
    return render(
        request, "monitoring/dashboard.html", {**view, "ranges": charts.RANGES.values(), "over": over, "charts": drawn}
    )


@never_cache
@require_safe
@_for_staff
def history(request: HttpRequest) -> HttpResponse:
    """The charts' values, for the page's script."""
    return JsonResponse(charts.as_json(*charts.draw(_range(request))))


def _range(request: HttpRequest) -> charts.Range:
    """The range asked for; the default for one that there is not."""
    return charts.RANGES.get(request.GET.get("range", ""), charts.RANGES[DEFAULT_RANGE])
