"""Events of Meta about one account, and what they lead to."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.test import TestCase

from messaging.meta_events import handle_events
from messaging.models import Hold
from messaging.signals import lane_alert
from messaging.whatsapp.inbound import Event

WABA = "102290129340398"


def alerts_of(work: Callable[[], object]) -> list[tuple[str, str, str]]:
    """The alerts about templates, accounts and numbers."""
    heard: list[tuple[str, str, str]] = []

    def hear(kind: str, key: object, reason: str, **_: Any) -> None:
        # Holds and pauses have alerts of their own.
        if kind in {"template", "account", "number"}:
            heard.append((kind, str(key), reason))

    lane_alert.connect(hear)
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            work()
    finally:
        lane_alert.disconnect(hear)
    return heard


def happens(kind: str, event: str = "", value: Any = None, **fields: Any) -> list[tuple[str, str, str]]:
    """An event of the account; its alerts."""
    given = {"subject": "", "phone_number_id": None, "waba_id": WABA, **fields}
    return alerts_of(lambda: handle_events([Event(kind, event, raw={"value": value or {}}, **given)]))


def held() -> list[tuple[str, str, str, str, datetime | None]]:
    """The account's open holds: template, language, by whom, why, and until when."""
    rows = Hold.objects.filter(resumed_at=None).order_by("pk")
    return [(row.key, row.language, row.by, row.reason, row.until) for row in rows if row.waba_id == WABA]
