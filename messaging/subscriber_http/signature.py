"""Signatures of deliveries: Standard Webhooks version 1, HMAC-SHA256 over `id.timestamp.body`.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

# The specification asks for 24 to 64 bytes.
SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(valid: Sequence[str], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three signature headers of a request; one signature per valid secret, so that receivers can rotate."""
    at = at.astimezone(UTC)
    text = body.decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, at, text) for secret in valid),
    }
