"""The base of the account's endpoints: its access token, and the permission to manage the account."""

from __future__ import annotations

import hmac
from typing import Any

from .. import graph_errors
from ..account import MANAGEMENT
from ..graph_errors import GraphError
from . import nodes
from .graph_handler import GraphHandler

JSON = dict[str, Any]
_MISSING_PERMISSION = 200


class AccountHandler(GraphHandler):
    """Requires the access token with the permission to manage the account."""

    def prepare(self) -> None:
        """Called by Tornado before the method."""
        self.check_token()
        self.check_permission()

    def check_token(self) -> None:
        """Raises GraphError 190 for another token, or one that has expired."""
        if not hmac.compare_digest(self.given_token().encode(), self.simulator.identity.access_token.encode()):
            raise graph_errors.bad_token()
        if not self.simulator.account.token_is_usable():
            raise graph_errors.expired_token()

    def check_permission(self) -> None:
        """Raises GraphError 200 where the token may not manage the account."""
        if MANAGEMENT not in self.simulator.account.token.scopes:
            message = f"(#{_MISSING_PERMISSION}) You do not have permission to access this object: {MANAGEMENT}"
            raise GraphError(_MISSING_PERMISSION, message, http_status=403)

    def given_token(self) -> str:
        """The token of the request: in the header, or in the query."""
        header = self.request.headers.get("Authorization", "")
        return header.removeprefix("Bearer ") or self.get_query_argument("access_token", "")

    def requested_fields(self) -> list[str]:
        """The names in the query's ``fields``."""
        return nodes.requested_fields(self.get_query_argument("fields", ""))

    def check_account(self, waba_id: str) -> None:
        """Raises GraphError for an id that is not the account's."""
        if waba_id != self.simulator.identity.waba_id:
            raise graph_errors.no_such_object(waba_id, self.request.method or "GET")

    def form_or_json(self) -> JSON:
        """The parameters of a POST, which Meta takes as JSON, as a form and in the query."""
        body = self.json_body()
        given: JSON = body if isinstance(body, dict) else {}
        names = {*self.request.arguments} - {"access_token"}
        return {**{name: self.get_argument(name) for name in names}, **given}
