"""Meta's refusals of changes of templates, as an HTTP status, a field and a sentence."""

import re

from messaging.whatsapp.errors import Misconfigured, NotSent, OutcomeUnknown, Throttled, WhatsAppError, lookup

BAD_REQUEST, NOT_FOUND, CONFLICT, UNAVAILABLE = 400, 404, 409, 503
# A retry sooner than this finds Meta as it is.
AGAIN_IN_S = 5
# Subcodes of code 100, and the field that they are about.
_EXISTS, _TOO_MANY = 2388024, 2388019
# No template has this name; no object has this id, or the token may not see it.
_GONE = frozenset({2593002, 33})
_FIELDS_OF_SUBCODES = {_EXISTS: "name", _TOO_MANY: "account"}
# Meta names a parameter in a sentence, or the type of a component.
_FIELDS = (
    (re.compile(r"\b(?:HEADER|BODY|FOOTER|BUTTONS?|CAROUSEL)\b|components?\b"), "components"),
    (re.compile(r"\blanguage\b", re.IGNORECASE), "language"),
    (re.compile(r"\bcategory\b", re.IGNORECASE), "category"),
    (re.compile(r"\bname\b", re.IGNORECASE), "name"),
)
_PLACE = re.compile(r"\bcomponents(?:\[\d+\]|\.\w+)+")
DETAIL = "detail"


class ChangeRefused(Exception):
    """A change of a template that was not made: the HTTP status of our answer, the field and a sentence.

    `retry_after_s` is set where the same request may succeed later. `is_unknown`: it may have been carried out.
    """

    def __init__(
        self, status: int, field: str, message: str, retry_after_s: int | None = None, *, is_unknown: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.message = message
        self.retry_after_s = retry_after_s
        self.is_unknown = is_unknown


def refusal_of(error: WhatsAppError) -> ChangeRefused:
    """The refusal for an error of the Graph API."""
    if isinstance(error, OutcomeUnknown):
        message = "WhatsApp's answer was lost: the change may have been made. Read the template before you repeat it."
        return ChangeRefused(UNAVAILABLE, DETAIL, message, AGAIN_IN_S, is_unknown=True)
    if isinstance(error, NotSent):
        return ChangeRefused(UNAVAILABLE, DETAIL, "WhatsApp cannot be reached; nothing was changed.", AGAIN_IN_S)
    if isinstance(error, Throttled) or _is_temporary(error):
        wait = max(AGAIN_IN_S, round(float(getattr(error, "wait", 0.0))))
        return ChangeRefused(UNAVAILABLE, DETAIL, f"WhatsApp takes no changes now: {_meta_message(error)}", wait)
    if error.subcode in _GONE:
        return ChangeRefused(NOT_FOUND, DETAIL, f"WhatsApp does not have it: {_meta_message(error)}")
    if isinstance(error, Misconfigured):
        message = (
            f"WhatsApp refuses this deployment: {_meta_message(error)}. "
            "An operator must check its set-up: manage.py doctor."
        )
        return ChangeRefused(CONFLICT, DETAIL, message)
    return ChangeRefused(BAD_REQUEST, _field(error), f"WhatsApp refused it: {_meta_message(error)}")


def _is_temporary(error: WhatsAppError) -> bool:
    """Whether a code that the table knows says so. An unknown code with a 4xx is a refusal of this very change."""
    return hasattr(error, "wait") and lookup(error.code, error.subcode) is not None and error.wait > 0


def _field(error: WhatsAppError) -> str:
    if error.subcode in _FIELDS_OF_SUBCODES:
        return _FIELDS_OF_SUBCODES[error.subcode]
    text = f"{error.title} {error.details}"
    if place := _PLACE.search(text):
        return place[0]
    return next((field for pattern, field in _FIELDS if pattern.search(text)), DETAIL)


def _meta_message(error: WhatsAppError) -> str:
    said = dict.fromkeys(part.rstrip(".") for part in (error.title, error.details) if part)
    code = f" (code {error.code})" if error.code is not None else ""
    return (": ".join(said) or str(error)) + code
