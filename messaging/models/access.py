"""API clients and their keys."""

import hashlib
import secrets
import string

from django.db import models
from django.utils import timezone

_ALPHABET = string.ascii_letters + string.digits
PREFIX_LENGTH = 8
# 43 characters of 62 are 256 bits, so neither a salt nor a slow hash is needed.
SECRET_LENGTH = 43


class ApiClient(models.Model):
    """A system that uses the API. It stays the same while its keys are rotated."""

    name = models.CharField(max_length=100, unique=True)
    active = models.BooleanField(default=True, help_text="An inactive client's keys are refused.")
    operator = models.BooleanField(
        default=False, help_text="Its keys may also look at the dead letters of everybody, redrive and discard them."
    )
    may_send_high = models.BooleanField(
        "may send high priority",
        default=True,
        db_default=True,
        help_text="Whether its messages may have the priority high; without it they are refused.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "API client"

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A key of a client: `wak_<prefix>_<secret>`. Only its prefix and hash are stored; it is shown once."""

    client = models.ForeignKey(ApiClient, models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True, editable=False)
    hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"wak_{self.prefix}_…"

    @classmethod
    def issue(cls, client: ApiClient, key: str | None = None) -> tuple["ApiKey", str]:
        """Store a new key (the given one, or a random one); returns it with its full text, which is not stored."""
        key = key or f"wak_{_random(PREFIX_LENGTH)}_{_random(SECRET_LENGTH)}"
        return cls.objects.create(client=client, prefix=prefix_of(key), hash=hash_of(key)), key


class LoginThrottle(models.Model):
    """The log-in attempts of an account, an address or both together within one window."""

    # SHA-256, as hex, of the account, the address or both.
    key = models.CharField(max_length=64, primary_key=True)
    tries = models.IntegerField()
    since = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.tries} attempts since {self.since}"


def prefix_of(key: str) -> str:
    """The prefix of a key; empty if the text does not have the form of a key."""
    parts = key.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == "wak" else ""  # noqa: PLR2004


def hash_of(key: str) -> str:
    """SHA-256 of the whole key, as hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
