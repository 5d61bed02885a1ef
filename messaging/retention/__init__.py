"""Retention: how long each kind of data is stored, and the deletion of what is older."""

from messaging.retention.message_age import is_beyond_retention
from messaging.retention.rules import OldRows, Rule, Step, register, registered

__all__ = ["OldRows", "Rule", "Step", "is_beyond_retention", "register", "registered"]
