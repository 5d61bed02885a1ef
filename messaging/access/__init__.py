"""Callers of the API: clients, keys, idempotency keys and the audit log."""

from messaging.access.audit_log import (
    name_of,
    note,
)
from messaging.access.authentication import (
    ApiKeyAuthentication,
    Caller,
    IsApiClientOrStaff,
    client_of,
)
from messaging.access.idempotency import (
    KeyOfAnotherRequest,
    Once,
    answer_given,
    digest_of,
)
from messaging.access.idempotency_header import (
    HEADER_PARAMETER,
    REFUSALS,
    Conflict,
    answered_once,
    stored_form,
)

__all__ = [
    "HEADER_PARAMETER",
    "REFUSALS",
    "ApiKeyAuthentication",
    "Caller",
    "Conflict",
    "IsApiClientOrStaff",
    "KeyOfAnotherRequest",
    "Once",
    "answer_given",
    "answered_once",
    "client_of",
    "digest_of",
    "name_of",
    "note",
    "stored_form",
]
