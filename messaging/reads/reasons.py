"""Recorded reasons: why a number is paused, a template held, a subscription disabled."""

from django.db.models import Q

from messaging.models import BusinessNumber, Hold, HoldKind, Subscription

UUID_LENGTH = 36


def pause_reason(phone_number_id: str) -> str:
    """Why a number is paused; empty if it is not."""
    row = BusinessNumber.objects.filter(phone_number_id=phone_number_id).first()
    return row.pause_reason if row else ""


def probe_reason(phone_number_id: str) -> str:
    """Why a number sends single probes only; empty if it does not."""
    row = BusinessNumber.objects.filter(phone_number_id=phone_number_id, probe_at__isnull=False).first()
    return f"{row.failures} calls in a row have an unknown outcome" if row else ""


def hold_reason(template: str) -> str:
    """Why Meta paused a template; empty if it is not held. `template`: its name, with `_` for `/`."""
    names = {template, template.replace("_", "/")}
    row = Hold.objects.filter(kind=HoldKind.TEMPLATE, by__in=("system", "meta"), resumed_at=None, key__in=names).last()
    return row.reason if row else ""


def disable_reason(subscription: str) -> str:
    """Why a subscription was disabled; empty if it was not. `subscription`: its description or id."""
    matching = Q(description=subscription)
    if len(subscription) == UUID_LENGTH:
        matching |= Q(pk=subscription)
    row = Subscription.objects.filter(matching, active=False, disabled_at__isnull=False).last()
    return row.disabled_why if row else ""
