"""Updates of erased messages: webhooks that name the wamid of one are dropped."""

import hashlib
from collections.abc import Collection
from dataclasses import replace

from django.db import connection

from messaging.whatsapp.inbound import Normalised

# 128 bits: that any two of 10^9 wamids share a digest has a chance of 10^-21.
DIGEST_LENGTH = 32


def digest_of(wamid: str) -> str:
    """The first half of the SHA-256 of a wamid, as hex."""
    return hashlib.sha256(wamid.encode()).hexdigest()[:DIGEST_LENGTH]


def without_erased(normalised: Normalised) -> Normalised:
    """The updates without those of erased messages. One query by primary key."""
    wamids = {one.wamid for one in normalised.messages} | {one.wamid for one in normalised.statuses}
    erased = _erased(wamids) if wamids else set()
    if not erased:
        return normalised
    return replace(
        normalised,
        messages=tuple(one for one in normalised.messages if one.wamid not in erased),
        statuses=tuple(one for one in normalised.statuses if one.wamid not in erased),
    )


def _erased(wamids: Collection[str]) -> set[str]:
    by_digest = {digest_of(wamid): wamid for wamid in wamids}
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM messaging_erasedwamid WHERE digest = ANY(%s)", [list(by_digest)])
        return {by_digest[digest] for (digest,) in cursor.fetchall()}
