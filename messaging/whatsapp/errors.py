"""Errors of the Cloud API, by the reaction that they need.

    WhatsAppError(code, subcode, title, details, fbtrace_id, http_status)
    ├─ NotSent           nothing left us: refused, DNS, TLS      → retry soon
    ├─ Throttled         app | number | pair | template, a wait  → that scope waits
    ├─ Unavailable       an explicit temporary refusal, a wait   → retry with back-off
    ├─ OutcomeUnknown    answer lost, or any 5xx                 → may have gone out: never a blind retry
    ├─ Rejected          this message can never go               → failed (one code: once more, a day later)
    └─ Misconfigured     number | account | app                  → pause it, alert

The facts about each code are in `error_codes.py`. How often and when to retry is decided by the caller, not here.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from messaging.retry_after import seconds_of
from messaging.whatsapp.error_codes import CODES, Code, Kind, Scope, describe, lookup
from messaging.whatsapp.json_text import ANSWER, value_of
from messaging.whatsapp.storable import storable_text

__all__ = [
    "CODES",
    "Code",
    "Kind",
    "Misconfigured",
    "NotSent",
    "OutcomeUnknown",
    "Rejected",
    "Scope",
    "StatusError",
    "Throttled",
    "Unavailable",
    "WhatsAppError",
    "describe",
    "from_failed_status",
    "from_response",
    "from_status_error",
    "lookup",
    "mask",
]

DEFAULT_WAIT = 10.0
# An hour. Longer waits would let one answer stop a number or an app for days.
MAX_WAIT = 3600.0
_MAX_TEXT = 1000
_INT32 = 2**31
# Phone numbers, also with separators; wamids (they hold a phone number); long opaque words (Graph quotes bad tokens).
_PRIVATE = re.compile(r"wamid\.\S+|[A-Za-z0-9_|-]{32,}|\+?\d(?:[ ().-]{0,2}\d){6,}")
_CODE_PREFIX = re.compile(r"^\(#\d+\)\s*")
_TOO_MANY_REQUESTS = 429
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


class Facts(TypedDict, total=False):
    """Fields of Meta's answer."""

    code: int | None
    subcode: int | None
    title: str
    details: str
    fbtrace_id: str
    http_status: int | None


class WhatsAppError(Exception):
    """A send that did not succeed. `str()` is made of our own words: no token, no text, no phone number.

    `title` and `details` are Meta's words, masked and cut to 1,000 characters each. `http_status` is None where no
    answer came. Every argument has a default, so that an instance survives pickling.
    """

    summary = "the send did not succeed"

    def __init__(self, **facts: Unpack[Facts]) -> None:
        super().__init__()
        self.code = facts.get("code")
        self.subcode = facts.get("subcode")
        self.title = mask(facts.get("title", ""))
        self.details = mask(facts.get("details", ""))
        self.fbtrace_id = facts.get("fbtrace_id", "")
        self.http_status = facts.get("http_status")

    def __str__(self) -> str:
        parts = (
            f"{self.code}: {describe(self.code)}" if self.code is not None else self.summary,
            f"HTTP {self.http_status}" if self.http_status is not None else "",
            f"fbtrace {self.fbtrace_id}" if self.fbtrace_id else "",
        )
        return ", ".join(part for part in parts if part)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class NotSent(WhatsAppError):
    """Nothing left us: the connection was refused or timed out, or DNS or TLS failed before the request."""

    summary = "nothing was sent"


class Throttled(WhatsAppError):
    """Meta asks for a pause: `scope` has to wait `wait` seconds, `growth` times more each time in a row."""

    summary = "too many requests"

    def __init__(
        self, *, scope: Scope = Scope.NUMBER, wait: float = DEFAULT_WAIT, growth: float = 2.0, **facts: Unpack[Facts]
    ) -> None:
        super().__init__(**facts)
        self.scope = scope
        self.wait = wait
        self.growth = growth


class Unavailable(WhatsAppError):
    """Meta refused for now; the message certainly did not go. `wait` is in seconds."""

    summary = "refused for now"

    def __init__(self, *, wait: float = DEFAULT_WAIT, **facts: Unpack[Facts]) -> None:
        super().__init__(**facts)
        self.wait = wait


class OutcomeUnknown(WhatsAppError):
    """The request may have been carried out: sending again may send twice."""

    summary = "the outcome is unknown"


class Rejected(WhatsAppError):
    """Meta rejects this message. `wait`: seconds after which it may be offered once more; 0: it can never go."""

    summary = "the message was rejected"

    def __init__(self, *, wait: float = 0.0, **facts: Unpack[Facts]) -> None:
        super().__init__(**facts)
        self.wait = wait


class Misconfigured(WhatsAppError):
    """The set-up needs a person: nothing of `scope` (number, account or app) can be sent until then."""

    summary = "the set-up is wrong"

    def __init__(self, *, scope: Scope = Scope.ACCOUNT, **facts: Unpack[Facts]) -> None:
        super().__init__(**facts)
        self.scope = scope


@dataclass(frozen=True, slots=True)
class StatusError:
    """An error that a webhook reports about a message; texts are masked."""

    code: int | None
    title: str
    details: str


def from_response(http_status: int, body: object, headers: Mapping[str, str]) -> WhatsAppError:
    """The error for an answer that is not a success; never raises, whatever the body is.

    Any 5xx is OutcomeUnknown, whatever its code, and so is what is neither 4xx nor 5xx: the message may have gone out.
    """
    facts = _facts(body)
    facts["http_status"] = http_status
    if not _CLIENT_ERROR <= http_status < _SERVER_ERROR:
        return OutcomeUnknown(**facts)
    entry = lookup(facts.get("code"), facts.get("subcode"))
    retry_after = _retry_after(headers)
    if entry is not None:
        return _known(entry, retry_after, facts)
    if http_status == _TOO_MANY_REQUESTS:
        return Throttled(scope=Scope.NUMBER, wait=retry_after or DEFAULT_WAIT, **facts)
    return Unavailable(wait=retry_after or DEFAULT_WAIT, **facts)


def from_failed_status(code: int | None, title: str) -> WhatsAppError:
    """The error for a status `failed`: Meta took the message and then gave it up.

    A code that the table does not have, or none, is Rejected: nothing says that another try would do better.
    """
    facts = Facts(code=code, title=title)
    entry = lookup(code)
    return _known(entry, None, facts) if entry else Rejected(**facts)


def from_status_error(error: object) -> StatusError:
    """One element of a webhook's `errors`, of any shape; never raises."""
    facts = _facts({"error": error})
    return StatusError(facts.get("code"), mask(facts.get("title", "")), mask(facts.get("details", "")))


def mask(text: str) -> str:
    """The text without phone numbers, wamids and tokens, storable, at most 1,000 characters."""
    return _PRIVATE.sub("…", storable_text(text[: 2 * _MAX_TEXT]))[:_MAX_TEXT]


def _known(entry: Code, retry_after: float | None, facts: Facts) -> WhatsAppError:
    if entry.kind is Kind.THROTTLED:
        scope = entry.scope or Scope.NUMBER
        return Throttled(scope=scope, wait=retry_after or entry.wait, growth=entry.growth, **facts)
    if entry.kind is Kind.UNAVAILABLE:
        return Unavailable(wait=retry_after or entry.wait, **facts)
    if entry.kind is Kind.MISCONFIGURED:
        return Misconfigured(scope=entry.scope or Scope.ACCOUNT, **facts)
    return Rejected(wait=entry.wait, **facts)


def _facts(body: object) -> Facts:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return Facts(title=error) if isinstance(error, str) else Facts()
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    message = _text(error.get("message")) or _text(error.get("title"))
    return Facts(
        code=_integer(error.get("code")),
        subcode=_integer(error.get("error_subcode")),
        title=_CODE_PREFIX.sub("", _text(error.get("error_user_title")) or message),
        # Webhooks of 2022 have `details` beside the code.
        details=_text(details) or _text(error.get("details")) or _text(error.get("error_user_msg")),
        fbtrace_id="".join(re.findall(r"[A-Za-z0-9_-]", _text(error.get("fbtrace_id"))[:64])),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: object) -> int | None:
    """A code as Meta writes it, or as text; None for what no database integer holds."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_INT32 <= value < _INT32 else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks us to wait, at most an hour; None where it asks for nothing usable.

    `Retry-After` has seconds or a date; `X-Business-Use-Case-Usage` has minutes, per business and kind of call:
    https://developers.facebook.com/docs/graph-api/overview/rate-limiting#headers-2
    """
    lower = {name.lower(): value for name, value in headers.items()}
    seconds = seconds_of(lower.get("retry-after", ""), time.time()) or _usage_seconds(
        lower.get("x-business-use-case-usage", "")
    )
    return min(seconds, MAX_WAIT) if seconds > 0 else None


def _usage_seconds(value: str) -> float:
    try:
        usage = value_of(value, ANSWER)
    except ValueError:
        return 0.0
    lists = usage.values() if isinstance(usage, dict) else ()
    entries = [entry for listed in lists if isinstance(listed, list) for entry in listed if isinstance(entry, dict)]
    minutes = [_integer(entry.get("estimated_time_to_regain_access")) or 0 for entry in entries]
    return 60.0 * max(minutes, default=0)
