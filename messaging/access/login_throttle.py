"""Log-in throttling: a limit of wrong passwords per window for each account and address, known or unknown.

Every attempt counts before its password is checked, so that concurrent guesses cannot exceed the limit; a right
password is not counted.
"""

import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from messaging.models import LoginThrottle

logger = logging.getLogger(__name__)

WINDOW = timedelta(minutes=15)
SWEEP_ROWS = 5000
# The address comes first: a locked one adds no further rows. The limit of an account over all addresses is ten times
# its limit for one address, so that a stranger cannot cheaply lock its owner out.
LIMITS = {"address": 50, "account and address": 5, "account": 50}

_COUNT = """
INSERT INTO messaging_loginthrottle AS known (key, tries, since) VALUES (%(key)s, 1, %(now)s)
ON CONFLICT (key) DO UPDATE SET
  tries = CASE WHEN known.since <= %(old)s THEN 1 ELSE known.tries + 1 END,
  since = CASE WHEN known.since <= %(old)s THEN %(now)s ELSE known.since END
RETURNING tries
"""


class TooManyAttempts(Exception):
    """The account, the address, or both together have reached their limit in this window."""


def count_attempt(account: str, address: str) -> None:
    """Count an attempt. Raises TooManyAttempts if its password must not be checked."""
    now = timezone.now()
    for kind, key in _keys(account, address):
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"key": key, "now": now, "old": now - WINDOW})
            (tries,) = cursor.fetchone()
        if tries > LIMITS[kind]:
            if tries == LIMITS[kind] + 1:
                logger.warning(
                    "log-ins locked for %d minutes: %d wrong passwords for one %s (%s)",
                    WINDOW.total_seconds() // 60, LIMITS[kind], kind, address or "no address",
                )  # fmt: skip
            raise TooManyAttempts


def clear_attempts(account: str, address: str) -> None:
    """After a right password: reset the count of the account at this address, and take this attempt off the others."""
    for kind, key in _keys(account, address):
        with connection.cursor() as cursor:
            left = "0" if kind == "account and address" else "greatest(tries - 1, 0)"
            cursor.execute(f"UPDATE messaging_loginthrottle SET tries = {left} WHERE key = %s", [key])  # noqa: S608


def address_of(request: HttpRequest | None) -> str:
    """The caller's address; behind `TRUSTED_PROXIES` proxies, the entry that the outermost of them appended."""
    if request is None:
        return ""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and len(hops) >= settings.TRUSTED_PROXIES:
        return str(hops[-settings.TRUSTED_PROXIES])
    return str(request.META.get("REMOTE_ADDR") or "")


def sweep_login_throttle() -> None:
    """Delete counts whose window has ended, SWEEP_ROWS at a time."""
    old = LoginThrottle.objects.filter(since__lt=timezone.now() - WINDOW).values_list("pk", flat=True)
    LoginThrottle.objects.filter(pk__in=list(old[:SWEEP_ROWS])).delete()


def _keys(account: str, address: str) -> Iterator[tuple[str, str]]:
    """The hashed keys of the counts: the text typed as an account name may be a password. Case is ignored."""
    account = account.strip().casefold()
    for kind, parts in (
        ("address", ("", address)), ("account and address", (account, address)), ("account", (account, "")),
    ):  # fmt: skip
        yield kind, hashlib.sha256("\n".join((kind, *parts)).encode("utf-8", "replace")).hexdigest()
