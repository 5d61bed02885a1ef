"""Authentication of API callers by the keys of their clients."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from messaging.models import ApiClient, ApiKey
from messaging.models.access import hash_of, prefix_of
from waproject.ttl_cache import TtlCache
from waproject.web.reconnecting_select import reconnecting_select

KEYWORD = "Bearer"
# Precise enough to find unused keys, without a write per request.
LAST_USED_PRECISION = timedelta(minutes=5)
# Before the name of a client, where the audit log and holds say who acted; a user name has no space.
API_CLIENT = "API client"


class Caller:
    """An authenticated API client, as `request.user`. As text, it is the name in the audit log."""

    is_authenticated = True
    is_staff = False
    is_active = True

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.pk = client.pk

    def __str__(self) -> str:
        return f"{API_CLIENT} {self.client}"


@dataclass(slots=True)
class _FoundKey:
    pk: int
    hash: str
    is_valid: bool
    last_used_at: datetime | None
    client: ApiClient


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer wak_…`."""

    def authenticate(self, request: Request) -> tuple[Caller, int] | None:
        """The caller and its key's pk; None without the header. Raises AuthenticationFailed (401)."""
        keyword, _, text = request.headers.get("Authorization", "").partition(" ")
        if keyword.lower() != KEYWORD.lower():
            return None
        text = text.strip()
        prefix = prefix_of(text)
        if not prefix.isalnum():  # not a key; PostgreSQL takes no NUL
            raise AuthenticationFailed("Unknown API key.")
        key = _find(prefix)
        if key is None or not hmac.compare_digest(key.hash, hash_of(text)):
            raise AuthenticationFailed("Unknown API key.")
        if not key.is_valid:
            raise AuthenticationFailed("This API key is revoked.")
        _record_use(key)
        return Caller(key.client), key.pk

    def authenticate_header(self, request: Request) -> str:
        """Makes DRF answer 401 and not 403."""
        return KEYWORD


_CLIENT = [field.attname for field in ApiClient._meta.concrete_fields]
# SQL, because building the query in the ORM cost as much as all other checks of a request.
_FIND = f"""
SELECT k.id, k.hash, (k.revoked_at IS NULL OR k.revoked_at > statement_timestamp()) AND c.active, k.last_used_at,
  {", ".join(f"c.{name}" for name in _CLIENT)}
FROM messaging_apikey k JOIN messaging_apiclient c ON c.id = k.client_id WHERE k.prefix = %s
"""  # noqa: S608 - columns of a model


# A key that is revoked, or whose client is switched off, still works for up to this long.
CACHED_S = 1.0
# Enough for every key in use; one more empties the cache.
MOST_CACHED = 1_000
_cache = TtlCache[str, _FoundKey](CACHED_S, MOST_CACHED)


def clear_key_cache() -> None:
    """Make the next request read the database."""
    _cache.clear()


def _find(prefix: str) -> _FoundKey | None:
    cached = _cache.get(prefix)
    if cached is not None:
        return cached
    rows = reconnecting_select(_FIND, [prefix])
    if not rows:
        return None
    pk, digest, is_valid, last_used_at, *client = rows[0]
    found = ApiClient.from_db(connection.alias, _CLIENT, client)
    return _cache.set(prefix, _FoundKey(pk, digest, is_valid, last_used_at, found))


def _record_use(key: _FoundKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_PRECISION:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        key.last_used_at = now


def client_of(request: Request) -> ApiClient | None:
    """The calling API client; None for staff."""
    return request.user.client if isinstance(request.user, Caller) else None
