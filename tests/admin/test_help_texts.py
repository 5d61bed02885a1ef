"""The words of the admin's pages: plain text, in which a backtick would be shown as one."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory

OWN = ("messaging", "analytics", "monitoring")
MODELS = [model for name in OWN for model in apps.get_app_config(name).get_models()]


def words(model: Any) -> Iterator[str]:
    """The help texts of a model, of its form and of its list, and the names of its actions."""
    yield from (str(getattr(field, "help_text", "")) for field in model._meta.get_fields())
    page: Any = admin.site._registry.get(model)
    if page is None:
        return
    request = RequestFactory().get("/admin/")
    request.user = User(username="ann", is_staff=True, is_superuser=True)
    form = page.get_form(request) if page.has_add_permission(request) else page.form
    yield from (str(field.help_text) for field in form.base_fields.values())
    yield from (label for _, _, label in page.get_actions(request).values())
    yield str(page.search_help_text or "")


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_no_page_shows_a_backtick(model: Any) -> None:
    assert [text for text in words(model) if "`" in text] == []
