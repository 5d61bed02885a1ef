"""Changes of subscriptions: create, change, enable, rotate the secret, test, replay, delete.

Callers need no lock and no transaction; each function records its action in the audit log.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from messaging.access import record_action
from messaging.identifiers import ID_SLACK_MS, first_uuid7
from messaging.lifecycle import ERASED_PEER
from messaging.models import ApiClient, BusinessNumber, Delivery, EventType, Subscription
from messaging.subscriber_http.retry_schedule import RETRY_PERIOD, State
from messaging.subscriber_http.signature import new_secret
from messaging.subscriber_http.ssrf_guard import NetworkPolicy, check_destination
from messaging.subscriptions.outbox import outbox

MAX_PER_CLIENT = 20
MAX_REPLAYED = 10_000
# After a rotation both secrets sign, so that the receiver can switch without losing a delivery.
SECRET_OVERLAP = timedelta(hours=24)
# A second click, or a client that repeats a request whose answer it lost.
REPEATED_WITHIN = timedelta(minutes=1)
# Deliveries with nothing left to deliver: the person was erased, or the text's period of retention is over.
CONTENT_DELETED = Q(message__peer__startswith=ERASED_PEER) | Q(
    event=EventType.MESSAGE_RECEIVED, message__content_deleted_at__isnull=False
)


class TooManySubscriptions(Exception):
    """The client has reached its maximum of subscriptions."""

    def __str__(self) -> str:
        return f"There are {MAX_PER_CLIENT} subscriptions already, the maximum per client: delete one."


class SubscriptionInactive(Exception):
    """The subscription is inactive, so nothing can be delivered to it."""

    def __str__(self) -> str:
        return "The subscription is inactive. Set active to true first."


class ContentDeleted(Exception):
    """The content that a delivery would report is deleted."""

    def __str__(self) -> str:
        return "The content of its message is deleted, so there is nothing to deliver."


def network_policy() -> NetworkPolicy:
    """The networks that deliveries may reach, by the settings."""
    return NetworkPolicy(settings.SUBSCRIBER_NETWORKS, public=settings.SUBSCRIBER_PUBLIC, http=settings.SUBSCRIBER_HTTP)


def check_endpoint(url: str) -> None:
    """Raise AddressNotAllowed, with the reason in a sentence, for a URL that deliveries can never reach."""
    check_destination(url, network_policy())


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
    """Create a subscription; show its `secret` once. Raises AddressNotAllowed and TooManySubscriptions."""
    check_endpoint(url)
    if Subscription.objects.filter(client=client, deleted_at=None).count() >= MAX_PER_CLIENT:
        raise TooManySubscriptions
    row = Subscription(client=client, description=description, url=url, number=number, active=active)
    if events is not None:
        row.events = list(events)
    create(row, who)
    return row


def create(row: Subscription, who: str) -> None:
    """Store a new subscription with a secret."""
    row.secret = new_secret()
    with transaction.atomic():
        row.save(force_insert=True)
        record_action(who, "subscribe", f"subscription {row.pk}")
    outbox.forget()


def change(row: Subscription, who: str, **fields: object) -> None:
    """Set these fields. Activation resets the failures. Raises AddressNotAllowed."""
    if "url" in fields:
        check_endpoint(str(fields["url"]))
    if not fields:
        return
    names = [*fields]
    with transaction.atomic():
        # `deliver` may have disabled it since it was read.
        stored = Subscription.objects.select_for_update().get(pk=row.pk)
        is_activated = fields.get("active") is True and not stored.active
        for name, value in fields.items():
            setattr(row, name, value)
        if is_activated:
            row.failures, row.failing_since, row.paused_until = 0, None, None
            row.disabled_at, row.disabled_why = None, ""
            names += ["failures", "failing_since", "paused_until", "disabled_at", "disabled_why"]
        row.save(update_fields=names)
        record_action(who, "switch on" if is_activated else "change", f"subscription {row.pk}", fields=sorted(fields))
    outbox.forget()


def rotate(row: Subscription, who: str) -> None:
    """Set a new secret, to be shown once; the old one signs too for 24 hours.

    A request that is repeated within a minute keeps the old one and replaces the new one, which no receiver has yet.
    """
    now = timezone.now()
    with transaction.atomic():
        stored = Subscription.objects.select_for_update().get(pk=row.pk)
        until = stored.previous_secret_until
        is_repeated = until is not None and until > now + SECRET_OVERLAP - REPEATED_WITHIN
        row.previous_secret = stored.previous_secret if is_repeated else stored.secret
        row.secret, row.previous_secret_until = new_secret(), now + SECRET_OVERLAP
        row.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
        record_action(who, "rotate", f"subscription {row.pk}")


def unsubscribe(row: Subscription, who: str) -> None:
    """Hide it and end its deliveries; `deliver` deletes them within minutes."""
    row.active, row.deleted_at = False, timezone.now()
    with transaction.atomic():
        row.save(update_fields=["active", "deleted_at"])
        record_action(who, "unsubscribe", f"subscription {row.pk}")
    outbox.forget()


def send_test(row: Subscription, who: str) -> Delivery:
    """Queue a test event. Raises SubscriptionInactive."""
    if not row.active:
        raise SubscriptionInactive
    with transaction.atomic():
        record_action(who, "test", f"subscription {row.pk}")
        return Delivery.objects.create(subscription=row, event=EventType.TEST, give_up_at=timezone.now() + RETRY_PERIOD)


def replay(delivery: Delivery, who: str) -> bool:
    """Queue a finished delivery again, under its webhook-id; False if it is pending.

    Raises SubscriptionInactive and ContentDeleted.
    """
    if not delivery.subscription.active:
        raise SubscriptionInactive
    if Delivery.objects.filter(CONTENT_DELETED, pk=delivery.pk).exists():
        raise ContentDeleted
    with transaction.atomic():
        done = _requeue([delivery.pk])
        if done:
            record_action(who, "replay", f"delivery {delivery.pk}")
    delivery.refresh_from_db()
    return bool(done)


def replay_failed(row: Subscription, since: datetime, who: str) -> int:
    """Queue the failed deliveries created since then again: the oldest 10,000. Raises SubscriptionInactive."""
    if not row.active:
        raise SubscriptionInactive
    failed = (
        Delivery.objects.filter(
            subscription=row,
            state=State.FAILED,
            created_at__gte=since,
            # For the indexes: of deliveries that are over, and of ids, which begin with their time.
            finished_at__isnull=False,
            id__gte=first_uuid7(since, -ID_SLACK_MS),
        )
        .exclude(CONTENT_DELETED)
        .order_by("id")
    )
    with transaction.atomic():
        done = _requeue(list(failed.values_list("pk", flat=True)[:MAX_REPLAYED]))
        record_action(who, "replay", f"subscription {row.pk}", deliveries=done, since=since.isoformat())
    return done


def _requeue(ids: Sequence[UUID]) -> int:
    now = timezone.now()
    return Delivery.objects.filter(pk__in=ids, finished_at__isnull=False).update(
        state=State.PENDING, due_at=now, give_up_at=now + RETRY_PERIOD, attempts=0, finished_at=None, lease_until=None
    )
