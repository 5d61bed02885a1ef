"""Signatures of webhooks: HMAC-SHA256 of the raw bytes with the app secret.

Always over the bytes that travelled: Meta escapes non-ASCII and slashes, so a re-serialised body has another HMAC.
"""

import hmac
from collections.abc import Iterable

HEADER = "X-Hub-Signature-256"
_PREFIX = "sha256="


def sign(body: bytes, secret: str) -> str:
    """The header's value for this body: ``sha256=`` and 64 lower-case hex digits."""
    return _PREFIX + hmac.digest(secret.encode(), body, "sha256").hex()


def is_signed(body: bytes, header: str, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets signed this body; several are valid while an app secret is being rotated.

    Every secret is tried, each in constant time. An empty secret signs nothing.
    """
    given = header.encode("utf-8", "replace")
    matches = [hmac.compare_digest(given, sign(body, secret).encode()) for secret in secrets if secret]
    return any(matches)
