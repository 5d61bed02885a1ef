"""Reasons of alerts: what the pipeline recorded about the thing that an alert names."""

from collections.abc import Callable, Mapping

from django.db.models import Q

from messaging.models import BusinessNumber, Hold, Subscription


def _number_paused(key: str) -> str:
    row = BusinessNumber.objects.filter(phone_number_id=key).first()
    return row.pause_reason if row else ""


def _template_held(key: str) -> str:
    # A series' label has no slash; see gauges.
    row = Hold.objects.filter(
        kind="template", by="system", resumed_at=None, key__in={key, key.replace("_", "/")}
    ).last()
    return row.reason if row else ""


def _subscription_disabled(key: str) -> str:
    named = Q(description=key)
    if len(key) == 36:  # noqa: PLR2004 - a UUID's text
        named |= Q(pk=key)
    row = Subscription.objects.filter(named, active=False, disabled_at__isnull=False).last()
    return row.disabled_why if row else ""


REASONS: Mapping[str, Callable[[str], str]] = {
    "number-paused": _number_paused,
    "template-held": _template_held,
    "subscription-disabled": _subscription_disabled,
}


def reason_of(rule: str, key: str) -> str:
    """A sentence, or empty where nothing more is known than the reading. Makes one query."""
    return REASONS[rule](key).strip() if rule in REASONS else ""
