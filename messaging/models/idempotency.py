"""Stored answers to requests with an Idempotency-Key."""

from django.db import models
from django.utils import timezone

from messaging.models.access import ApiClient

# The IETF draft leaves the length to the server; UUIDs and composite business keys fit.
KEY_LENGTH = 255


class IdempotencyKey(models.Model):
    """An accepted request. It belongs to the client, not to its API key, so that it survives a key rotation."""

    # NULL: a staff account.
    client = models.ForeignKey(ApiClient, models.CASCADE, null=True, db_index=False, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH)
    # SHA-256 of the path and the body's canonical JSON, as hex.
    digest = models.CharField(max_length=64)
    # JSON text: jsonb would not keep the order of the keys.
    answer = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            # This index also serves the foreign key.
            models.UniqueConstraint(fields=["client", "key"], name="idempotency_key_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"idempotency key {self.pk}"
