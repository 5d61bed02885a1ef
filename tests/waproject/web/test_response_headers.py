"""Headers that keep foreign scripts out of pages, and personal data out of caches."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
PAGES = ["/admin/", "/admin/login/", "/api/docs/", "/monitoring/dashboard", "/admin/messaging/conversation/"]
PERSONAL = ["/messaging/messages", "/admin/messaging/message/", "/admin/messaging/contact/", "/monitoring/summary"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_scripts_of_its_own_host_only(path: str, admin_client: Client) -> None:
    policy = admin_client.get(path, follow=True).headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert set(scripts.split()) <= {"script-src", "'self'", "'unsafe-eval'"}


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_an_inline_script(path: str, admin_client: Client) -> None:
    page = admin_client.get(path, follow=True).content.decode()
    assert "<script>" not in page and "javascript:" not in page


@pytest.mark.parametrize("path", PERSONAL)
def test_an_answer_with_personal_data_is_not_cached(path: str, admin_client: Client) -> None:
    assert "no-store" in admin_client.get(path).headers["Cache-Control"]
