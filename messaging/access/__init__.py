"""Callers of the API: clients, keys, idempotency keys and the audit log."""

from messaging.access.audit_log import (
    name_of,
    note,
)
from messaging.access.authentication import (
    ANY_STAFF,
    ApiKeyAuthentication,
    Caller,
    IsApiClientOrAnyStaff,
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
from messaging.access.shown_once import shown_once

__all__ = [
    "ANY_STAFF",
    "HEADER_PARAMETER",
    "REFUSALS",
    "ApiKeyAuthentication",
    "Caller",
    "Conflict",
    "IsApiClientOrAnyStaff",
    "IsApiClientOrStaff",
    "KeyOfAnotherRequest",
    "Once",
    "answer_given",
    "answered_once",
    "client_of",
    "digest_of",
    "name_of",
    "note",
    "shown_once",
    "stored_form",
]
