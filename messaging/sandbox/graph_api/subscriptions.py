"""Webhook subscriptions: the app's to the account, and the callback's to the app."""

from __future__ import annotations

import hmac
import secrets

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import url_concat

from .. import graph_errors
from ..account import Callback
from ..graph_errors import GraphError
from . import nodes
from .account_handler import AccountHandler

SUBSCRIBED_APPS_PATH = r"/v\d+\.\d+/(\d+)/subscribed_apps"
SUBSCRIPTIONS_PATH = r"/v\d+\.\d+/(\d+)/subscriptions"
_OBJECT = "whatsapp_business_account"
_CALLBACK_FAILED, _NO_APP_TOKEN = 2200, 15
_HANDSHAKE_SECONDS = 5.0


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


async def _shake_hands(url: str, verify_token: str) -> None:
    """Meta's check of a callback. Raises GraphError 2200 where it does not repeat the challenge."""
    challenge = str(secrets.randbelow(10**9) + 10**9)
    parameters = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        request = HTTPRequest(url_concat(url, parameters), request_timeout=_HANDSHAKE_SECONDS, follow_redirects=False)
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
    except (HTTPClientError, OSError, ValueError):
        raise _callback_failed("The URL couldn't be reached") from None
    if answer.code != 200:  # noqa: PLR2004 - HTTP OK
        raise _callback_failed(f"HTTP Status Code = {answer.code}; HTTP Message = {answer.reason}")
    if answer.body.decode("utf-8", "replace").strip() != challenge:
        raise _callback_failed("Response does not match challenge")


def _callback_failed(reason: str) -> GraphError:
    message = f"(#{_CALLBACK_FAILED}) Callback verification failed with the following errors: {reason}"
    return GraphError(_CALLBACK_FAILED, message)
