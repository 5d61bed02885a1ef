"""Idempotency keys: the stored answer of a request, kept for seven days."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from messaging.models import ApiClient, IdempotencyKey

KEPT_FOR = timedelta(days=7)
SWEEP_ROWS = 5000


class KeyOfAnotherRequest(Exception):
    """The client has used this key for another body, or at another address."""


@dataclass(frozen=True, slots=True)
class Once:
    """A client's key (1 to 255 printable ASCII characters) and the digest of what it is used for."""

    client: ApiClient | None
    key: str
    digest: str


def digest_of(path: str, body: object) -> str:
    """SHA-256, as hex, of the address and the parsed body: neither blanks nor the order of keys make a difference."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{path}\n{canonical}".encode()).hexdigest()


def answer_given(once: Once) -> str | None:
    """The answer, as JSON text, that the same request was given; None where the key is new.

    Raises KeyOfAnotherRequest.
    """
    found = IdempotencyKey.objects.filter(client=once.client, key=once.key).values_list("digest", "answer").first()
    if found is None:
        return None
    digest, answer = found
    if digest != once.digest:
        raise KeyOfAnotherRequest
    return answer


def sweep_idempotency_keys() -> None:
    """Delete keys after seven days, some thousands at a time."""
    old = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).order_by("created_at")
    IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:SWEEP_ROWS])).delete()
