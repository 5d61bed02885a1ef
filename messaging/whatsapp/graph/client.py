"""A client for the nodes of accounts, numbers, templates, tokens and subscriptions.

Its calls are few and far apart, so they wait longer than a send and need no bookkeeping of lost answers: all reads, and
all writes but the creation of a template, may be repeated.
"""

import http.client
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import cast
from urllib.parse import quote, urlencode, urlsplit

import requests
import urllib3.exceptions

from messaging.whatsapp import connections
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, WhatsAppError, from_response
from messaging.whatsapp.graph import nodes
from messaging.whatsapp.graph.nodes import (
    AccountNode,
    Health,
    NumberNode,
    Subscription,
    TemplateNode,
    TokenInfo,
)
from messaging.whatsapp.graph.pricing import PricePoint, price_points, pricing_field
from messaging.whatsapp.json_text import GRAPH_PAGE, value_of
from messaging.whatsapp.storable import storable

# Meta's largest page of templates is 250; one with ten long cards has 20 kB.
MAX_ANSWER = 16 * 1024 * 1024
PAGE = 250
# 250,000 elements: a server that always names a next page must not occupy us forever.
MAX_PAGES = 1000
WEBHOOK_OBJECT = "whatsapp_business_account"
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


class GraphApi:
    """A client with one access token; thread-safe. Timeouts are in seconds, per call.

    Every method raises NotSent when nothing left us, OutcomeUnknown when the answer was lost, unreadable or a 5xx, and
    the other classes of `errors` for what Meta refused. The constructor raises ValueError for a URL or a token that no
    request could be made with.
    """

    def __init__(
        self,
        graph_url: str,
        version: str,
        access_token: str,
        *,
        connect_timeout: float = 3.0,
        read_timeout: float = 20.0,
        total_timeout: float = 30.0,
    ) -> None:
        parts = urlsplit(graph_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the Graph URL must be http(s)://host")
        if not _HEADER_SAFE.fullmatch(access_token):
            raise ValueError("the access token is empty or has characters that cannot stand in a header")
        self._base = f"{graph_url.rstrip('/')}/{quote(version, safe='')}"
        self._timeouts = connect_timeout, read_timeout
        self._total_timeout = total_timeout
        self._session = connections.session(4)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"Authorization": f"Bearer {access_token}", "Accept-Encoding": "identity"})

    def __repr__(self) -> str:
        return f"GraphApi({self._base!r})"

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def debug_token(self, token: str) -> TokenInfo:
        """The facts of an access token."""
        return nodes.token_info(nodes.child(self.get("debug_token", input_token=token), "data"))

    def account(self, waba_id: str) -> AccountNode:
        """A WABA."""
        return nodes.account_node(self.get(waba_id, fields=nodes.ACCOUNT_FIELDS))

    def pricing(self, waba_id: str, since: datetime, until: datetime) -> list[PricePoint]:
        """What the messages that a WABA's numbers delivered in a period cost, by Meta's own count."""
        return list(price_points(self.get(waba_id, fields=pricing_field(since, until))))

    def health(self, node_id: str) -> Health:
        """Whether a WABA or a number can send, and why not."""
        return nodes.health(self.get(node_id, fields="health_status"))

    def phone_numbers(self, waba_id: str) -> list[NumberNode]:
        """The business numbers of a WABA."""
        return [nodes.number_node(node) for node in self._pages(waba_id, "phone_numbers", nodes.NUMBER_FIELDS)]

    def number(self, phone_number_id: str) -> NumberNode:
        """A business number."""
        return nodes.number_node(self.get(phone_number_id, fields=nodes.NUMBER_FIELDS))

    def register(self, phone_number_id: str, pin: str) -> None:
        """Register a number for the Cloud API with its PIN of two-step verification."""
        self.post(f"{quote(phone_number_id, safe='')}/register", {"messaging_product": "whatsapp", "pin": pin})

    def templates(self, waba_id: str, **filters: str) -> Iterator[TemplateNode]:
        """The templates of a WABA, page by page; `filters`: name, language, status, category."""
        for node in self._pages(waba_id, "message_templates", nodes.TEMPLATE_FIELDS, **filters):
            yield nodes.template_node(node)

    def template(self, template_id: str) -> TemplateNode:
        """A template in one language."""
        return nodes.template_node(self.get(quote(template_id, safe=""), fields=nodes.TEMPLATE_FIELDS))

    def create_template(self, waba_id: str, template: Mapping[str, object]) -> TemplateNode:
        """Create a template from name, language, category and components; the answer has id, status and category."""
        return nodes.template_node(self.post(f"{quote(waba_id, safe='')}/message_templates", template))

    def edit_template(self, template_id: str, changes: Mapping[str, object]) -> None:
        """Replace the components or the category of a template; Meta reviews it again."""
        self.post(quote(template_id, safe=""), changes)

    def delete_template(self, waba_id: str, name: str, template_id: str = "") -> None:
        """Delete a template in all languages, or the one with this id."""
        given = {"name": name, **({"hsm_id": template_id} if template_id else {})}
        self._call("DELETE", f"{quote(waba_id, safe='')}/message_templates", given)

    def subscribed_apps(self, waba_id: str) -> list[str]:
        """The ids of the apps that get the webhooks of a WABA."""
        answer = self.get(f"{quote(waba_id, safe='')}/subscribed_apps")
        apps = [nodes.child(each, "whatsapp_business_api_data") for each in nodes.elements(answer, "data")]
        return [nodes.text(app, "id") for app in apps]

    def subscribe_app(self, waba_id: str) -> None:
        """Have the token's app get the webhooks of a WABA. Repeating it is harmless."""
        self.post(f"{quote(waba_id, safe='')}/subscribed_apps", {})

    def subscriptions(self, app_id: str) -> list[Subscription]:
        """The app's webhook subscriptions for WhatsApp accounts. The token must be the app's own: `id|secret`."""
        found = nodes.elements(self.get(f"{quote(app_id, safe='')}/subscriptions"), "data")
        return [nodes.subscription(each) for each in found if nodes.text(each, "object") == WEBHOOK_OBJECT]

    def subscribe(self, app_id: str, callback_url: str, verify_token: str, fields: Sequence[str]) -> None:
        """Set the app's callback for WhatsApp accounts, after Meta's handshake with it. With the app's own token."""
        given = {"object": WEBHOOK_OBJECT, "callback_url": callback_url, "verify_token": verify_token}
        self.post(f"{quote(app_id, safe='')}/subscriptions", {**given, "fields": ",".join(fields)})

    def get(self, path: str, **query: str) -> object:
        """The JSON of a node or an edge."""
        return self._call("GET", path, query)

    def post(self, path: str, body: Mapping[str, object]) -> object:
        """The JSON answer to a POST."""
        return self._call("POST", path, {}, body)

    def _pages(self, node_id: str, edge: str, fields: str, **filters: str) -> Iterator[object]:
        """All elements of an edge. Pages are followed by their cursor, never by a URL of the answer."""
        path, after = f"{quote(node_id, safe='')}/{edge}", ""
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            position = {"after": after} if after else {}
            page = self.get(path, fields=fields, limit=str(PAGE), **filters, **position)
            if not isinstance(nodes.child(page, "data"), list):
                break
            yield from nodes.elements(page, "data")
            paging = nodes.child(page, "paging")
            after = nodes.text(nodes.child(paging, "cursors"), "after")
            if not nodes.child(paging, "next"):
                return
            if not after or after in seen:
                break
            seen.add(after)
        raise OutcomeUnknown(title="a list whose pages do not end")

    def _call(self, method: str, path: str, query: Mapping[str, str], body: object = None) -> object:
        url = f"{self._base}/{path}"
        connections.current.begin(self._total_timeout, self._timeouts[1])
        try:
            status, answer, headers = self._exchange(method, f"{url}?{urlencode(query)}" if query else url, body)
        except _FAILURES as error:
            title = type(error).__name__
            failure: WhatsAppError = (
                OutcomeUnknown(title=title) if connections.current.may_have_left else NotSent(title=title)
            )
        else:
            if 200 <= status < 300 and isinstance(answer, dict):  # noqa: PLR2004 - the class of HTTP statuses itself
                return answer
            failure = from_response(status, answer, headers)
        # Raised outside of the handler: the original exception references the request, which holds the token.
        raise failure

    def _exchange(self, method: str, url: str, body: object) -> tuple[int, object, Mapping[str, str]]:
        payload = None if body is None else json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"} if payload is not None else {}
        request = self._session.prepare_request(requests.Request(method, url, headers=headers, data=payload))
        with self._session.send(request, timeout=self._timeouts, allow_redirects=False, stream=True) as response:
            content = cast(bytes, response.raw.read(MAX_ANSWER + 1))
            if len(content) > MAX_ANSWER:
                raise ValueError("the answer is too large")
            return response.status_code, _parsed(content), response.headers


def _parsed(content: bytes) -> object:
    try:
        return storable(value_of(content, GRAPH_PAGE))
    except ValueError:
        return None
