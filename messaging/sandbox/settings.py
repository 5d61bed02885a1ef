"""The sandbox's settings: the number that it plays (fixed) and its behaviour (changeable while it runs)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any

MAX_MS = 120_000
# A status may come a day late: the phone was off.
MAX_STATUS_DELAY_MS = 24 * 3600 * 1000
MAX_THROUGHPUT = 100_000
MAX_BATCH = 1000
MAX_MESSAGING_LIMIT = 10_000_000
MAX_PAIR_BURST_S = 3600
MAX_TEMPLATES = 20_000
MAX_WINDOW_S = 7 * 24 * 3600
STATUSES = ("sent", "delivered", "read")


class WindowRule(StrEnum):
    """What happens to a free-form message without an open customer service window."""

    OFF = "off"  # it is sent, as if the user had written
    REFUSE = "refuse"  # it is refused
    FAIL = "fail"  # it is accepted, and reported failed by webhook


class Verdict(StrEnum):
    """The outcome of a template's review."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    PENDING = "PENDING"  # it is never reviewed


class InputError(ValueError):
    """An invalid value for the sandbox's own endpoints or options; ``field`` names it."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Identity:
    """The business number that the sandbox plays, its secrets, and the URL that its webhooks go to."""

    phone_number_id: str
    display_phone_number: str
    waba_id: str
    webhook_url: str
    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)
    # Ids of further business numbers, which differ from the first in nothing else.
    other_numbers: tuple[str, ...] = ()
    app_id: str = "670843887433847"

    def has(self, phone_number_id: str) -> bool:
        """Whether this is one of its business numbers."""
        return phone_number_id == self.phone_number_id or phone_number_id in self.other_numbers


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Times in milliseconds.

    ``answer_ms`` is the range of the answer time of an accepted send. ``status_delays_ms`` are the moments of
    sent, delivered and read, each counted from acceptance (not from the status before). ``read``: users read;
    ``played``: they play the voice messages that they read.

    Meta's limits: ``throughput`` is a number's messages in any second; 0 for no limit. ``throughputs`` has those of
    single numbers, by their ids. ``pair_limit``: one message to a user in 6 s, and up to 45 on credit within
    ``pair_burst_seconds``. ``messaging_limit``: users a day who get a message outside of their customer service
    windows, over all numbers; 0 for no limit. ``marketing_api``: whether the Marketing Messages API is open to the
    account; else it refuses with 134102. ``throttle_status`` is the HTTP status of such refusals, which was 400
    at times. ``window``: see WindowRule. ``free_service_messages``: a month, of each number. A template that is
    created or edited gets its ``template_verdict`` after ``template_review_ms``. ``template_limit``: templates of the
    account; Meta allows 250 to most, and 6,000 to verified businesses.

    Statuses, each a share of the messages from 0 to 1: ``sent_before_failed`` of those that fail get ``sent`` first;
    ``delivered_after_failed`` of those that fail are reported ``delivered`` later, as for a user with several phones;
    ``skip_delivered`` of those that are read get no ``delivered``; ``status_before_answer`` get the webhook of
    ``sent`` before the send is answered.

    Webhooks: ``webhook_copies`` is the share that comes twice, 0 to 1; ``webhook_milliseconds`` the share whose
    timestamps are in milliseconds, as Meta was seen to send them; ``webhook_delay_ms`` the range of the wait
    before each, which mixes their order; up to ``webhook_batch`` updates that come within ``webhook_batch_ms`` share
    a POST.
    """

    answer_ms: tuple[int, ...] = (150, 600)
    status_delays_ms: tuple[int, ...] = (100, 300, 600)
    read: bool = True
    played: bool = True
    throughput: int = 80
    throughputs: Mapping[str, int] = field(default_factory=dict)
    pair_limit: bool = True
    pair_burst_seconds: int = 6
    messaging_limit: int = 0
    marketing_api: bool = True
    throttle_status: int = HTTPStatus.TOO_MANY_REQUESTS
    window: WindowRule = WindowRule.OFF
    window_seconds: int = 24 * 3600
    template_review_ms: int = 1000
    template_verdict: Verdict = Verdict.APPROVED
    template_limit: int = 250
    free_service_messages: int = 1000
    sent_before_failed: float = 0.0
    delivered_after_failed: float = 0.0
    skip_delivered: float = 0.0
    status_before_answer: float = 0.0
    webhook_copies: float = 0.0
    webhook_milliseconds: float = 0.0
    webhook_delay_ms: tuple[int, ...] = (0, 0)
    webhook_batch: int = 1
    webhook_batch_ms: int = 200

    def __post_init__(self) -> None:
        for name in ("answer_ms", "webhook_delay_ms"):
            _check_range(name, getattr(self, name))
        _check_milliseconds("status_delays_ms", self.status_delays_ms, len(STATUSES), MAX_STATUS_DELAY_MS)
        for name in ("read", "played", "pair_limit", "marketing_api"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(name, "must be true or false")
        for name, (least, most) in _WHOLE.items():
            _check_whole(name, getattr(self, name), least, most)
        _check_throughputs(self.throughputs)
        if self.window not in list(WindowRule):
            raise InputError("window", f"must be {', '.join(WindowRule)}")
        if self.template_verdict not in list(Verdict):
            raise InputError("template_verdict", f"must be {', '.join(Verdict)}")
        for name in _SHARES:
            _check_share(name, getattr(self, name))

    def throughput_of(self, phone_number_id: str) -> int:
        """Messages a second of this number; 0 for no limit."""
        return self.throughputs.get(phone_number_id, self.throughput)

    def changed(self, changes: dict[str, Any]) -> Behaviour:
        """A copy with some settings replaced, from JSON. Raises InputError."""
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()
        }
        unknown = given.keys() - self.__dataclass_fields__.keys()
        if unknown:
            raise InputError(min(unknown), "no such setting")
        return replace(self, **given)

    def as_json(self) -> dict[str, Any]:
        """The shape of GET and POST /_sandbox/settings."""
        values = ((given.name, getattr(self, given.name)) for given in fields(self))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


_SHARES = (
    *("sent_before_failed", "delivered_after_failed", "skip_delivered", "status_before_answer"),
    *("webhook_copies", "webhook_milliseconds"),
)
# The whole numbers among the settings, with their bounds.
_WHOLE = {
    "throughput": (0, MAX_THROUGHPUT),
    "throttle_status": (400, 429),
    "pair_burst_seconds": (1, MAX_PAIR_BURST_S),
    "messaging_limit": (0, MAX_MESSAGING_LIMIT),
    "free_service_messages": (0, MAX_MESSAGING_LIMIT),
    "window_seconds": (1, MAX_WINDOW_S),
    "template_review_ms": (0, MAX_MS),
    "template_limit": (1, MAX_TEMPLATES),
    "webhook_batch": (1, MAX_BATCH),
    "webhook_batch_ms": (1, MAX_MS),
}


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    # An HTTPStatus is an int, and true is one too.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(name, f"must be a whole number from {least} to {most}")


def _check_share(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(name, "must be a number from 0 to 1")


def _check_throughputs(values: object) -> None:
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise InputError("throughputs", "must be an object of messages a second by phone number id")
    for name, value in values.items():
        _check_whole(f"throughputs.{name}", value, 0, MAX_THROUGHPUT)


def _check_range(name: str, values: Any) -> None:
    _check_milliseconds(name, values, 2)
    if values[0] > values[1]:
        raise InputError(name, "the first number must not exceed the second")


def _check_milliseconds(name: str, values: object, count: int, most: int = MAX_MS) -> None:
    if not isinstance(values, tuple) or len(values) != count:
        raise InputError(name, f"must be {count} whole numbers of milliseconds")
    if not all(type(value) is int and 0 <= value <= most for value in values):
        raise InputError(name, f"each number must be whole, from 0 to {most}")


def messaging_tier(behaviour: Behaviour) -> str:
    """Meta's word for the messaging limit."""
    thousands, rest = divmod(behaviour.messaging_limit, 1000)
    if not behaviour.messaging_limit:
        return "TIER_UNLIMITED"
    return f"TIER_{behaviour.messaging_limit}" if rest else f"TIER_{thousands}K"
