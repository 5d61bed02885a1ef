"""Meta's error codes: the meaning, class and retry wait of each. A table of facts.

Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
Meta asks callers to build on the code alone, not on title, subcode or HTTP status. The one subcode used here
tells "no such phone number" from "bad parameter", which share code 100.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MINUTE = 60.0
HOUR = 60 * MINUTE


class Scope(StrEnum):
    """The scope of a throttle or misconfiguration."""

    APP = "app"
    ACCOUNT = "account"
    NUMBER = "number"
    PAIR = "pair"
    TEMPLATE = "template"


class Kind(StrEnum):
    """The error class of a code; `errors.py` has one exception for each."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Code:
    """One code, or the codes from `code` to `last`.

    `wait` is in seconds: before the next try for a throttled or unavailable code; for a rejected one the least time
    before the same message may be offered once more (0: never as it is). `growth` multiplies the wait of
    a throttled code each time in a row.
    """

    code: int
    kind: Kind
    meaning: str
    scope: Scope | None = None
    wait: float = 0.0
    growth: float = 1.0
    last: int | None = None


def _throttled(code: int, scope: Scope, wait: float, meaning: str, growth: float = 1.0) -> Code:
    return Code(code, Kind.THROTTLED, meaning, scope=scope, wait=wait, growth=growth)


def _unavailable(code: int, wait: float, meaning: str) -> Code:
    return Code(code, Kind.UNAVAILABLE, meaning, wait=wait)


def _rejected(code: int, meaning: str, last: int | None = None, wait: float = 0.0) -> Code:
    return Code(code, Kind.REJECTED, meaning, wait=wait, last=last)


def _token(code: int, meaning: str, last: int | None = None) -> Code:
    # One token serves every number of its accounts.
    return Code(code, Kind.MISCONFIGURED, meaning, scope=Scope.APP, last=last)


def _account(code: int, meaning: str, last: int | None = None) -> Code:
    return Code(code, Kind.MISCONFIGURED, meaning, scope=Scope.ACCOUNT, last=last)


def _number(code: int, meaning: str, last: int | None = None) -> Code:
    return Code(code, Kind.MISCONFIGURED, meaning, scope=Scope.NUMBER, last=last)


_THROTTLED = (
    # Graph counts calls in a sliding hour, so a shorter pause is spent on more refusals.
    _throttled(4, Scope.APP, 5 * MINUTE, "the app made too many calls to Meta"),
    _throttled(613, Scope.APP, MINUTE, "too many calls of one kind to Meta"),
    _throttled(80007, Scope.ACCOUNT, 5 * MINUTE, "the business account made too many calls to Meta"),
    # Throughput is counted per second; two let the window pass whatever its phase.
    _throttled(130429, Scope.NUMBER, 2.0, "this number sends faster than Meta allows it to", growth=2.0),
    # Meta advises 4^X seconds. X starts at 1: the pace it allows is one message in 6 s, so 1 s comes too soon.
    _throttled(131056, Scope.PAIR, 4.0, "too many messages to this recipient in a short time", growth=4.0),
    # Meta pauses a template for 3 hours the first time, for 6 the second.
    _throttled(132015, Scope.TEMPLATE, 3 * HOUR, "the template is paused because of its quality"),
    _throttled(132069, Scope.TEMPLATE, HOUR, "the flow in the template is limited to 10 messages an hour"),
    _throttled(134101, Scope.TEMPLATE, 10 * MINUTE, "the template is not ready for marketing sends yet"),
)

_UNAVAILABLE = (
    _unavailable(1, 10.0, "Meta could not handle the request; it may be at fault or the request"),
    _unavailable(2, 10.0, "Meta's service is down or overloaded"),
    _unavailable(131000, 10.0, "Meta failed for a reason it does not give"),
    _unavailable(131016, 10.0, "a service inside Meta is unavailable"),
    # An upgrade of a number's throughput takes up to a minute.
    _unavailable(131057, MINUTE, "the number is in maintenance, often an upgrade of its throughput"),
    _unavailable(133004, 10.0, "Meta's registration server is unavailable"),
    _unavailable(133015, 5 * MINUTE, "the number was deleted a moment ago and is not free yet"),
)

_ACCOUNT = (
    _token(0, "Meta does not accept the access token"),
    _token(3, "the app lacks the capability or permission for this call"),
    _token(10, "the app's permission is missing or was withdrawn"),
    _token(200, "the app's permission is missing or was withdrawn", last=299),
    _token(190, "the access token has expired or was revoked"),
    _account(368, "the business account is blocked for breaking a policy"),
    _account(131005, "the access token has no right to this account"),
    _account(131031, "the business account is locked, or its PIN data are wrong"),
    _account(131042, "a payment is due or the payment method fails"),
    _account(131044, "a payment is due or the payment method fails (calls)"),
    _account(131064, "the account is limited because its templates were filed under a wrong category"),
    _account(134102, "the marketing API is not open to this account"),
)

_NUMBER = (
    _number(33, "the business number was deleted"),
    _number(131037, "the number needs an approved display name first"),
    _number(131045, "the number is not registered correctly"),
    # Not a throttle: it lasts for hours to days, and going on makes it worse. A person has to look.
    _number(131048, "too many recipients blocked or reported this number; Meta limits it"),
    _number(133000, "an earlier deregistration of the number is unfinished"),
    _number(133005, "the two-step PIN is wrong"),
    _number(133006, "the number has to be verified again"),
    _number(133008, "too many wrong two-step PINs"),
    _number(133009, "the two-step PIN was tried too fast"),
    _number(133010, "the number is not registered with the Cloud API"),
    _number(133016, "the number was registered too often; it is locked for 72 hours"),
    _number(133000, "the number's registration has a problem", last=133999),
)

_REJECTED = (
    _rejected(100, "a parameter is unknown, misspelt or too long"),
    _rejected(130403, "we blocked this user"),
    _rejected(130472, "the user is in an experiment of Meta's and gets no marketing"),
    _rejected(130497, "messages to this country are not allowed for this account"),
    _rejected(130501, "this type of message does not go to groups"),
    _rejected(131008, "a required parameter is missing"),
    _rejected(131009, "a parameter has a wrong value"),
    _rejected(131021, "the recipient is the sending number itself"),
    _rejected(131026, "not deliverable: no WhatsApp user, terms not accepted, or an old app"),
    _rejected(131030, "a test number only reaches the recipients on its list"),
    _rejected(131047, "more than 24 hours since the user wrote: only a template may go"),
    # Meta: wait a day at least; asking sooner prolongs the cap.
    _rejected(131049, "Meta's own cap on marketing for this user; wait 24 hours or more", wait=24 * HOUR),
    _rejected(131050, "the user has stopped marketing from this business"),
    _rejected(131051, "this type of message is not supported"),
    _rejected(131052, "the user's media could not be fetched"),
    _rejected(131053, "our media could not be used: wrong type, too large, or its link failed"),
    _rejected(131055, "only marketing templates go through the marketing API"),
    _rejected(131058, "hello_world can only be sent from Meta's test numbers: use a template of your own"),
    _rejected(131060, "the incoming message cannot be shown"),
    _rejected(131062, "this message needs a phone number, a user id is not enough"),
    _rejected(131063, "marketing templates have to go through the marketing API"),
    _rejected(132000, "the number of template parameters does not fit"),
    _rejected(132001, "no such template, or not approved in this language"),
    _rejected(132005, "the template's text is too long with its parameters"),
    _rejected(132007, "the template's content breaks a policy"),
    _rejected(132008, "a template parameter has a wrong value"),
    _rejected(132012, "a template parameter has a wrong format"),
    _rejected(132016, "the template is disabled for good"),
    _rejected(132018, "the template's parameters do not pass Meta's check"),
    _rejected(132068, "the flow in the template is blocked"),
    _rejected(134011, "the terms of payments are not accepted"),
    _rejected(134100, "the template is not a marketing template"),
    _rejected(135000, "Meta refused the request without a closer reason"),
    _rejected(137000, "the recipient's identity has changed"),
    _rejected(139100, "blocking or unblocking this user failed", last=139103),
    _rejected(147001, "the username is not possible", last=147005),
)

# What the Marketing Messages API does not take: the message itself is fine for the Cloud API. Meta answers the last one
# with a 500; yet an API that is not open to the account has sent nothing.
NOT_FOR_MARKETING_API = frozenset({131055, 134100, 134102})

_UNKNOWN_OBJECT = _number(100, "Meta knows no such phone number, or the token may not see it")
_UNKNOWN_OBJECT_SUBCODE = 33


def _all() -> Iterable[Code]:
    return (*_THROTTLED, *_UNAVAILABLE, *_ACCOUNT, *_NUMBER, *_REJECTED)


CODES: dict[int, Code] = {entry.code: entry for entry in _all() if entry.last is None}
RANGES: tuple[Code, ...] = tuple(entry for entry in _all() if entry.last is not None)


def lookup(code: int | None, subcode: int | None = None) -> Code | None:
    """The table's entry for a code, the exact one before a range; None where the table has none."""
    if code is None:
        return None
    if code == _UNKNOWN_OBJECT.code and subcode == _UNKNOWN_OBJECT_SUBCODE:
        return _UNKNOWN_OBJECT
    in_range = (entry for entry in RANGES if entry.last is not None and entry.code <= code <= entry.last)
    return CODES.get(code) or next(in_range, None)


def describe(code: int | None) -> str:
    """An operator's words for a code, known or not."""
    if code is None:
        return "no error code was given"
    entry = lookup(code)
    return entry.meaning if entry else f"an error code that is not in the table ({code})"
