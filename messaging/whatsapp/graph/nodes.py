"""Nodes of the Graph API as frozen dataclasses, read from JSON of any shape: a missing or odd field is empty.

https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

ACCOUNT_FIELDS = (
    "id,name,currency,timezone_id,account_review_status,business_verification_status,status,owner_business_info"
)
NUMBER_FIELDS = (
    "id,display_phone_number,verified_name,quality_rating,throughput,status,account_mode,name_status,"
    "code_verification_status,platform_type,whatsapp_business_manager_messaging_limit"
)
TEMPLATE_FIELDS = "id,name,language,status,category,components,parameter_format,quality_score,rejected_reason"

_MAX_TEXT = 1024


@dataclass(frozen=True, slots=True)
class AccountNode:
    """A WhatsApp Business account (WABA). `status` is Meta's, such as ACTIVE or DISABLED."""

    waba_id: str
    portfolio_id: str
    name: str
    currency: str
    timezone_id: str
    review_status: str
    verification_status: str
    status: str


@dataclass(frozen=True, slots=True)
class NumberNode:
    """A business number. `throughput` is a level (STANDARD, HIGH), `messaging_limit` a tier such as TIER_2K."""

    phone_number_id: str
    display_phone_number: str
    verified_name: str
    quality: str
    throughput: str
    messaging_limit: str
    status: str
    account_mode: str
    name_status: str
    code_verification_status: str
    platform_type: str


@dataclass(frozen=True, slots=True)
class TemplateNode:
    """A template in one language. `components` as Meta gives them; `parameter_format` is POSITIONAL or NAMED."""

    template_id: str
    name: str
    language: str
    status: str
    category: str
    components: tuple[Mapping[str, object], ...]
    parameter_format: str
    quality: str
    rejected_reason: str


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """An access token as `debug_token` describes it. `expires_at` is None for one that never expires.

    `targets`: by scope, the ids of the nodes that it is granted for; empty: all of the token's owner.
    """

    is_valid: bool
    app_id: str
    kind: str
    expires_at: datetime | None
    scopes: tuple[str, ...]
    targets: Mapping[str, tuple[str, ...]]
    error: str

    def accounts(self) -> tuple[str, ...]:
        """The ids of the WABAs that the token may manage or send from."""
        scopes = ("whatsapp_business_management", "whatsapp_business_messaging")
        return tuple(dict.fromkeys(target for scope in scopes for target in self.targets.get(scope, ())))


@dataclass(frozen=True, slots=True)
class HealthEntity:
    """One node that a send passes: its type, whether it can send (AVAILABLE, LIMITED, BLOCKED), and why not."""

    kind: str
    id: str
    can_send: str
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """The `health_status` of a node."""

    can_send: str
    entities: tuple[HealthEntity, ...]


@dataclass(frozen=True, slots=True)
class Subscription:
    """The webhook subscription of an app."""

    callback_url: str
    fields: tuple[str, ...]
    is_active: bool


def account_node(node: object) -> AccountNode:
    """A WABA."""
    return AccountNode(
        waba_id=text(node, "id"),
        portfolio_id=text(child(node, "owner_business_info"), "id"),
        name=text(node, "name"),
        currency=text(node, "currency"),
        timezone_id=text(node, "timezone_id"),
        review_status=text(node, "account_review_status"),
        verification_status=text(node, "business_verification_status"),
        status=text(node, "status"),
    )


def number_node(node: object) -> NumberNode:
    """A business number."""
    return NumberNode(
        phone_number_id=text(node, "id"),
        display_phone_number=text(node, "display_phone_number"),
        verified_name=text(node, "verified_name"),
        quality=text(node, "quality_rating"),
        throughput=text(child(node, "throughput"), "level"),
        messaging_limit=text(node, "whatsapp_business_manager_messaging_limit"),
        status=text(node, "status"),
        account_mode=text(node, "account_mode"),
        name_status=text(node, "name_status"),
        code_verification_status=text(node, "code_verification_status"),
        platform_type=text(node, "platform_type"),
    )


def template_node(node: object) -> TemplateNode:
    """A template."""
    return TemplateNode(
        template_id=text(node, "id"),
        name=text(node, "name"),
        language=text(node, "language"),
        status=text(node, "status"),
        category=text(node, "category"),
        components=tuple(part for part in elements(node, "components") if isinstance(part, dict)),
        parameter_format=text(node, "parameter_format"),
        quality=text(child(node, "quality_score"), "score"),
        rejected_reason=text(node, "rejected_reason"),
    )


def token_info(node: object) -> TokenInfo:
    """The `data` of `debug_token`."""
    granted = [each for each in elements(node, "granular_scopes") if isinstance(each, dict)]
    return TokenInfo(
        is_valid=isinstance(node, dict) and node.get("is_valid") is True,
        app_id=text(node, "app_id"),
        kind=text(node, "type"),
        expires_at=moment(node, "expires_at"),
        scopes=texts(node, "scopes"),
        targets={text(each, "scope"): texts(each, "target_ids") for each in granted},
        error=text(child(node, "error"), "message"),
    )


def health(node: object) -> Health:
    """The `health_status` of a node."""
    status = child(node, "health_status")
    return Health(
        can_send=text(status, "can_send_message"),
        entities=tuple(
            HealthEntity(
                kind=text(entity, "entity_type"),
                id=text(entity, "id"),
                can_send=text(entity, "can_send_message"),
                errors=tuple(
                    f"{text(error, 'error_code')}: {text(error, 'error_description')}".strip(": ")
                    for error in elements(entity, "errors")
                ),
            )
            for entity in elements(status, "entities")
        ),
    )


def subscription(node: object) -> Subscription:
    """One of an app's subscriptions."""
    names = [text(each, "name") if isinstance(each, dict) else each for each in elements(node, "fields")]
    return Subscription(
        callback_url=text(node, "callback_url"),
        fields=tuple(name for name in names if isinstance(name, str) and name),
        is_active=isinstance(node, dict) and node.get("active") is True,
    )


def child(node: object, name: str) -> object:
    """A child of a node; None where there is none."""
    return node.get(name) if isinstance(node, dict) else None


def elements(node: object, name: str) -> list[object]:
    """The elements of a list; empty where there is none."""
    value = child(node, name)
    return value if isinstance(value, list) else []


def text(node: object, name: str) -> str:
    """A text, or a number as text; empty where there is neither."""
    value = child(node, name)
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


def texts(node: object, name: str) -> tuple[str, ...]:
    """The texts of a list; other elements are left out."""
    return tuple(each for each in elements(node, name) if isinstance(each, str))


def moment(node: object, name: str) -> datetime | None:
    """A time in Unix seconds; None for 0, and for what is no time."""
    value = child(node, name)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
