"""Accounts of the admin with few permissions."""

from django.contrib.auth.models import Permission, User
from django.test import Client


def staff(*permissions: str, name: str = "ann") -> Client:
    """Somebody of the staff with these permissions alone, logged in."""
    account = User.objects.create(username=name, is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(account)
    return client
