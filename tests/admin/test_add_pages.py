"""A page for a new row shows fields to fill in, and nothing that only a stored row has."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from tests.messaging.factories import number

pytestmark = pytest.mark.django_db


def test_no_add_page_shows_a_column_that_a_new_row_does_not_have(admin_client: Client) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(is_superuser=True)
    addable = {model: page for model, page in admin.site._registry.items() if page.has_add_permission(request)}
    assert {"account", "businessnumber", "hold", "user"} <= {str(model._meta.model_name) for model in addable}
    faults = {}
    for model, page_of in addable.items():
        answer = admin_client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
        page = answer.content.decode()
        read_only = {field.name for field in model._meta.get_fields()} & set(page_of.get_readonly_fields(request))
        shown = sorted(name for name in read_only if re.search(rf"field-{name}\b", page))
        if answer.status_code != 200 or "object at 0x" in page or shown:
            faults[model._meta.label] = (answer.status_code, shown)
    assert faults == {}


def test_a_stored_number_shows_what_meta_owns(admin_client: Client) -> None:
    row = number(verified_name="Example shop")
    page = admin_client.get(reverse("admin:messaging_businessnumber_change", args=[row.pk])).content.decode()
    assert "Example shop" in page
