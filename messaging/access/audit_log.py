"""The audit log: one entry per manual action."""

from messaging.models import AuditEntry

WHO_LENGTH = 150


def record_action(who: str, action: str, on: str, **details: object) -> None:
    """Record one manual action, in its transaction. `on` is a kind and our id; no phone number and no message text."""
    AuditEntry.objects.create(who=who[:WHO_LENGTH], action=action, object=on, details=details)
