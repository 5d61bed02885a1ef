"""Managing subscriptions: create, change, enable, rotate the secret, test, replay, delete.

Who calls locks nothing and starts no transaction; each verb writes its own line of the audit log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging.access import note
from messaging.models import ApiClient, BusinessNumber, Delivery, EventType, Subscription
from messaging.subscriber_http.retry_schedule import TRIED_FOR, State
from messaging.subscriber_http.signature import new_secret
from messaging.subscriber_http.ssrf_guard import Reach, check_destination
from messaging.subscriptions.outbox import outbox

MOST_PER_CLIENT = 20
REPLAYED_AT_ONCE = 10_000
# After a rotation both secrets sign, so that the receiver may change over without losing a delivery.
OVERLAP = timedelta(hours=24)


class TooMany(Exception):
    """The client has as many subscriptions as it may have."""

    def __str__(self) -> str:
        return f"There are {MOST_PER_CLIENT} subscriptions already, the most that one client may have: delete one."


class SwitchedOff(Exception):
    """The subscription is not active, so nothing can be delivered to it."""

    def __str__(self) -> str:
        return "The subscription is switched off. Set active to true first."


def reach() -> Reach:
    """Where deliveries may go, by the settings."""
    return Reach(settings.SUBSCRIBER_NETWORKS, public=settings.SUBSCRIBER_PUBLIC, http=settings.SUBSCRIBER_HTTP)


def check_endpoint(url: str) -> None:
    """Raise NotAllowed, with the reason in a sentence, for a URL that deliveries can never reach."""
    check_destination(url, reach())


def subscribe(
    url: str,
    who: str,
    *,
    client: ApiClient | None = None,
    description: str = "",
    events: Sequence[str] | None = None,
    number: BusinessNumber | None = None,
    active: bool = True,
) -> Subscription:
    """Make one; its `secret` is to be shown once. Raises outward's NotAllowed for the URL, and TooMany."""
    check_endpoint(url)
    if Subscription.objects.filter(client=client, deleted_at=None).count() >= MOST_PER_CLIENT:
        raise TooMany
    row = Subscription(client=client, description=description, url=url, number=number, active=active)
    if events is not None:
        row.events = list(events)
    begin(row, who)
    return row


def begin(row: Subscription, who: str) -> None:
    """Store a new one with a secret."""
    row.secret = new_secret()
    with transaction.atomic():
        row.save(force_insert=True)
        note(who, "subscribe", f"subscription {row.pk}")
    outbox.forget()


def change(row: Subscription, who: str, **fields: object) -> None:
    """Set these fields. Switching it on forgets its failures. Raises outward's NotAllowed for the URL."""
    if "url" in fields:
        check_endpoint(str(fields["url"]))
    switched_on = fields.get("active") is True and not row.active
    for name, value in fields.items():
        setattr(row, name, value)
    names = [*fields]
    if switched_on:
        row.failures, row.failing_since, row.paused_until = 0, None, None
        row.disabled_at, row.disabled_why = None, ""
        names += ["failures", "failing_since", "paused_until", "disabled_at", "disabled_why"]
    if not names:
        return
    with transaction.atomic():
        row.save(update_fields=names)
        note(who, "switch on" if switched_on else "change", f"subscription {row.pk}", fields=sorted(fields))
    outbox.forget()


def rotate(row: Subscription, who: str) -> None:
    """A new secret, to be shown once; the old one signs too for 24 hours."""
    row.previous_secret, row.previous_secret_until = row.secret, timezone.now() + OVERLAP
    row.secret = new_secret()
    with transaction.atomic():
        row.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
        note(who, "rotate", f"subscription {row.pk}")


def unsubscribe(row: Subscription, who: str) -> None:
    """Hide it, tell it nothing more, and clear its deliveries away, which may take minutes."""
    row.active, row.deleted_at = False, timezone.now()
    with transaction.atomic():
        row.save(update_fields=["active", "deleted_at"])
        note(who, "unsubscribe", f"subscription {row.pk}")
    outbox.forget()


def send_test(row: Subscription, who: str) -> Delivery:
    """A delivery that tells nothing but that deliveries arrive. Raises SwitchedOff."""
    if not row.active:
        raise SwitchedOff
    with transaction.atomic():
        note(who, "test", f"subscription {row.pk}")
        return Delivery.objects.create(subscription=row, event=EventType.TEST, give_up_at=timezone.now() + TRIED_FOR)


def replay(delivery: Delivery, who: str) -> bool:
    """Deliver once more, under the same webhook-id; False while it is still on its way. Raises SwitchedOff."""
    if not delivery.subscription.active:
        raise SwitchedOff
    with transaction.atomic():
        done = _again([delivery.pk])
        if done:
            note(who, "replay", f"delivery {delivery.pk}")
    delivery.refresh_from_db()
    return bool(done)


def replay_failed(row: Subscription, since: datetime, who: str) -> int:
    """Deliver once more what was given up and happened since then: the oldest 10,000. Raises SwitchedOff."""
    if not row.active:
        raise SwitchedOff
    failed = Delivery.objects.filter(subscription=row, state=State.FAILED, created_at__gte=since).order_by("id")
    with transaction.atomic():
        done = _again(list(failed.values_list("pk", flat=True)[:REPLAYED_AT_ONCE]))
        note(who, "replay", f"subscription {row.pk}", deliveries=done, since=since.isoformat())
    return done


def _again(ids: Sequence[UUID]) -> int:
    now = timezone.now()
    return Delivery.objects.filter(pk__in=ids, finished_at__isnull=False).update(
        state=State.PENDING, due_at=now, give_up_at=now + TRIED_FOR, attempts=0, finished_at=None, lease_until=None
    )
