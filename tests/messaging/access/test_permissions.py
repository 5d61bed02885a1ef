"""Permissions of staff at the API. tests/api/test_permissions.py has every endpoint with every kind of caller."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from messaging.access import IsOperatorOrStaff
from messaging.access.authentication import Caller
from messaging.models import ApiClient
from messaging.template_management.api import TemplateListView
from tests.messaging.accepting.test_api import EXAMPLE
from tests.messaging.factories import pending

pytestmark = pytest.mark.django_db
LIST = "/messaging/messages"


def test_staff_may_use_the_api_in_a_browser(admin_client: Client) -> None:
    pending(2)
    page = admin_client.get(LIST, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("url", ["/messaging/send", "/messaging/send/bulk", "/messaging/analytics"])
def test_the_browsable_pages_of_post_only_endpoints_render(url: str, admin_client: Client) -> None:
    assert admin_client.get(url, headers={"Accept": "text/html"}).status_code == 405


def test_a_browsers_post_needs_a_csrf_token(admin_user: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin_user)
    assert browser.post("/messaging/send", EXAMPLE, content_type="application/json").status_code == 403


def test_the_browsable_page_escapes_a_message(admin_client: Client) -> None:
    pending(1, peer="1<script>alert(1)</script>")
    page = admin_client.get(LIST, headers={"Accept": "text/html"}).content
    assert b"<script>alert" not in page


def test_a_user_who_is_not_staff_is_refused(client: Client, django_user_model: type[User]) -> None:
    client.force_login(django_user_model.objects.create_user("joe"))
    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_view_that_names_no_permissions_is_for_superusers(is_superuser: bool) -> None:
    class Bare(APIView):
        def get(self, request: Request) -> None:
            """Answer nothing."""

    request: Any = Request(APIRequestFactory().get("/bare"))
    request.user = User(is_staff=True, is_superuser=is_superuser)
    assert IsOperatorOrStaff().has_permission(request, Bare()) == is_superuser


@pytest.mark.parametrize(
    ("method", "operator", "is_allowed"),
    [("GET", False, True), ("HEAD", False, True), ("GET", True, True), ("OPTIONS", False, True)]
    + [(method, operator, operator) for method in ("POST", "PUT", "PATCH", "DELETE") for operator in (False, True)],
)
def test_a_key_may_read_what_concerns_all_clients_and_an_operators_key_may_change_it(
    method: str, operator: bool, is_allowed: bool
) -> None:
    request: Any = Request(APIRequestFactory().generic(method, "/messaging/templates"))
    request.user = Caller(ApiClient(name="shop", operator=operator))
    assert IsOperatorOrStaff().has_permission(request, TemplateListView()) == is_allowed
