"""`debug_token`: the facts of an access token."""

from __future__ import annotations

import time
from typing import Any

from .. import graph_errors
from ..graph_errors import EXPIRED_SUBCODE
from . import nodes
from .account_handler import AccountHandler

JSON = dict[str, Any]
DEBUG_TOKEN_PATH = r"/v\d+\.\d+/debug_token"  # noqa: S105 - a path


class DebugTokenHandler(AccountHandler):
    """``GET /vNN.N/debug_token?input_token=``."""

    def prepare(self) -> None:
        """Called by Tornado before the method. A token may ask about itself, even one that has expired."""
        identity = self.simulator.identity
        if self.given_token() not in (identity.access_token, f"{identity.app_id}|{identity.app_secret}"):
            raise graph_errors.bad_token()

    def get(self) -> None:
        """What the token is, and whether it is valid."""
        identity, state = self.simulator.identity, self.simulator.account
        data: JSON = {"app_id": identity.app_id, "application": nodes.APP_NAME, "type": "SYSTEM_USER"}
        if self.get_query_argument("input_token", "") != identity.access_token:
            error = {"code": 190, "message": "The access token could not be decrypted"}
            self.answer({"data": {"error": error, "is_valid": False, "scopes": []}})
            return
        token, usable = state.token, state.token_is_usable()
        data |= {
            "is_valid": usable,
            "expires_at": token.expires_at,
            "data_access_expires_at": 0,
            "issued_at": int(time.time()) - 24 * 3600,
            "scopes": list(token.scopes),
            "granular_scopes": [{"scope": scope, "target_ids": [identity.waba_id]} for scope in token.scopes],
            "user_id": "122093372180011111",
        }
        if not usable:
            message = "Error validating access token: the session has expired or was invalidated."
            data["error"] = {"code": 190, "message": message, "subcode": EXPIRED_SUBCODE}
        self.answer({"data": data})
