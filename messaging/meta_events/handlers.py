"""The handlers of Meta's events, called in the transaction of the event. Each is idempotent."""

from collections.abc import Callable, Iterable, Mapping

from django.utils import timezone

from messaging.meta_events import accounts, numbers, templates
from messaging.meta_events.meta_event import MetaEvent, read_event
from messaging.models import Account
from messaging.whatsapp.inbound import Event

Handler = Callable[[MetaEvent], None]

# By kind and event; an empty event: all other events of the kind. An event without a row is stored and shown, no more.
HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("message_template_status_update", ""): templates.template_status,
    ("message_template_quality_update", ""): templates.template_quality,
    ("template_category_update", ""): templates.template_category,
    ("message_template_components_update", ""): templates.template_components,
    ("account_review_update", ""): accounts.review,
    ("account_update", "ACCOUNT_RESTRICTION"): accounts.restricted,
    ("account_update", "ACCOUNT_VIOLATION"): accounts.violated,
    ("account_update", "DISABLED_UPDATE"): accounts.banned,
    ("account_update", "ACCOUNT_DELETED"): accounts.deleted,
    ("account_update", "ACCOUNT_OFFBOARDED"): accounts.disconnected,
    ("account_update", "PARTNER_REMOVED"): accounts.disconnected,
    ("account_update", "PARTNER_APP_UNINSTALLED"): accounts.disconnected,
    ("phone_number_quality_update", ""): numbers.number_quality,
    ("phone_number_name_update", ""): numbers.number_name,
}


def handle_events(events: Iterable[Event]) -> None:
    """Handle new events, in the order of Meta's times. Inside their transaction."""
    found = [(event, handler) for event in events if (handler := handler_of(event.kind, event.event)) is not None]
    if not found:
        return
    # In the order in which a sync and other webhooks lock accounts.
    waba_ids = {event.waba_id for event, _ in found if event.waba_id}
    list(Account.objects.select_for_update(no_key=True).filter(waba_id__in=waba_ids).order_by("pk"))
    now = timezone.now()
    for event, handler in sorted(found, key=lambda one: one[0].timestamp or now):
        handler(read_event(event))


def handler_of(kind: str, event: str) -> Handler | None:
    """The handler of an event: that of the event, else that of its kind."""
    return HANDLERS.get((kind, event)) or HANDLERS.get((kind, ""))
