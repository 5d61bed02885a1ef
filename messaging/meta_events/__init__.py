"""Reactions to what Meta says about templates, accounts and numbers: holds, pauses, alerts and audit entries."""

from messaging.meta_events.handlers import HANDLERS, handle_events
from messaging.meta_events.template_statuses import apply_statuses

__all__ = ["HANDLERS", "apply_statuses", "handle_events"]
