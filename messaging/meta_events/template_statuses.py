"""Reactions to a template's status, whether a webhook or a sync reports it."""

from collections.abc import Iterable

from messaging.access import record_action
from messaging.lifecycle import alert
from messaging.message_templates import DELETED, SENDABLE, StatusChange
from messaging.outgoing import held_templates, hold_template, release_template

META, SYSTEM = "meta", "system"
# Waiting messages of these are held, since Meta would refuse them for good: a person can have Meta approve the template
# again, or cancel them.
HELD = frozenset({"PAUSED", "DISABLED", "REJECTED", "PENDING", "IN_APPEAL", "LOCKED"})
# Held messages continue. Of a deleted template each gets Meta's refusal, as nothing will approve it again.
RELEASED = (SENDABLE - HELD) | {DELETED}


def apply_statuses(waba_id: str, changes: Iterable[StatusChange], *, is_listed: bool = False) -> None:
    """Hold or release the messages of an account's templates, alert and audit. Inside a transaction; idempotent.

    `is_listed`: found in Meta's list, which also has templates that were refused long ago.
    """
    held = held_templates(waba_id)
    for change in changes:
        if change.after in HELD and _has_messages(change, is_listed):
            _hold(change)
        elif change.after == "REJECTED" and not is_listed:
            alert("template", f"rejected:{change.template.name}", _words(change))
        elif change.after in RELEASED and (change.template.name, change.template.language) in held:
            _release(change)


def _has_messages(change: StatusChange, is_listed: bool) -> bool:
    """Whether messages may wait: sends of a template that never was approved are refused."""
    if not change.before:
        return change.after == "PAUSED" or (change.after != "PENDING" and not is_listed)
    return change.before in SENDABLE or (change.before in HELD and change.before != "PENDING")


def _hold(change: StatusChange) -> None:
    key = change.template
    hold = hold_template(key.name, waba_id=key.waba_id, language=key.language, by=META, reason=_words(change))
    if hold.is_new:
        record_action(META, "hold", f"hold {hold.pk}", key=key.name, language=key.language, status=change.after)


def _release(change: StatusChange) -> None:
    """Also the hold after Meta's refusal 132015, which would otherwise wait for its time."""
    key = change.template
    for by in (META, SYSTEM):
        for pk in release_template(key.waba_id, key.name, key.language, by=by):
            record_action(META, "resume", f"hold {pk}", key=key.name, language=key.language, status=change.after)


def _words(change: StatusChange) -> str:
    return f"Meta's status of the template is {change.after}" + (f": {change.reason}" if change.reason else "")
