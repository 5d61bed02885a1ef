"""Stored answers to requests with an Idempotency-Key."""

from django.db import models
from django.utils import timezone

from messaging.models.access import ApiClient

# The IETF draft leaves the length to the server; UUIDs and business keys of several parts fit well in this.
KEY_LENGTH = 255


class IdempotencyKey(models.Model):
    """One request that was carried out. It is the client's and not its key's, so that a rotation loses none."""

    # NULL: a member of staff, in the browser.
    client = models.ForeignKey(ApiClient, models.CASCADE, null=True, db_index=False, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH)
    # SHA-256 of the path and the body's canonical JSON, as hex.
    digest = models.CharField(max_length=64)
    # JSON in the order of its keys, which jsonb would not keep.
    answer = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            # Its index serves the foreign key as well.
            models.UniqueConstraint(fields=["client", "key"], name="idempotency_key_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"idempotency key {self.pk}"
