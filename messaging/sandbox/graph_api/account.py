"""The Graph API's endpoints of the account: nodes, numbers, subscriptions, tokens and registration."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Sequence
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import url_concat

from .. import graph_errors
from ..account import MANAGEMENT, Callback
from ..graph_errors import EXPIRED_SUBCODE, GraphError
from . import nodes
from .graph_handler import GraphHandler
from .media import MediaHandler
from .pricing_analytics import FIELD, pricing_analytics

JSON = dict[str, Any]
NUMBERS_PATH = r"/v\d+\.\d+/(\d+)/phone_numbers"
SUBSCRIBED_APPS_PATH = r"/v\d+\.\d+/(\d+)/subscribed_apps"
SUBSCRIPTIONS_PATH = r"/v\d+\.\d+/(\d+)/subscriptions"
REGISTER_PATH = r"/v\d+\.\d+/(\d+)/(register|deregister)"
DEBUG_TOKEN_PATH = r"/v\d+\.\d+/debug_token"  # noqa: S105 - a path
_OBJECT = "whatsapp_business_account"
_CALLBACK_FAILED, _PIN_MISMATCH, _MISSING_PERMISSION, _NO_APP_TOKEN = 2200, 133005, 200, 15
_PIN_DIGITS = 6
_HANDSHAKE_SECONDS = 5.0


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

    def asked_fields(self) -> list[str]:
        """The names in the query's ``fields``."""
        return nodes.asked_fields(self.get_query_argument("fields", ""))

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


class NodeHandler(AccountHandler, MediaHandler):
    """``GET /vNN.N/{id}``: the account, a number, the app, or a file."""

    def prepare(self) -> None:
        """Called by Tornado before the method. Files need no permission to manage the account."""
        self.check_token()

    def get(self, media_id: str) -> None:
        """The node with the fields that are asked for."""
        node = self.node(media_id)
        if node is None:
            super().get(media_id)
            return
        self.check_permission()
        values, default, kind = node
        self.answer(nodes.projected(values, self.asked_fields(), default, kind))

    def node(self, node_id: str) -> tuple[JSON, Sequence[str], str] | None:
        """All fields of a node, the default ones, and its type; None where the id is not one of the account's."""
        state, identity = self.simulator.account, self.simulator.identity
        if node_id == identity.waba_id:
            values = nodes.account_values(state)
            if FIELD in self.asked_fields():
                values[FIELD] = pricing_analytics(self.get_query_argument("fields"), self.simulator.ledger.find())
            return values, nodes.ACCOUNT_FIELDS, "WhatsAppBusinessAccount"
        if identity.has(node_id):
            values = nodes.number_values(state, node_id, self.simulator.behaviour)
            return values, nodes.NUMBER_FIELDS, "WhatsAppBusinessPhoneNumber"
        return (nodes.app_values(identity), nodes.APP_FIELDS, "Application") if node_id == identity.app_id else None


class NumbersHandler(AccountHandler):
    """``GET /vNN.N/{waba_id}/phone_numbers``."""

    def get(self, waba_id: str) -> None:
        """All numbers of the account."""
        self.check_account(waba_id)
        identity, asked = self.simulator.identity, self.asked_fields()
        data = [
            nodes.projected(
                nodes.number_values(self.simulator.account, id_, self.simulator.behaviour),
                asked,
                nodes.NUMBER_FIELDS,
                "WhatsAppBusinessPhoneNumber",
            )
            for id_ in (identity.phone_number_id, *identity.other_numbers)
        ]
        self.answer({"data": data, "paging": {"cursors": {"before": "MAZDZD", "after": "MgZDZD"}}})


class SubscribedAppsHandler(AccountHandler):
    """``GET``, ``POST`` and ``DELETE /vNN.N/{waba_id}/subscribed_apps``: whether the app gets the webhooks."""

    def get(self, waba_id: str) -> None:
        """The app, if it is subscribed."""
        self.check_account(waba_id)
        app = {"whatsapp_business_api_data": nodes.app_values(self.simulator.identity)}
        self.answer({"data": [app] if self.simulator.account.subscribed else []})

    def post(self, waba_id: str) -> None:
        """Subscribe the app."""
        self.check_account(waba_id)
        self.simulator.account.subscribed = True
        self.answer({"success": True})

    def delete(self, waba_id: str) -> None:
        """End the subscription: no webhook is sent from now on."""
        self.check_account(waba_id)
        self.simulator.account.subscribed = False
        self.answer({"success": True})


class SubscriptionsHandler(AccountHandler):
    """``GET``, ``POST`` and ``DELETE /vNN.N/{app_id}/subscriptions``, with the app's own token: ``{id}|{secret}``."""

    def prepare(self) -> None:
        """Called by Tornado before the method."""
        identity = self.simulator.identity
        if not hmac.compare_digest(self.given_token().encode(), f"{identity.app_id}|{identity.app_secret}".encode()):
            message = "This method must be called with an app access_token."
            raise GraphError(_NO_APP_TOKEN, f"(#{_NO_APP_TOKEN}) {message}")

    def get(self, app_id: str) -> None:
        """The app's webhook subscription, if there is one."""
        self._check_app(app_id)
        callback = self.simulator.account.callback
        subscribed = [{"name": name, "version": "v25.0"} for name in callback.fields] if callback else []
        node = {"object": _OBJECT, "callback_url": callback.url if callback else "", "active": True}
        self.answer({"data": [{**node, "fields": subscribed}] if callback else []})

    async def post(self, app_id: str) -> None:
        """Set callback and fields, after the callback has answered the handshake."""
        self._check_app(app_id)
        given = self.form_or_json()
        if given.get("object") != _OBJECT:
            raise graph_errors.invalid_parameter(f"Param object must be one of {{{_OBJECT}}}")
        url, token = given.get("callback_url"), given.get("verify_token")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")) or not isinstance(token, str):
            raise graph_errors.invalid_parameter("The parameters callback_url and verify_token are required.")
        names = given.get("fields", "")
        listed = names if isinstance(names, list) else str(names).split(",")
        await _shake_hands(url, token)
        self.simulator.account.callback = Callback(url, tuple(filter(None, (str(name).strip() for name in listed))))
        self.answer({"success": True})

    def delete(self, app_id: str) -> None:
        """Remove the subscription."""
        self._check_app(app_id)
        self.simulator.account.callback = None
        self.answer({"success": True})

    def _check_app(self, app_id: str) -> None:
        if app_id != self.simulator.identity.app_id:
            raise graph_errors.no_such_object(app_id, self.request.method or "GET")


class RegisterHandler(AccountHandler):
    """``POST /vNN.N/{phone_number_id}/register`` and ``/deregister``."""

    def post(self, phone_number_id: str, verb: str) -> None:
        """Register the number with its PIN, which the first registration sets; or deregister it."""
        if not self.simulator.identity.has(phone_number_id):
            raise graph_errors.no_such_object(phone_number_id, "POST")
        state = self.simulator.account
        if verb == "deregister":
            state.change_number(phone_number_id, registered=False)
        else:
            given = self.form_or_json()
            pin = str(given.get("pin", ""))
            if given.get("messaging_product") != "whatsapp":
                raise graph_errors.invalid_parameter("The parameter messaging_product is required.")
            if len(pin) != _PIN_DIGITS or not (pin.isascii() and pin.isdigit()):
                raise graph_errors.invalid_parameter("Param pin must be 6 characters long.")
            if state.number(phone_number_id).pin not in ("", pin):
                raise graph_errors.of_code(_PIN_MISMATCH)
            state.change_number(phone_number_id, registered=True, pin=pin)
        self.answer({"success": True})


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


async def _shake_hands(url: str, verify_token: str) -> None:
    """Meta's check of a callback. Raises GraphError 2200 where it does not repeat the challenge."""
    challenge = str(secrets.randbelow(10**9) + 10**9)
    asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    request = HTTPRequest(url_concat(url, asked), request_timeout=_HANDSHAKE_SECONDS, follow_redirects=False)
    try:
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
    except (HTTPClientError, OSError):
        raise _callback_failed("The URL couldn't be reached") from None
    if answer.code != 200:  # noqa: PLR2004 - HTTP OK
        raise _callback_failed(f"HTTP Status Code = {answer.code}; HTTP Message = {answer.reason}")
    if answer.body.decode("utf-8", "replace").strip() != challenge:
        raise _callback_failed("Response does not match challenge")


def _callback_failed(words: str) -> GraphError:
    message = f"(#{_CALLBACK_FAILED}) Callback verification failed with the following errors: {words}"
    return GraphError(_CALLBACK_FAILED, message)
