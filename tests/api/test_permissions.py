"""Permissions: every endpoint, tried by every kind of caller."""

from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from deploy.local.sqs import Sqs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("long_health_deadlines")]
CALLERS = ("anonymous", "api_key", "user", "staff", "superuser")
CAMPAIGN = "spring-sale"
QUESTIONS = ("summary", "timeseries", "funnel", "errors", "templates", "campaigns", "conversations")
MESSAGE = "00000000-0000-7000-8000-000000000000"

# (method, path): the status that each caller gets; an empty body is a 400, an unknown message a 404.
OPEN = (200, 200, 200, 200, 200)
TABLE: dict[tuple[str, str], tuple[int, int, int, int, int]] = {
    ("get", "/"): (302, 302, 302, 302, 302),
    ("get", "/webhook/whatsapp"): (403, 403, 403, 403, 403),
    ("post", "/webhook/whatsapp"): (403, 403, 403, 403, 403),
    ("post", "/messaging/send"): (401, 400, 403, 403, 400),
    ("post", "/messaging/send/bulk"): (401, 400, 403, 403, 400),
    ("get", "/messaging/messages"): (401, 200, 403, 403, 200),
    ("get", f"/messaging/messages/{MESSAGE}"): (401, 404, 403, 403, 404),
    ("get", f"/messaging/messages/{MESSAGE}/media"): (401, 404, 403, 403, 404),
    # JSON is no form.
    ("post", "/messaging/media"): (401, 415, 403, 403, 415),
    ("post", f"/messaging/messages/{MESSAGE}/cancel"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/messages/{MESSAGE}/read"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/messages/{MESSAGE}/retry"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/campaigns/{CAMPAIGN}/hold"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/campaigns/{CAMPAIGN}/resume"): (401, 404, 403, 403, 404),
    ("get", "/messaging/templates"): (401, 200, 403, 403, 200),
    ("get", "/messaging/templates/0"): (401, 404, 403, 403, 404),
    # A client that is an operator passes: tests/messaging/template_management/test_changes.py.
    ("post", "/messaging/templates"): (401, 403, 403, 403, 400),
    ("patch", "/messaging/templates/0"): (401, 403, 403, 403, 404),
    ("delete", "/messaging/templates/0"): (401, 403, 403, 403, 404),
    ("get", "/messaging/subscriptions"): (401, 200, 403, 403, 200),
    ("post", "/messaging/subscriptions"): (401, 400, 403, 403, 400),
    ("get", f"/messaging/subscriptions/{MESSAGE}"): (401, 404, 403, 403, 404),
    ("patch", f"/messaging/subscriptions/{MESSAGE}"): (401, 404, 403, 403, 404),
    ("delete", f"/messaging/subscriptions/{MESSAGE}"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/subscriptions/{MESSAGE}/rotate"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/subscriptions/{MESSAGE}/test"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/subscriptions/{MESSAGE}/replay"): (401, 404, 403, 403, 404),
    ("get", f"/messaging/subscriptions/{MESSAGE}/deliveries"): (401, 404, 403, 403, 404),
    ("get", f"/messaging/deliveries/{MESSAGE}"): (401, 404, 403, 403, 404),
    ("post", f"/messaging/deliveries/{MESSAGE}/replay"): (401, 404, 403, 403, 404),
    ("post", "/messaging/analytics"): (401, 400, 403, 403, 400),
    ("post", "/analytics/events"): (401, 400, 403, 403, 400),
    ("get", "/analytics/events"): (401, 200, 403, 403, 200),
    ("get", "/analytics/"): (302, 302, 302, 403, 200),
    **{("get", f"/analytics/{question}"): (401, 200, 403, 403, 200) for question in QUESTIONS},
    ("get", "/analytics/costs"): (401, 200, 403, 403, 200),
    ("get", "/analytics/export"): (401, 200, 403, 403, 200),
    ("get", "/analytics/budgets"): (401, 200, 403, 403, 200),
    ("get", "/messaging/queue/status"): (401, 200, 403, 200, 200),
    ("get", "/messaging/health"): OPEN,
    ("get", "/health"): OPEN,
    ("get", "/health/live"): OPEN,
    ("get", "/health/ready"): OPEN,
    ("get", "/health/sqs"): OPEN,
    # No worker lives in this test.
    ("get", "/health/workers"): (503, 503, 503, 503, 503),
    ("get", "/monitoring/dashboard"): (302, 302, 302, 200, 200),
    ("get", "/monitoring/history"): (302, 302, 302, 200, 200),
    ("get", "/monitoring/summary"): (401, 200, 403, 200, 200),
    ("get", "/monitoring/alerts"): (401, 200, 403, 403, 200),
    ("get", "/monitoring/metrics"): (401, 200, 403, 200, 200),
    ("get", "/monitoring/provider"): (401, 200, 403, 200, 200),
    # A client that is an operator passes: tests/monitoring/dead_letters/test_api.py.
    ("get", "/monitoring/dlq/incoming"): (401, 403, 403, 403, 200),
    ("post", "/monitoring/dlq/incoming/redrive"): (401, 403, 403, 403, 400),
    ("post", "/monitoring/dlq/incoming/discard"): (401, 403, 403, 403, 400),
    ("get", "/monitoring/moves/0"): (401, 403, 403, 403, 404),
    ("post", "/monitoring/moves/0/stop"): (401, 403, 403, 403, 404),
    ("get", "/api/schema/"): (401, 200, 403, 200, 200),
    ("get", "/api/docs/"): (401, 200, 403, 200, 200),
    ("get", "/admin/"): (302, 302, 302, 200, 200),
    ("get", "/admin/messaging/message/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/message/export/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/media/"): (302, 302, 302, 403, 200),
    ("get", f"/admin/messaging/media/{MESSAGE}/content/"): (302, 302, 302, 403, 404),
    ("post", f"/admin/messaging/media/{MESSAGE}/again/"): (302, 302, 302, 403, 302),
    ("get", "/admin/messaging/apiclient/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/account/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/businessnumber/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/hold/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/auditentry/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/conversation/"): (302, 302, 302, 403, 200),
    ("get", f"/admin/messaging/conversation/{MESSAGE}/change/"): (302, 302, 302, 403, 404),
    ("get", f"/admin/messaging/conversation/{MESSAGE}/messages/"): (302, 302, 302, 403, 404),
    ("post", f"/admin/messaging/conversation/{MESSAGE}/reply/"): (302, 302, 302, 403, 404),
    ("post", f"/admin/messaging/conversation/{MESSAGE}/template/"): (302, 302, 302, 403, 404),
    ("get", "/admin/messaging/contact/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/unknownupdate/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/orphanstatus/"): (302, 302, 302, 403, 200),
    ("get", "/admin/monitoring/alert/"): (302, 302, 302, 403, 200),
    # Former addresses, which redirect.
    ("get", "/admin/monitoring/move/"): (302, 302, 302, 302, 302),
    ("get", "/admin/monitoring/move/lane/incoming/"): (302, 302, 302, 302, 302),
    ("get", "/admin/monitoring/redrivejob/"): (302, 302, 302, 403, 200),
    ("get", "/admin/monitoring/redrivejob/lane/incoming/"): (302, 302, 302, 403, 200),
    ("get", "/admin/monitoring/redrivejob/lane/incoming/progress/"): (302, 302, 302, 403, 200),
    ("post", "/admin/monitoring/redrivejob/lane/incoming/move/"): (302, 302, 302, 403, 404),
    ("post", "/admin/monitoring/redrivejob/lane/incoming/stop/"): (302, 302, 302, 403, 302),
    ("get", "/admin/monitoring/silence/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/accountevent/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/subscription/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/delivery/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/template/"): (302, 302, 302, 403, 200),
    ("get", "/admin/messaging/templatecategory/"): (302, 302, 302, 403, 200),
    ("get", "/admin/analytics/event/"): (302, 302, 302, 403, 200),
    ("get", "/admin/analytics/budget/"): (302, 302, 302, 403, 200),
    ("get", "/admin/analytics/ratecard/"): (302, 302, 302, 403, 200),
}

VIEW_MESSAGE = {"messaging.view_message", "messaging.change_message"}
SUBSCRIPTION = "/messaging/subscriptions"
VIEW_SUBSCRIPTION = {"messaging.view_subscription", "messaging.change_subscription"}
VIEW_TEMPLATE = {"messaging.view_template", "messaging.change_template"}
VIEW_DELIVERY = {"messaging.view_delivery", "messaging.change_delivery"}

# The permissions of which each alone lets a member of staff call an endpoint; what shows nobody's data needs none.
ALONE: dict[tuple[str, str], set[str]] = {
    ("post", "/messaging/send"): {"messaging.add_message"},
    ("post", "/messaging/send/bulk"): {"messaging.add_message"},
    ("get", "/messaging/messages"): VIEW_MESSAGE,
    ("get", f"/messaging/messages/{MESSAGE}"): VIEW_MESSAGE,
    ("get", f"/messaging/messages/{MESSAGE}/media"): VIEW_MESSAGE,
    ("post", "/messaging/media"): {"messaging.add_message"},
    ("post", f"/messaging/messages/{MESSAGE}/cancel"): {"messaging.change_message"},
    ("post", f"/messaging/messages/{MESSAGE}/read"): {"messaging.reply_conversation"},
    ("post", f"/messaging/messages/{MESSAGE}/retry"): {"messaging.change_message"},
    ("post", f"/messaging/campaigns/{CAMPAIGN}/hold"): {"messaging.add_hold"},
    ("post", f"/messaging/campaigns/{CAMPAIGN}/resume"): {"messaging.change_hold"},
    ("get", "/messaging/templates"): VIEW_TEMPLATE,
    ("get", "/messaging/templates/0"): VIEW_TEMPLATE,
    ("post", "/messaging/templates"): {"messaging.add_template"},
    ("patch", "/messaging/templates/0"): {"messaging.change_template"},
    ("delete", "/messaging/templates/0"): {"messaging.delete_template"},
    ("get", SUBSCRIPTION): VIEW_SUBSCRIPTION,
    ("post", SUBSCRIPTION): {"messaging.add_subscription"},
    ("get", f"{SUBSCRIPTION}/{MESSAGE}"): VIEW_SUBSCRIPTION,
    ("patch", f"{SUBSCRIPTION}/{MESSAGE}"): {"messaging.change_subscription"},
    ("delete", f"{SUBSCRIPTION}/{MESSAGE}"): {"messaging.delete_subscription"},
    ("post", f"{SUBSCRIPTION}/{MESSAGE}/rotate"): {"messaging.change_subscription"},
    ("post", f"{SUBSCRIPTION}/{MESSAGE}/test"): {"messaging.change_subscription"},
    ("post", f"{SUBSCRIPTION}/{MESSAGE}/replay"): {"messaging.change_subscription"},
    ("get", f"{SUBSCRIPTION}/{MESSAGE}/deliveries"): VIEW_DELIVERY,
    ("get", f"/messaging/deliveries/{MESSAGE}"): VIEW_DELIVERY,
    ("post", f"/messaging/deliveries/{MESSAGE}/replay"): {"messaging.change_subscription"},
    ("post", "/messaging/analytics"): {"analytics.add_event"},
    ("post", "/analytics/events"): {"analytics.add_event"},
    ("get", "/analytics/events"): {"analytics.view_event", "analytics.change_event"},
    **{
        ("get", f"/analytics/{question}"): {"analytics.view_rollup", "analytics.change_rollup"}
        for question in QUESTIONS
    },
    ("get", "/analytics/costs"): {"analytics.view_rollup", "analytics.change_rollup"},
    ("get", "/analytics/export"): {"analytics.view_rollup", "analytics.change_rollup"},
    ("get", "/analytics/budgets"): {"analytics.view_budget", "analytics.change_budget"},
    ("get", "/monitoring/alerts"): {"monitoring.view_alert", "monitoring.change_alert"},
    ("get", "/monitoring/dlq/incoming"): {"monitoring.redrive"},
    ("post", "/monitoring/dlq/incoming/redrive"): {"monitoring.redrive"},
    ("post", "/monitoring/dlq/incoming/discard"): {"monitoring.redrive"},
    ("get", "/monitoring/moves/0"): {"monitoring.redrive"},
    ("post", "/monitoring/moves/0/stop"): {"monitoring.redrive"},
}
NAMED = sorted(set[str]().union(*ALONE.values()))
# Everything else that the admin knows, held by one account.
OTHERS = "all others"


@pytest.fixture
def callers(api_key: str) -> dict[str, Any]:
    """A client for each kind of caller."""
    by_key = APIClient()
    by_key.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key}")
    clients: dict[str, Any] = {"anonymous": Client(), "api_key": by_key}
    for name in ("user", "staff", "superuser"):
        account = User(username=name, is_staff=name != "user", is_superuser=name == "superuser")
        account.save()
        clients[name] = Client()
        clients[name].force_login(account)
    return clients


@pytest.mark.parametrize(("method", "path"), TABLE, ids=" ".join)
def test_everybody_gets_what_the_table_says(method: str, path: str, callers: dict[str, Any], sqs_server: Sqs) -> None:
    body = {"data": "{}", "content_type": "application/json"} if method == "post" else {}
    answers = tuple(getattr(callers[name], method)(path, **body).status_code for name in CALLERS)
    assert answers == TABLE[method, path]


@pytest.fixture
def staff() -> dict[str, Client]:
    """An account for each permission that the table names, and one with all the others."""
    known = {
        f"{one.content_type.app_label}.{one.codename}": one for one in Permission.objects.select_related("content_type")
    }
    held = {name: [known[name]] for name in NAMED}
    held[OTHERS] = [one for name, one in known.items() if name not in NAMED]
    clients = {}
    for name, permissions in held.items():
        account = User.objects.create(username=name, is_staff=True)
        account.user_permissions.set(permissions)
        clients[name] = Client()
        clients[name].force_login(account)
    return clients


@pytest.mark.slow("calls each endpoint with each permission alone")
def test_staff_may_call_what_their_permission_allows(staff: dict[str, Client], sqs_server: Sqs) -> None:
    allowed: dict[tuple[str, str], set[str]] = {}
    for method, path in ALONE:
        body = {"data": "{}", "content_type": "application/json"} if method == "post" else {}
        answers = {name: getattr(client, method)(path, **body).status_code for name, client in staff.items()}
        allowed[method, path] = {name for name, status in answers.items() if status != HTTPStatus.FORBIDDEN}
    assert allowed == ALONE


def test_each_endpoint_that_the_staff_table_leaves_out_shows_no_data() -> None:
    api = {(method, path) for (method, path), answers in TABLE.items() if answers[0] == HTTPStatus.UNAUTHORIZED}
    assert api - set(ALONE) == {
        ("get", "/messaging/queue/status"),
        ("get", "/monitoring/summary"),
        ("get", "/monitoring/metrics"),
        ("get", "/monitoring/provider"),
        ("get", "/api/schema/"),
        ("get", "/api/docs/"),
    }


def routes(patterns: list[Any], prefix: str = "/") -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver) and not str(pattern.pattern).startswith("admin/"):
            found += routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            found.append(prefix + str(pattern.pattern))
    return found


def test_no_endpoint_is_missing_from_the_table() -> None:
    known = {path.replace(MESSAGE, "<uuid:pk>").replace(CAMPAIGN, "<path:campaign>") for _, path in TABLE}
    known = {path.replace("dlq/incoming", "dlq/<str:lane>").replace("/0", "/<int:pk>") for path in known}
    known = {path.replace("move/lane/incoming/", "move/<path:rest>") for path in known}
    assert [route for route in routes(get_resolver().url_patterns) if route not in known] == []


def test_no_model_of_ours_in_the_admin_is_missing_from_the_table() -> None:
    from django.contrib import admin

    ours = {
        model for model in admin.site._registry if model._meta.app_label in {"messaging", "analytics", "monitoring"}
    }
    paths = {f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in ours}
    assert paths <= {path for _, path in TABLE}
