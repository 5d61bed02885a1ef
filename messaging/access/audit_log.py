"""The audit log: one entry per manual action."""

from messaging.models import ApiClient, AuditEntry

WHO_LENGTH = 150


def note(who: str, action: str, on: str, **details: object) -> None:
    """One decision, in the transaction of what it decided. `on` is a kind and our own id; no number, no text."""
    AuditEntry.objects.create(who=who[:WHO_LENGTH], action=action, object=on, details=details)


def name_of(client: ApiClient) -> str:
    """How a client appears as the one who did it; a person appears under the name of the account."""
    return f"API client {client}"
