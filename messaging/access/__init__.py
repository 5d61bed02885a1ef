"""Callers of the API: clients, keys, idempotency keys and the audit log."""

from messaging.access.audit_log import record_action
from messaging.access.authentication import (
    API_CLIENT,
    ApiKeyAuthentication,
    Caller,
    clear_key_cache,
    client_of,
)
from messaging.access.idempotency import (
    IdempotencyKeyReused,
    IdempotentRequest,
    digest_of,
    stored_answer,
)
from messaging.access.idempotency_header import (
    ERROR_RESPONSES,
    HEADER_PARAMETER,
    Conflict,
    answer_idempotently,
    checked_key,
    serialize_answer,
)
from messaging.access.permissions import (
    ANY_STAFF,
    IsApiClientOrAnyStaff,
    IsApiClientOrStaff,
    IsOperatorOrStaff,
)
from messaging.access.secrets_page import show_secrets

__all__ = [
    "ANY_STAFF",
    "API_CLIENT",
    "ERROR_RESPONSES",
    "HEADER_PARAMETER",
    "ApiKeyAuthentication",
    "Caller",
    "Conflict",
    "IdempotencyKeyReused",
    "IdempotentRequest",
    "IsApiClientOrAnyStaff",
    "IsApiClientOrStaff",
    "IsOperatorOrStaff",
    "answer_idempotently",
    "checked_key",
    "clear_key_cache",
    "client_of",
    "digest_of",
    "record_action",
    "serialize_answer",
    "show_secrets",
    "stored_answer",
]
