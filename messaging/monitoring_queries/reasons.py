"""Recorded reasons: why a number is paused, a template held, a subscription disabled."""

from django.db.models import CharField, F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Left, NullIf, Replace

from messaging.models import BusinessNumber, Hold, HoldKind, Subscription
from messaging.monitoring_queries.backlogs import NAME_LENGTH


def pause_reason(phone_number_id: str) -> str:
    """Why a number is paused; empty if it is not."""
    row = BusinessNumber.objects.filter(phone_number_id=phone_number_id).first()
    return row.pause_reason if row else ""


def probe_reason(phone_number_id: str) -> str:
    """Why a number sends single probes only; empty if it does not."""
    row = BusinessNumber.objects.filter(phone_number_id=phone_number_id, probe_at__isnull=False).first()
    return f"{row.failures} calls in a row have an unknown outcome" if row else ""


def hold_reason(template: str) -> str:
    """Why Meta paused a template; empty if it is not held. `template`: its label."""
    held = Hold.objects.filter(kind=HoldKind.TEMPLATE, by__in=("system", "meta"), resumed_at=None)
    row = held.annotate(label=_label(F("key"))).filter(label=template).last()
    return row.reason if row else ""


def disable_reason(subscription: str) -> str:
    """Why a subscription was disabled; empty if it was not. `subscription`: the label of its description or id."""
    name = Coalesce(NullIf("description", Value("")), Cast("id", CharField()))
    disabled = Subscription.objects.filter(active=False, disabled_at__isnull=False)
    row = disabled.annotate(label=_label(name)).filter(label=subscription).last()
    return row.disabled_why if row else ""


def _label(name: Combinable) -> Replace:
    """A name as alerts have it: its beginning, with `_` for `/`."""
    return Replace(Left(name, NAME_LENGTH), Value("/"), Value("_"))
