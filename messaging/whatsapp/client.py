"""A client for the Cloud API's messages endpoint, with one exception class for each reaction to a failure.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import urllib3

from messaging.whatsapp import connections
from messaging.whatsapp.errors import NotSent, OutcomeUnknown, WhatsAppError, from_response
from messaging.whatsapp.json_text import ANSWER, value_of
from messaging.whatsapp.storable import storable

# A success is about 300 bytes, an error about 1,000.
MAX_ANSWER = 256 * 1024
MAX_WAMID = 512
MESSAGES, MARKETING_MESSAGES = "messages", "marketing_messages"
# Values of `message_status` of a template message that Meta has taken and does not deliver yet: pacing, which ends in
# its delivery or in a `failed` with 132015, and a pause of the delivery.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-pacing
HELD_BY_META = frozenset({"held_for_quality_assessment", "paused"})
_HEADER_SAFE = re.compile(r"[\x21-\x7e]*")
_FAILURES = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta accepted the message; it is not delivered yet.

    `wa_id` comes for a send to a phone number and may differ from it, `user_id` for a send to a BSUID.
    `message_status` is ``accepted``, ``held_for_quality_assessment``, ``paused`` or absent.
    """

    wamid: str
    wa_id: str | None
    user_id: str | None
    message_status: str | None

    @property
    def is_held(self) -> bool:
        """Whether Meta keeps it back for now. A status follows in any case; it must not be sent again."""
        return self.message_status in HELD_BY_META


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: object
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of HTTP statuses itself


class CloudApi:
    """A client with one access token; thread-safe. Create it after a fork, not before.

    Timeouts are in seconds. `connect_timeout` holds for one address of the host and for the TLS handshake,
    `read_timeout` for each wait for bytes, `total_timeout` for the whole call; what it leaves beside the read timeout
    is shared by all addresses of the host. Only the system's own time for a DNS
    lookup is outside of them; a lookup or connect so slow that no full read timeout is left sends nothing.

    `ca_certs` is a file with the trusted roots; None: those of certifi.

    Raises ValueError for a URL or a token that no request could be made with.
    """

    def __init__(
        self,
        graph_url: str,
        version: str,
        access_token: str,
        *,
        pool_size: int = 200,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        total_timeout: float = 20.0,
        ca_certs: str | None = None,
    ) -> None:
        parts = urlsplit(graph_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the Graph URL must be http(s)://host")
        if not _HEADER_SAFE.fullmatch(access_token):
            raise ValueError("the access token has characters that cannot stand in a header, such as a line break")
        self._base = f"{graph_url.rstrip('/')}/{quote(version, safe='')}"
        self._path = urlsplit(self._base).path
        self._timeout = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._read_timeout = read_timeout
        self._total_timeout = total_timeout
        # urllib3 without requests around it, which took a quarter of a call's CPU.
        self._pool = connections.pool(self._base, pool_size, ca_certs)
        self._headers = {
            "Authorization": f"Bearer {access_token}",
            "Content-Type": "application/json",
            # No compression: an answer's size on the wire is then its size in memory.
            "Accept-Encoding": "identity",
        }

    def __repr__(self) -> str:
        return f"CloudApi({self._base!r})"

    def send(self, phone_number_id: str, body: Mapping[str, object], *, marketing: bool = False) -> Accepted:
        """Sends one message; `body` is what `outbound.build` makes. `marketing`: by the Marketing Messages API.

        Raises NotSent when nothing left us, OutcomeUnknown when the answer was lost, unreadable or a 5xx, and the
        other classes of `errors` for what Meta refused. Nothing else, for a body that is JSON.
        """
        answer = self._post(phone_number_id, body, MARKETING_MESSAGES if marketing else MESSAGES)
        if not answer.is_success:
            raise from_response(answer.status, answer.body, answer.headers)
        accepted = _accepted(answer.body)
        if accepted is None:
            raise OutcomeUnknown(http_status=answer.status, title="a success without a message id")
        return accepted

    def mark_read(self, phone_number_id: str, wamid: str, typing: bool = False) -> None:
        """Marks an incoming message, and those before it, as read; `typing` shows an indicator for up to 25 s.

        Raises as `send` does. Repeating it is harmless.
        """
        body: dict[str, object] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        answer = self._post(phone_number_id, body)
        if not answer.is_success:
            raise from_response(answer.status, answer.body, answer.headers)
        if not isinstance(answer.body, dict) or answer.body.get("success") is not True:
            raise OutcomeUnknown(http_status=answer.status, title="a success that does not say so")

    def close(self) -> None:
        """Closes the idle connections."""
        self._pool.close()

    def _post(self, phone_number_id: str, body: Mapping[str, object], edge: str = MESSAGES) -> _Answer:
        path = f"{self._path}/{quote(phone_number_id, safe='')}/{edge}"
        payload = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        connections.current.begin(self._total_timeout, self._read_timeout)
        try:
            return self._exchange(path, payload)
        except _FAILURES as error:
            failure = _failure(error)
        # Raised outside of the handler: the original exception references the request, which holds the token.
        raise failure

    def _exchange(self, path: str, payload: bytes) -> _Answer:
        response = self._pool.urlopen(
            "POST",
            path,
            payload,
            self._headers,
            redirect=False,
            assert_same_host=False,
            timeout=self._timeout,
            preload_content=False,
        )
        try:
            content = response.read(MAX_ANSWER + 1)
        finally:
            # A response that was read to its end has returned its connection to the pool; any other closes it.
            response.close()
        if len(content) > MAX_ANSWER:
            raise ValueError("the answer is too large")
        return _Answer(response.status, _parsed(content), response.headers)


def _failure(error: Exception) -> WhatsAppError:
    """The error of a broken call, by whether bytes may have left. Holds the exception's type, never its text."""
    title = type(error).__name__
    return OutcomeUnknown(title=title) if connections.current.may_have_left else NotSent(title=title)


def _parsed(content: bytes) -> object:
    try:
        return storable(value_of(content, ANSWER))
    except ValueError:
        return None


def _accepted(body: object) -> Accepted | None:
    message = _first(body, "messages")
    wamid = _text(message, "id")
    if wamid is None or len(wamid) > MAX_WAMID:
        return None
    contact = _first(body, "contacts")
    return Accepted(wamid, _text(contact, "wa_id"), _text(contact, "user_id"), _text(message, "message_status"))


def _first(body: object, name: str) -> object:
    elements = body.get(name) if isinstance(body, dict) else None
    return elements[0] if isinstance(elements, list) and elements else None


def _text(node: object, name: str) -> str | None:
    value = node.get(name) if isinstance(node, dict) else None
    return value if isinstance(value, str) and value else None
