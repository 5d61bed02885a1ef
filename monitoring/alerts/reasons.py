"""Reasons of alerts: what the pipeline recorded about the number, template or subscription of an alert."""

from collections.abc import Callable, Mapping

from django.db.models import Q

from messaging.models import BusinessNumber, Hold, Subscription


def _number_paused(key: str) -> str:
    row = BusinessNumber.objects.filter(phone_number_id=key).first()
    return row.pause_reason if row else ""


def _template_held(key: str) -> str:
    # Labels of series have no slash; see gauges.
    row = Hold.objects.filter(
        kind="template", by="system", resumed_at=None, key__in={key, key.replace("_", "/")}
    ).last()
    return row.reason if row else ""


def _subscription_disabled(key: str) -> str:
    matching = Q(description=key)
    if len(key) == 36:  # noqa: PLR2004 - a UUID's text
        matching |= Q(pk=key)
    row = Subscription.objects.filter(matching, active=False, disabled_at__isnull=False).last()
    return row.disabled_why if row else ""


REASONS: Mapping[str, Callable[[str], str]] = {
    "number-paused": _number_paused,
    "template-held": _template_held,
    "subscription-disabled": _subscription_disabled,
}


def reason_of(rule: str, key: str) -> str:
    """A sentence, or an empty string where nothing is recorded. Makes one query."""
    return REASONS[rule](key).strip() if rule in REASONS else ""
