"""Reasons of alerts: what the pipeline recorded about the number, template or subscription of an alert."""

from collections.abc import Callable, Mapping

from messaging import reads

REASONS: Mapping[str, Callable[[str], str]] = {
    "number-paused": reads.pause_reason,
    "template-held": reads.hold_reason,
    "subscription-disabled": reads.disable_reason,
}


def reason_of(rule: str, key: str) -> str:
    """A sentence, or an empty string where nothing is recorded. Makes one query."""
    return REASONS[rule](key).strip() if rule in REASONS else ""
