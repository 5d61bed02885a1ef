"""A client for the Cloud API's media endpoints: downloads and uploads with bounded time and memory.

A file is fetched in two steps: its id is looked up, which gives a URL that lives for five minutes, and that URL is
fetched with the token. Because of the token the URL may only lead to hosts that are known.
"""

import hashlib
import http.client
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from typing import IO, cast
from urllib.parse import quote, urljoin, urlsplit

import requests
import urllib3.exceptions

from messaging.whatsapp import connections
from messaging.whatsapp.errors import Misconfigured, Throttled, Unavailable, WhatsAppError, from_response, mask
from messaging.whatsapp.json_text import ANSWER, value_of
from messaging.whatsapp.media import is_mime_type
from messaging.whatsapp.storable import storable

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 20.0
LOOK_UP_TIMEOUT_S = 20.0
# A transfer has 30 s, and as long as its bytes take at 4 Mbit/s: 100 MB within the life of their URL.
TRANSFER_BASE_S, BYTES_PER_S = 30.0, 500_000
MAX_ANSWER = 256 * 1024
CHUNK = 64 * 1024
MAX_REDIRECTS = 3
GONE_CODE, NO_SUCH_OBJECT_SUBCODE = 131052, 33
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)
_NO_ACCESS = {401, 403}
_NOT_THERE = {404, 410}


class TransferFailure(StrEnum):
    """Why a transfer failed, by the reaction that it needs."""

    # Meta does not have the file, or no longer.
    GONE = "gone"
    TOO_LARGE = "too_large"
    # The URL has expired: look the file up again.
    EXPIRED = "expired"
    # Meta throttles.
    THROTTLED = "throttled"
    # No connection, a timeout, a 5xx, an incomplete answer.
    UNAVAILABLE = "unavailable"
    # The token, a permission, or a host that is not allowed: an operator must act.
    MISCONFIGURED = "misconfigured"
    # Meta refuses this file.
    REFUSED = "refused"


class MediaError(Exception):
    """A failed transfer. `text` explains it, without URL, token or number; `wait_s`: the wait that Meta asks for."""

    def __init__(self, failure: TransferFailure, text: str, wait_s: float = 0.0) -> None:
        super().__init__(failure, text)
        self.failure, self.text, self.wait_s = failure, text, wait_s

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class FileInfo:
    """The answer to a look-up: a URL, valid for five minutes, and facts; empty or None where Meta omits them."""

    url: str
    mime_type: str
    sha256: str
    size: int | None


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A downloaded file."""

    size: int
    sha256: bytes


def transfer_timeout_s(most: int) -> float:
    """The deadline in seconds for a transfer of this many bytes."""
    return TRANSFER_BASE_S + most / BYTES_PER_S


def longest_download_s(most: int) -> float:
    """The longest time in seconds for a file of this many bytes: two look-ups, an expired URL and a download."""
    return 2 * LOOK_UP_TIMEOUT_S + READ_TIMEOUT_S + transfer_timeout_s(most)


class MediaApi:
    """A client with one access token; thread-safe. `hosts` may serve files, beside the host of the Graph API.

    Raises ValueError for a URL that no request could be made with.
    """

    def __init__(
        self, graph_url: str, version: str, access_token: str, hosts: Collection[str] = (), *, pool_size: int = 16
    ) -> None:
        parts = urlsplit(graph_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the Graph URL must be http(s)://host")
        self._base = f"{graph_url.rstrip('/')}/{quote(version, safe='')}"
        # The token travels over TLS only, unless the Graph URL itself is http.
        self._scheme = parts.scheme
        self._hosts = frozenset(host.lower() for host in (parts.hostname, *hosts))
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._session = connections.session(pool_size)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["Accept-Encoding"] = "identity"

    def __repr__(self) -> str:
        return f"MediaApi({self._base!r})"

    def look_up(self, media_id: str) -> FileInfo:
        """The URL and facts of a file. Raises MediaError."""
        if not media_id.strip("."):
            raise MediaError(TransferFailure.GONE, "The message has no media id.")
        with self._call("GET", f"{self._base}/{quote(media_id, safe='')}", LOOK_UP_TIMEOUT_S) as response:
            body = _json(response)
            if not response.ok:
                raise _error_of(response.status_code, body, response.headers)
        url, mime_type, digest = (_text(body, name) for name in ("url", "mime_type", "sha256"))
        if not url:
            raise MediaError(TransferFailure.UNAVAILABLE, "Meta's answer has no address.")
        return FileInfo(url, mime_type if is_mime_type(mime_type) else "", digest, _size(body))

    def fetch(self, url: str, into: IO[bytes], most: int) -> DownloadedFile:
        """Write the file to `into` in chunks, up to `most` bytes. Raises MediaError, and OSError from `into`."""
        for _ in range(MAX_REDIRECTS + 1):
            self._check(url)
            with self._call("GET", url, transfer_timeout_s(most)) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers["Location"])
                    continue
                if response.status_code in _NOT_THERE | _NO_ACCESS:
                    trouble = TransferFailure.EXPIRED
                    raise MediaError(trouble, f"The address was refused: answered {response.status_code}.")
                if not response.ok:
                    raise _error_of(response.status_code, _json(response), response.headers)
                return _copy(response, into, most)
        raise MediaError(TransferFailure.UNAVAILABLE, "The address leads from one to the next.")

    def upload(self, phone_number_id: str, content: IO[bytes], mime_type: str, filename: str) -> str:
        """Upload a file for use in messages; returns its id, which is valid for 30 days. Raises MediaError."""
        url = f"{self._base}/{quote(phone_number_id, safe='')}/media"
        boundary = secrets.token_hex(16)
        form = _Multipart(boundary, content, mime_type, filename)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        with self._call("POST", url, transfer_timeout_s(len(form)), form, headers) as response:
            body = _json(response)
            if not response.ok:
                raise _error_of(response.status_code, body, response.headers)
        media_id = _text(body, "id")
        if not media_id:
            raise MediaError(TransferFailure.UNAVAILABLE, "Meta's answer has no id.")
        return media_id

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
        except ValueError:
            host = ""
        if host not in self._hosts or "\\" in url or "@" in parts.netloc:
            name = mask(host) if host else "no host"
            message = f"Its address is at {name}, which is not among the hosts that the token may go to."
            raise MediaError(TransferFailure.MISCONFIGURED, message)
        if parts.scheme not in {self._scheme, "https"}:
            raise MediaError(TransferFailure.MISCONFIGURED, "Its address is without TLS: the token does not go there.")

    @contextmanager
    def _call(
        self,
        method: str,
        url: str,
        total_timeout: float,
        data: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        connections.current.begin(total_timeout, READ_TIMEOUT_S)
        failure: Exception | None = None
        try:
            with self._session.request(
                method,
                url,
                data=cast(bytes, data),
                headers={**self._headers, **(headers or {})},
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                yield response
        except _TargetError as error:
            failure = error.cause
        except _FAILURES as error:
            failure = MediaError(TransferFailure.UNAVAILABLE, _description(error))
        if failure is not None:
            # Raised outside of the handler: the original exception references the request, which holds the token.
            raise failure


class _TargetError(Exception):
    """Carries an error of the target file past the handlers of connection errors."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class _Multipart:
    """A multipart form with one file, streamed: requests would hold the whole file in memory."""

    def __init__(self, boundary: str, content: IO[bytes], mime_type: str, filename: str) -> None:
        safe = "".join(c if c.isalnum() or c in "._- " else "_" for c in filename)[:128] or "file"
        fields = {"messaging_product": "whatsapp", "type": mime_type}
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{safe}"\r\n'
            f"Content-Type: {mime_type}\r\n\r\n"
        )
        self._head, self._tail = head.encode(), f"\r\n--{boundary}--\r\n".encode()
        self._content = content
        content.seek(0, 2)
        self._size = content.tell()

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        self._content.seek(0)
        while piece := self._content.read(CHUNK):
            yield piece
        yield self._tail


def _copy(response: requests.Response, into: IO[bytes], most: int) -> DownloadedFile:
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > most:
        raise too_large(int(announced), most)
    size, digest = 0, hashlib.sha256()
    while piece := cast(bytes, response.raw.read(CHUNK)):
        size += len(piece)
        if size > most:
            raise too_large(size, most)
        digest.update(piece)
        try:
            into.write(piece)
        except OSError as error:
            raise _TargetError(error) from None
    return DownloadedFile(size, digest.digest())


def too_large(size: int, most: int) -> MediaError:
    """The error for a file of at least `size` bytes where `most` are allowed."""
    return MediaError(TransferFailure.TOO_LARGE, f"It has {size:,} bytes or more; {most:,} are taken of its kind.")


def _error_of(status: int, body: object, headers: Mapping[str, str]) -> MediaError:
    error = from_response(status, body, headers)
    message = f"Meta answered {error}." if error.code is not None else f"Meta answered {status}."
    if status in _NOT_THERE or error.code == GONE_CODE or error.subcode == NO_SUCH_OBJECT_SUBCODE:
        code = f", code {error.code}" if error.code is not None else ""
        return MediaError(TransferFailure.GONE, f"Meta does not have it (any more): answered {status}{code}.")
    return MediaError(_trouble_of(error), message, getattr(error, "wait", 0.0))


def _trouble_of(error: WhatsAppError) -> TransferFailure:
    match error:
        case Throttled():
            return TransferFailure.THROTTLED
        case Misconfigured():
            return TransferFailure.MISCONFIGURED
        case Unavailable():
            return TransferFailure.UNAVAILABLE
        case _ if error.http_status is not None and error.http_status < 500:  # noqa: PLR2004 - a 4xx
            return TransferFailure.REFUSED
        case _:
            return TransferFailure.UNAVAILABLE


def _description(error: Exception) -> str:
    call = connections.current
    if isinstance(error, requests.exceptions.SSLError) and not call.may_have_left:
        return "No connection: the certificate is not valid for this name."
    if not call.may_have_left:
        return "No connection: there is no way to it."
    return "It did not come in time." if call.remaining() <= 0 else "The connection broke."


def _json(response: requests.Response) -> object:
    content = cast(bytes, response.raw.read(MAX_ANSWER + 1))
    try:
        return storable(value_of(content, ANSWER)) if len(content) <= MAX_ANSWER else None
    except ValueError:
        return None


def _text(body: object, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return value if isinstance(value, str) else ""


def _size(body: object) -> int | None:
    """Meta's own sample has a number, its OpenAPI description a string."""
    text = _text(body, "file_size")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None  # noqa: PLR2004 - bytes
