"""Reactions to what Meta says about templates, accounts and numbers: holds, pauses, alerts and audit entries."""

from messaging.reactions.table import REACTIONS, react
from messaging.reactions.template_statuses import apply_statuses

__all__ = ["REACTIONS", "apply_statuses", "react"]
