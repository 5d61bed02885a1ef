"""The sidebar of the admin."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory

from waproject.web.admin import theme


def test_an_item_links_to_the_list_of_its_model() -> None:
    item = theme._item("Alerts", "notifications", "monitoring.alert")
    assert (item["title"], item["icon"], str(item["link"])) == ("Alerts", "notifications", "/admin/monitoring/alert/")


@pytest.mark.parametrize(("held", "shown"), [("monitoring.view_alert", True), ("monitoring.change_alert", False)])
def test_an_item_is_shown_to_who_may_view_its_model(held: str, shown: bool) -> None:
    request: Any = RequestFactory().get("/")
    request.user = SimpleNamespace(has_perm=lambda name: name == held)
    assert theme._item("Alerts", "notifications", "monitoring.alert")["permission"](request) is shown


def test_the_pages_have_the_style_sheet() -> None:
    assert theme._style(RequestFactory().get("/")).startswith("/static/waproject/admin")
