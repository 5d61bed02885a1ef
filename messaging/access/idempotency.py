"""Idempotency keys: the stored answer of a request, kept for seven days."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from messaging.models import ApiClient, IdempotencyKey

RETENTION = timedelta(days=7)
# The dispatcher sweeps every 5 s: 1,000 a second, as many as one number can send.
SWEEP_ROWS = 5000


class IdempotencyKeyReused(Exception):
    """The client has used this key for another body or path."""


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A client's idempotency key (1 to 255 printable ASCII characters) and the digest of the request."""

    client: ApiClient | None
    key: str
    digest: str


def digest_of(path: str, body: object) -> str:
    """SHA-256, as hex, of the path and the parsed body; white space and the order of keys do not matter."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{path}\n{canonical}".encode()).hexdigest()


def stored_answer(request: IdempotentRequest) -> str | None:
    """The stored answer to the same request, as JSON text; None if the key is new. Raises IdempotencyKeyReused."""
    found = (
        IdempotencyKey.objects.filter(client=request.client, key=request.key).values_list("digest", "answer").first()
    )
    if found is None:
        return None
    digest, answer = found
    if digest != request.digest:
        raise IdempotencyKeyReused
    return answer


def sweep_idempotency_keys() -> None:
    """Delete keys older than seven days, SWEEP_ROWS at a time."""
    old = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - RETENTION).order_by("created_at")
    IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:SWEEP_ROWS])).delete()
