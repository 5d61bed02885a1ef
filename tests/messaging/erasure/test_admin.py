"""Staff with the permission erase a person from the contact's page, after a question."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from messaging.models import Contact
from tests.messaging.erasure.personal_rows import USER_ID, everything, tables_with

pytestmark = pytest.mark.usefixtures("planted")


def press(client: Client, **fields: str) -> tuple[int, str]:
    """Press the button: the status and the page."""
    contact = Contact.objects.get(user_id=USER_ID)
    answer = client.post(f"/admin/messaging/contact/{contact.pk}/do/erase/", fields)
    return answer.status_code, answer.content.decode()


def test_the_first_press_asks(admin_client: Client) -> None:
    status, page = press(admin_client)
    assert (status, "3 messages lose their texts" in page) == (200, True)


def test_the_second_press_erases(admin_client: Client) -> None:
    press(admin_client, confirmed="yes")
    assert tables_with(*everything()) == []


def test_staff_without_the_permission_may_not() -> None:
    staff = User.objects.create(username="sam", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_contact", "change_contact"]))
    client = Client()
    client.force_login(staff)
    assert press(client, confirmed="yes")[0] == 403
