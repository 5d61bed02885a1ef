"""Reactions to Meta's events about templates."""

from messaging.access import record_action
from messaging.lifecycle import alert
from messaging.message_templates import (
    FLAGGED,
    TemplateKey,
    record_category,
    record_quality,
    record_status,
    request_sync,
)
from messaging.reactions.given import META, Given
from messaging.reactions.template_statuses import apply_statuses


def template_status(given: Given) -> None:
    """PAUSED, DISABLED, REJECTED, APPROVED …: stored; messages are held or go on."""
    key = _key(given)
    if not (key.waba_id and key.name and key.language):
        return
    event = given.event.event[:40]
    if event == FLAGGED:
        alert("template", f"flagged:{key.name}", "Meta has flagged the template because of its quality")
        record_action(META, "template flagged", f"account {key.waba_id}", name=key.name, language=key.language)
        return
    reason = given.text("reason")
    change = record_status(
        key,
        event,
        reason="" if reason == "NONE" else reason,
        at=given.at,
        category=given.text("message_template_category", 40),
    )
    if change is not None:
        apply_statuses(key.waba_id, [change])


def template_quality(given: Given) -> None:
    """A new quality score: stored; RED is an alert."""
    key, quality = _key(given), given.text("new_quality_score", 20)
    record_quality(key, quality)
    record_action(META, "template quality", f"account {key.waba_id}", name=key.name, quality=quality)
    if quality == "RED":
        alert("template", f"quality:{key.name}", "Meta rates the template's quality RED: it may be paused soon")


def template_category(given: Given) -> None:
    """A new category: stored, as consent and prices follow it. An announced one (`correct_category`) is an alert."""
    key, category = _key(given), given.text("new_category", 40)
    announced = given.text("correct_category", 40)
    record_category(key, category)
    record_action(META, "template category", f"account {key.waba_id}", name=key.name, category=category)
    if announced and announced != category:
        alert("template", f"category:{key.name}", f"Meta is going to move the template from {category} to {announced}")
    elif category == "MARKETING":
        alert("template", f"category:{key.name}", "Meta has made it a marketing template, which needs consent")


def template_components(given: Given) -> None:
    """Other components: the account's templates are synced at once."""
    request_sync(given.waba_id)


def _key(given: Given) -> TemplateKey:
    return TemplateKey(given.waba_id, given.event.subject, given.text("message_template_language", 20))
