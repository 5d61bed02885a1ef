"""`manage.py create_api_key`."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from rest_framework.test import APIClient

from messaging.models import ApiClient, ApiKey, AuditEntry
from tests.messaging.lock_order import in_own_connection, is_waited_for
from tests.waiting import eventually

pytestmark = pytest.mark.django_db


def created(*options: str) -> str:
    out = StringIO()
    call_command("create_api_key", *options, stdout=out)
    return out.getvalue().strip()


def test_the_key_opens_the_api() -> None:
    answer = APIClient().get("/messaging/messages", HTTP_AUTHORIZATION=f"Bearer {created('Shop')}")
    assert answer.status_code == 200


def test_a_second_key_is_one_of_the_same_client() -> None:
    assert created("Shop") != created(" Shop ")
    assert ApiClient.objects.get().keys.count() == 2


def test_an_operator_is_made_from_a_terminal_and_audited() -> None:
    created("Shop")
    created("Shop", "--operator")
    assert ApiClient.objects.get().operator
    assert AuditEntry.objects.get(action="change client").details == {"operator": True}


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "\0", "\udcff", "\u202e"])
def test_a_name_that_no_list_could_show_is_refused_and_makes_nothing(name: str) -> None:
    with pytest.raises(CommandError, match="cannot be a client's name"):
        created(name)
    assert not ApiClient.objects.exists()


def test_no_key_is_made_that_would_be_refused() -> None:
    ApiClient.objects.create(name="Shop", active=False)
    with pytest.raises(CommandError, match="inactive"):
        created("Shop", "--operator")
    assert not ApiKey.objects.exists() and not ApiClient.objects.get().operator


@pytest.mark.django_db(transaction=True)
def test_two_first_keys_of_a_client_at_once_are_of_one_client() -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            created("Shop")
            other = pool.submit(in_own_connection, lambda: created("Shop"))
            assert eventually(is_waited_for, every=0.01)
        other.result()
    assert ApiClient.objects.get().keys.count() == 2
