"""Decisions about facts of Meta: the fault of a token, an account, a number or a webhook, and the next step.

No text has a token, a secret or a phone number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from messaging.whatsapp.graph.nodes import AccountNode, Health, NumberNode, Subscription, TokenInfo
from messaging.whatsapp.inbound.account_fields import FIELDS

SCOPES = ("whatsapp_business_messaging", "whatsapp_business_management")
# A token that expires sooner is from the developer's page, or must be renewed by hand.
EXPIRY_WARNING = timedelta(days=14)
# The webhook fields without which messages or statuses are missed, and all that this version reads.
NEEDED_FIELDS = ("messages", "message_template_status_update", "account_update", "phone_number_quality_update")
WANTED_FIELDS = (
    "messages",
    "smb_message_echoes",
    "history",
    *(name for name in FIELDS if name not in {"business_username_update", "payment_configuration_update"}),
)


class State(StrEnum):
    """The result of a check: fine, fine with a remark, failed, or skipped since an earlier one failed."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def mark(self) -> str:
        """One character for a terminal."""
        return {State.OK: "✓", State.WARNING: "!", State.FAILED: "✗", State.SKIPPED: "-"}[self]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `about`: Meta's id of the account or number, or empty. `next_step`: for all but OK."""

    check: str
    state: State
    text: str
    next_step: str = ""
    about: str = ""


def token_findings(info: TokenInfo, now: datetime) -> Iterator[Finding]:
    """Whether the access token works, for how long, and with which rights."""
    if not info.is_valid or (info.expires_at is not None and info.expires_at <= now):
        yield Finding(
            "token",
            State.FAILED,
            f"Meta says that the access token is not valid: {info.error or 'it has expired'}.",
            "Make a token of a system user that never expires (Business settings, System users, Generate token) and "
            "set WA_ACCESS_TOKEN: docs/connect.md#access-token.",
        )
        return
    if info.expires_at is not None and info.expires_at - now < EXPIRY_WARNING:
        yield Finding(
            "token",
            State.WARNING,
            f"The access token expires at {info.expires_at:%Y-%m-%d %H:%M} UTC; then every send fails.",
            "Make a token of a system user that never expires: docs/connect.md#access-token.",
        )
    else:
        yield Finding("token", State.OK, "The access token is valid.")
    missing = [scope for scope in SCOPES if scope not in info.scopes]
    if missing:
        yield Finding(
            "scopes",
            State.FAILED,
            f"The access token lacks the permission {' and '.join(missing)}.",
            "Generate the system user's token again with both permissions ticked: docs/connect.md#access-token.",
        )
    else:
        yield Finding("scopes", State.OK, "The access token has both permissions.")


def account_finding(node: AccountNode) -> Finding:
    """Whether an account may send."""
    if node.status in {"DISABLED", "RESTRICTED"} or node.review_status == "REJECTED":
        why = f"its review says {node.review_status}" if node.review_status == "REJECTED" else f"it is {node.status}"
        return Finding(
            "account",
            State.FAILED,
            f"WhatsApp does not let the account send: {why}.",
            "Open it in WhatsApp Manager, Account overview, and appeal or correct what it names.",
            node.waba_id,
        )
    if node.review_status == "PENDING":
        return Finding(
            "account",
            State.WARNING,
            "Meta still reviews the account.",
            "Wait for the review; until then only test numbers work.",
            node.waba_id,
        )
    return Finding("account", State.OK, f"The account “{node.name}” can be read.", about=node.waba_id)


def number_findings(node: NumberNode) -> Iterator[Finding]:
    """Whether a number is connected, and its quality."""
    about = node.phone_number_id
    if node.status == "CONNECTED":
        yield Finding("number", State.OK, f"The number “{node.verified_name}” is connected.", about=about)
    elif node.status in {"PENDING", "UNVERIFIED", "DISCONNECTED", "MIGRATED", ""}:
        yield Finding(
            "number",
            State.FAILED,
            f"The number is not registered for the Cloud API (status {node.status or 'unknown'}).",
            "Register it with its PIN of two-step verification: manage.py connect --register-pin PIN.",
            about,
        )
    else:
        yield Finding(
            "number",
            State.FAILED,
            f"WhatsApp does not let the number send: its status is {node.status}.",
            "Open it in WhatsApp Manager, Phone numbers, and follow what it says.",
            about,
        )
    if node.quality in {"RED", "YELLOW"}:
        yield Finding(
            "quality",
            State.WARNING,
            f"The number's quality is {node.quality}.",
            "Send less marketing to people who do not expect it; at red WhatsApp lowers the number's limit.",
            about,
        )


def own_number_finding(phone_number_id: str, numbers: Sequence[NumberNode]) -> Finding:
    """Whether WA_PHONE_NUMBER_ID is a number of the token's accounts."""
    if phone_number_id in {node.phone_number_id for node in numbers}:
        return Finding("sender", State.OK, "WA_PHONE_NUMBER_ID is a number of the account.", about=phone_number_id)
    known = ", ".join(node.phone_number_id for node in numbers) or "none"
    return Finding(
        "sender",
        State.FAILED,
        "WA_PHONE_NUMBER_ID is not a number of the accounts that the access token may use.",
        f"Set it to one of these ids: {known}. It is Meta's id of the number, not the number itself.",
        phone_number_id,
    )


def health_finding(health: Health, about: str) -> Finding:
    """What Meta itself says about sending."""
    if health.can_send in {"AVAILABLE", ""}:
        return Finding("health", State.OK, "Meta says that it can send messages.", about=about)
    reasons = [f"{entity.kind}: {error}" for entity in health.entities for error in entity.errors]
    state = State.WARNING if health.can_send == "LIMITED" else State.FAILED
    return Finding(
        "health",
        state,
        f"Meta says {health.can_send}. {' '.join(reasons)}".strip(),
        "Do what Meta names above; the health status in WhatsApp Manager shows the same.",
        about,
    )


def subscribed_finding(app_ids: Sequence[str], app_id: str, waba_id: str) -> Finding:
    """Whether the app gets the account's webhooks."""
    if app_id in app_ids:
        return Finding("subscribed app", State.OK, "The app gets the webhooks of the account.", about=waba_id)
    return Finding(
        "subscribed app",
        State.FAILED,
        "The app does not get the webhooks of the account: nothing that users write arrives.",
        "Subscribe it: manage.py connect does so.",
        waba_id,
    )


def webhook_finding(found: Sequence[Subscription], callback_url: str) -> Finding:
    """Whether the app's webhooks come to us, with the fields that are needed."""
    if not callback_url:
        return Finding(
            "webhook",
            State.FAILED,
            "BASE_URL is not set, so the address at which Meta can reach this installation is unknown.",
            "Set BASE_URL to the https address under which the web process is reached from the internet.",
        )
    if not found or not found[0].is_active:
        return Finding(
            "webhook",
            State.FAILED,
            "The app has no active webhook subscription for WhatsApp accounts.",
            "Make it: manage.py connect does so.",
        )
    if found[0].callback_url != callback_url:
        return Finding(
            "webhook",
            State.FAILED,
            f"Meta sends the app's webhooks to {found[0].callback_url}, and this installation is {callback_url}.",
            "Run manage.py connect to take the webhooks here, or correct BASE_URL. An app has one address for all.",
        )
    if missing := [name for name in NEEDED_FIELDS if name not in found[0].fields]:
        return Finding(
            "webhook",
            State.FAILED,
            f"The webhook subscription lacks the fields {', '.join(missing)}.",
            "Run manage.py connect to subscribe to all that this version reads.",
        )
    if missing := [name for name in WANTED_FIELDS if name not in found[0].fields]:
        return Finding(
            "webhook",
            State.WARNING,
            f"The webhook subscription lacks {', '.join(missing)}.",
            "Run manage.py connect to subscribe to all that this version reads.",
        )
    return Finding("webhook", State.OK, "Meta sends the app's webhooks here, with all fields.")


def handshake_finding(status: int | None, answered: bool, callback_url: str) -> Finding:
    """Whether our own callback answers Meta's handshake. `status`: the HTTP status; None: no answer."""
    if answered:
        return Finding("callback", State.OK, "The callback answers Meta's handshake.")
    if status is None:
        return Finding(
            "callback",
            State.FAILED,
            f"{callback_url} does not answer from here.",
            "Start the web process, and check DNS, certificate and load balancer; on a laptop, start a tunnel and set "
            "BASE_URL to its address: docs/connect.md#a-tunnel-for-a-laptop.",
        )
    if status == 403:  # noqa: PLR2004 - the answer of our own handshake
        return Finding(
            "callback",
            State.FAILED,
            "The callback refuses the verify token: another installation, or other settings, answer at BASE_URL.",
            "Give web and this command the same WA_WEBHOOK_VERIFY_TOKEN, and restart web.",
        )
    return Finding(
        "callback",
        State.FAILED,
        f"{callback_url} answers the handshake with {status}.",
        "Something else answers there: check BASE_URL, and that the load balancer passes /webhook/whatsapp on.",
    )
