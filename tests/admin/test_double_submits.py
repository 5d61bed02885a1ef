"""A form that two requests save at once: one is saved, and the other shows which field is taken."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.db.models.signals import pre_save
from django.test import Client

from messaging.models import Account, ApiClient, BusinessNumber

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = {"keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}
PASSWORDS = {"usable_password": "true", "password1": "Xk29-alkjsd1", "password2": "Xk29-alkjsd1"}
FORMS: list[tuple[type[Model], str, str, dict[str, str]]] = [
    (ApiClient, "messaging/apiclient", "name", {"name": "shop", "active": "on", **KEYS}),
    (BusinessNumber, "messaging/businessnumber", "phone_number_id", {"phone_number_id": "4711", "rate": "80"}),
    (Account, "messaging/account", "waba_id", {"waba_id": "4711", "token_name": "WA_ACCESS_TOKEN"}),
    (Group, "auth/group", "name", {"name": "shop"}),
    (User, "auth/user", "username", {"username": "shop", **PASSWORDS}),
]
Rival = Callable[[type[Model], dict[str, Any]], None]


@pytest.fixture
def rival() -> Iterator[Rival]:
    """Makes another request save its row after the form was checked and before it is saved."""
    saved: list[type[Model]] = []

    def plan(model: type[Model], values: dict[str, Any]) -> None:
        def save_first(sender: type[Model], **_: Any) -> None:
            pre_save.disconnect(save_first, sender=model)

            def save() -> None:
                model._default_manager.create(**values)
                connection.close()

            with ThreadPoolExecutor(1) as other:
                other.submit(save).result()

        pre_save.connect(save_first, sender=model, weak=False)
        saved.append(model)

    yield plan
    assert not any(pre_save.has_listeners(model) for model in saved)


@pytest.mark.parametrize("case", FORMS, ids=lambda case: case[1])
def test_the_second_of_two_saves_shows_the_form_again(
    case: tuple[type[Model], str, str, dict[str, str]], rival: Rival, admin_client: Client
) -> None:
    model, path, field, form = case
    rival(model, {field: form[field]})
    answer = admin_client.post(f"/admin/{path}/add/", form)
    assert (answer.status_code, "already exists" in answer.content.decode()) == (200, True)
    assert model._default_manager.filter(**{field: form[field]}).count() == 1
