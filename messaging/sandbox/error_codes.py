"""Meta's error codes, as its own tables name them: the title, and the HTTP status of an answer with the code.

The sandbox's own copy of the facts, so that a mistake in the pipeline's table shows up against it.
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

# Meta's older tables name the HTTP statuses; codes of 2025 and later have none there, and 400 is assumed.
_BAD_REQUEST = 400

_TITLES: dict[int, dict[int, str]] = {
    400: {
        1: "Invalid request or possible server error",
        33: "Parameter value is not valid",
        100: "Invalid parameter",
        613: "Calls to this API have exceeded the rate limit",
        130403: "Recipient is blocked by the business",
        130472: "User's number is part of an experiment",
        130501: "Message type is not supported in groups",
        131008: "Required parameter is missing",
        131009: "Parameter value is not valid",
        131021: "Recipient cannot be sender",
        131026: "Message undeliverable",
        131030: "Recipient phone number not in allowed list",
        131037: "Display name of the phone number needs approval",
        131042: "Business eligibility payment issue",
        131044: "Business eligibility payment issue for calls",
        131047: "Re-engagement message",
        131049: "This message was not delivered to maintain healthy ecosystem engagement",
        131050: "User has stopped marketing messages from this business",
        131051: "Unsupported message type",
        131052: "Media download error",
        131053: "Media upload error",
        131055: "Only marketing templates are supported",
        131060: "This message is unavailable",
        131062: "Business-scoped user ID recipients are not supported for this message",
        131063: "Marketing templates are disabled on Cloud API",
        131064: "Account limited because of template misclassification",
        132000: "Number of parameters does not match the expected number of params",
        132005: "Translated text too long",
        132007: "Template format character policy violated",
        132008: "Invalid template parameter value",
        132012: "Parameter format does not match format in the created template",
        132015: "Template is paused",
        132016: "Template is disabled",
        132018: "There is an issue with the parameters in your template",
        132068: "Flow is blocked",
        132069: "Flow is throttled",
        133005: "Two-step verification PIN mismatch",
        133006: "Phone number re-verification needed",
        133008: "Too many two-step verification PIN guesses",
        133009: "Two-step verification PIN guessed too fast",
        133010: "Phone number not registered",
        133015: "Please wait a few minutes before attempting to register this phone number",
        133016: "Account register or deregister rate limit exceeded",
        134011: "Terms of service for payments not accepted",
        134100: "Template is not a marketing template",
        134101: "Template is still being synced",
        135000: "Generic user error",
        137000: "Identity key hash mismatch",
        **dict.fromkeys(range(139100, 139104), "User cannot be blocked or unblocked"),
        **dict.fromkeys(range(147001, 147006), "Username is not possible"),
    },
    401: {0: "Authentication error", 190: "Access token has expired"},
    403: {
        10: "Permission denied",
        **dict.fromkeys(range(200, 300), "API permission"),
        368: "Temporarily blocked for policies violations",
        130497: "Business account is restricted from messaging users in this country",
        131005: "Access denied",
        131031: "Account has been locked",
    },
    404: {132001: "Template name does not exist in the translation"},
    429: {
        4: "API too many calls",
        80007: "Rate limit issues",
        130429: "Rate limit hit",
        131048: "Spam rate limit hit",
        131056: "Pair rate limit hit",
    },
    500: {
        3: "API method",
        131000: "Something went wrong",
        131016: "Service unavailable",
        131045: "Incorrect certificate",
        131057: "Account in maintenance mode",
        133000: "Incomplete deregistration",
        134102: "Marketing Messages API is not available for this account",
    },
    503: {2: "API service", 133004: "Server temporarily unavailable"},
}
_BY_CODE = {code: (title, status) for status, titles in _TITLES.items() for code, title in titles.items()}


def title_of(code: int) -> str:
    """Meta's title of a code; of an unknown one, the title that Meta gives to errors without a reason."""
    return _BY_CODE.get(code, ("An unknown error occurred", _BAD_REQUEST))[0]


def usual_http_status(code: int) -> int:
    """The HTTP status of an answer with this code."""
    return _BY_CODE.get(code, ("", _BAD_REQUEST))[1]
