"""Reactions to what Meta says about templates, accounts and numbers: holds, pauses, alerts and audit entries."""

from messaging.reactions.table import REACTIONS, react

__all__ = ["REACTIONS", "react"]
