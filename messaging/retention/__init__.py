"""Retention: how long each kind of data is stored, and the deletion of what is older."""

from messaging.retention.message_age import is_beyond_retention
from messaging.retention.rules import OldRows, OldRowsByTime, Rule, Step, register, registered

__all__ = ["OldRows", "OldRowsByTime", "Rule", "Step", "is_beyond_retention", "register", "registered"]
