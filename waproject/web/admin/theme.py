"""The admin's theme, with its sidebar: settings of django-unfold.

Apps are named by strings alone: `waproject` knows none of them.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    """The link to a model's list, shown to accounts with its view permission. `model`: app.model."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may(f"{app}.view_{name}"),
    }


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    def check(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return check


def _style(request: HttpRequest) -> str:
    """The style sheet's URL; evaluated late, because its hashed name needs the settings."""
    return static("waproject/admin.css")


def _icon(request: HttpRequest) -> str:
    """Likewise the icon's."""
    return static("waproject/icon.svg")


SIDEBAR: list[dict[str, Any]] = [
    {
        "items": [
            {"title": "Overview", "icon": "home", "link": reverse_lazy("admin:index")},
            {"title": "Dashboard", "icon": "monitoring", "link": reverse_lazy("monitoring-dashboard")},
            {
                "title": "Analytics",
                "icon": "bar_chart",
                "link": reverse_lazy("analytics-page"),
                "permission": _may("analytics.view_rollup"),
            },
        ]
    },
    {
        "title": "Conversations",
        "items": [
            _item("Conversations", "forum", "messaging.conversation"),
            _item("Messages", "chat", "messaging.message"),
            _item("Contacts", "person", "messaging.contact"),
            _item("Files", "image", "messaging.media"),
        ],
    },
    {
        "title": "Sending",
        "items": [
            _item("WhatsApp accounts", "storefront", "messaging.account"),
            _item("Business numbers", "call", "messaging.businessnumber"),
            _item("Holds", "pause_circle", "messaging.hold"),
            _item("Templates", "description", "messaging.template"),
            _item("Template categories", "category", "messaging.templatecategory"),
        ],
    },
    {
        "title": "Webhooks",
        "items": [
            _item("Subscriptions", "webhook", "messaging.subscription"),
            _item("Deliveries", "outgoing_mail", "messaging.delivery"),
            _item("Events", "event_note", "analytics.event"),
        ],
    },
    {
        "title": "Costs",
        "items": [
            _item("Budgets", "savings", "analytics.budget"),
            _item("Rate cards", "price_change", "analytics.ratecard"),
        ],
    },
    {
        "title": "Operations",
        "items": [
            _item("Alerts", "notifications", "monitoring.alert"),
            _item("Silences", "notifications_off", "monitoring.silence"),
            {
                **_item("Dead letters", "mark_email_unread", "monitoring.redrivejob"),
                "permission": _may("monitoring.redrive"),
            },
            _item("Account events", "campaign", "messaging.accountevent"),
            _item("Unknown updates", "help", "messaging.unknownupdate"),
            _item("Orphan statuses", "link_off", "messaging.orphanstatus"),
            _item("Audit log", "history", "messaging.auditentry"),
        ],
    },
    {
        "title": "Access",
        "items": [
            _item("API clients and keys", "key", "messaging.apiclient"),
            _item("Staff accounts", "badge", "auth.user"),
            _item("Groups", "group", "auth.group"),
        ],
    },
]

UNFOLD = {
    "SITE_TITLE": "WhatsApp pipeline",
    "SITE_HEADER": "WhatsApp pipeline",
    "SITE_SYMBOL": "forum",
    "SITE_URL": None,
    # The audit log has the history.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [_style],
    # Without one, browsers ask for /favicon.ico, which is a 404.
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "LOGIN": {"form": "messaging.access.login_form.LoginForm"},
    "SIDEBAR": {"show_search": False, "navigation": SIDEBAR},
    "COLORS": {
        # White text has a contrast of at least 4.5 to 1 on 600 and darker.
        "primary": {
            "50": "#f0fdf6",
            "100": "#dcfce9",
            "200": "#bbf7d3",
            "300": "#86efb0",
            "400": "#4ade85",
            "500": "#22b866",
            "600": "#128049",
            "700": "#0f6b3e",
            "800": "#115433",
            "900": "#10452c",
            "950": "#032616",
        },
    },
}
