"""The audit log: one entry per manual action."""

from messaging.models import ApiClient, AuditEntry

WHO_LENGTH = 150


def note(who: str, action: str, on: str, **details: object) -> None:
    """Record one decision, in its transaction. `on` is a kind and our own id: no phone number, no text."""
    AuditEntry.objects.create(who=who[:WHO_LENGTH], action=action, object=on, details=details)


def name_of(client: ApiClient) -> str:
    """A client's name in the audit log; a person has the name of the account."""
    return f"API client {client}"
