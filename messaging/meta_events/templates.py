"""Reactions to Meta's events about templates."""

from messaging.access import record_action
from messaging.lifecycle import alert
from messaging.message_templates import (
    FLAGGED,
    UNARCHIVED,
    TemplateKey,
    record_category,
    record_quality,
    record_status,
    request_sync,
)
from messaging.meta_events.meta_event import META, MetaEvent
from messaging.meta_events.template_statuses import apply_statuses


def template_status(event: MetaEvent) -> None:
    """PAUSED, DISABLED, REJECTED, APPROVED …: stored; messages are held or continue."""
    key = _key(event)
    if not (key.waba_id and key.name and key.language):
        return
    status, category = event.update.event[:40], event.text("message_template_category", 40)
    if category:
        # Also of an event whose status is older than the stored one, or is none: consent follows the category.
        record_category(key, category, event.at)
    if status == FLAGGED:
        alert("template", f"flagged:{key.name}", "Meta has flagged the template because of its quality")
        record_action(META, "template flagged", f"account {key.waba_id}", name=key.name, language=key.language)
        return
    if status == UNARCHIVED:
        request_sync(key.waba_id)
        return
    reason = event.text("reason")
    change = record_status(
        key,
        status,
        reason="" if reason == "NONE" else reason,
        at=event.at,
        category=category,
    )
    if change is not None:
        apply_statuses(key.waba_id, [change])


def template_quality(event: MetaEvent) -> None:
    """A new quality score: stored; RED is an alert."""
    key, quality = _key(event), event.text("new_quality_score", 20)
    record_quality(key, quality, event.at)
    record_action(META, "template quality", f"account {key.waba_id}", name=key.name, quality=quality)
    if quality == "RED":
        alert("template", f"quality:{key.name}", "Meta rates the template's quality RED: it may be paused soon")


def template_category(event: MetaEvent) -> None:
    """A new category: stored, as consent and prices follow it. An announced one (`correct_category`) is an alert."""
    key, category = _key(event), event.text("new_category", 40)
    announced = event.text("correct_category", 40)
    record_category(key, category, event.at)
    record_action(META, "template category", f"account {key.waba_id}", name=key.name, category=category)
    if announced and announced != category:
        alert("template", f"category:{key.name}", f"Meta is going to move the template from {category} to {announced}")
    elif category == "MARKETING":
        alert("template", f"category:{key.name}", "Meta has made it a marketing template, which needs consent")


def template_components(event: MetaEvent) -> None:
    """Other components: the account's templates are synced at once."""
    request_sync(event.waba_id)


def _key(event: MetaEvent) -> TemplateKey:
    return TemplateKey(event.waba_id, event.update.subject, event.text("message_template_language", 20))
