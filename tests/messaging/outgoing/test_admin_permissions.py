"""The admin permission that an action on messages needs, and what it leaves in the audit log."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from messaging.models import AuditEntry
from messaging.states import Status
from tests.messaging.factories import in_state, states_of
from tests.messaging.messages.test_admin import act

pytestmark = pytest.mark.django_db


def client_with(*codenames: str) -> Client:
    """Staff with these permissions."""
    account = User.objects.create(username="ann", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(account)
    return client


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("cancel", Status.PENDING, "cancelled"),
        ("mark_failed", Status.UNKNOWN, "failed"),
        ("send_again", Status.FAILED, "pending"),
        ("send_again", Status.UNKNOWN, "pending"),
    ],
)
def test_who_may_change_messages_may_act_on_them(action: str, before: Status, after: str) -> None:
    message = in_state(before)
    act(client_with("view_message", "change_message"), "message", action, message.pk)
    assert states_of(message.id) == [after]


@pytest.mark.parametrize(("action", "before"), [("mark_failed", Status.UNKNOWN), ("send_again", Status.FAILED)])
def test_the_audit_log_keeps_who_acted_on_which_message_and_its_state_before(action: str, before: Status) -> None:
    message = in_state(before)
    act(client_with("view_message", "change_message"), "message", action, message.pk)
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.object) == ("ann", action.replace("_", " "), f"message {message.pk}")
    assert entry.details == {"before": before}
