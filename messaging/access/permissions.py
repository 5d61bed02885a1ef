"""Permissions of API callers: what a key or a staff account may do.

A key may send, record events, and read messages and events of all clients. Campaigns, subscriptions, idempotency keys,
budgets and figures are its own client's. Two fields of the client (`messaging/models/access.py`) say more:

- `operator` allows dead letters (`MayMoveDeadLetters` in `monitoring/access.py`), the budgets and figures of all
  clients (`analytics/questions/parameters.py`, `analytics/costs/budgets_api.py`), and changes of templates
  (`messaging/template_management/api.py`).
- `may_send_high` allows the priority `high` (`messaging/accepting/send_items.py`).
"""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from messaging.access.authentication import Caller

if TYPE_CHECKING:  # DRF's views import the settings that name this module
    from rest_framework.views import APIView

# In a view's `staff_permissions`: every staff account is allowed, as on the dashboard.
ANY_STAFF = ""


class IsApiClientOrStaff(BasePermission):
    """A key of an active client, or a staff account with the permission that the same action needs in the admin.

    A view names the permission by method: `staff_permissions = {"GET": "messaging.view_message"}`. A method without
    one is for superusers.
    """

    message = "Your account lacks the permission for this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller is allowed."""
        return isinstance(request.user, Caller) or _staff_may(request, view)


class IsOperatorOrStaff(IsApiClientOrStaff):
    """As IsApiClientOrStaff, but for writes the client must be an operator: they concern all clients."""

    message = "This concerns all clients: it needs an operator's key, or an account with the permission."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller is allowed."""
        is_read = request.method in SAFE_METHODS
        if isinstance(request.user, Caller) and not (is_read or request.user.client.operator):
            return False
        return super().has_permission(request, view)


class IsApiClientOrAnyStaff(BasePermission):
    """A key of an active client, or any staff account: for views without personal data."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller is allowed."""
        return isinstance(request.user, Caller) or bool(request.user and request.user.is_staff)


def _staff_may(request: Request, view: "APIView") -> bool:
    if not (request.user and request.user.is_staff):
        return False
    method = {"HEAD": "GET"}.get(request.method or "", request.method or "")
    if method == "OPTIONS" or not hasattr(
        view, method.lower()
    ):  # OPTIONS describes the view; DRF answers 405 to unknown methods
        return True
    needed: str | None = getattr(view, "staff_permissions", {}).get(method)
    if needed is None:
        return bool(request.user.is_superuser)
    # As in the admin, the change permission includes the view permission.
    return needed == ANY_STAFF or any(
        request.user.has_perm(one) for one in (needed, needed.replace(".view_", ".change_"))
    )
