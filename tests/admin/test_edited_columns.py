"""A page stores what was edited alone: other columns may have changed since it was opened."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.utils import timezone

from messaging.models import ApiClient, TemplateCategory

pytestmark = pytest.mark.django_db


def category() -> TemplateCategory:
    return TemplateCategory.objects.create(name="offer", category="utility")


@pytest.mark.parametrize(
    ("make", "edited", "meanwhile"),
    [
        (lambda: ApiClient.objects.create(name="shop"), {"name": "store"}, {"active": False}),
        (category, {"name": "sale"}, {"category": "marketing"}),
        (lambda: User.objects.create(username="bob"), {"first_name": "Bob"}, {"last_login": timezone.now()}),
    ],
    ids=["client", "template category", "user"],
)
def test_an_edit_keeps_what_others_have_changed_meanwhile(
    make: Any, edited: dict[str, Any], meanwhile: dict[str, Any], rf: Any, admin_user: Any
) -> None:
    opened = make()
    rows = type(opened)._default_manager.filter(pk=opened.pk)
    rows.update(**meanwhile)
    for name, value in edited.items():
        setattr(opened, name, value)
    request = rf.post("/")
    request.user = admin_user
    # Groups are edited on the same page, and stored by themselves.
    form = SimpleNamespace(changed_data=[*edited, "groups"])
    admin.site.get_model_admin(type(opened)).save_model(request, opened, form, True)
    expected = edited | meanwhile
    assert rows.values(*expected).get() == expected
