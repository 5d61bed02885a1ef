"""Buttons of an object's page, apart from Django's pages."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import RequestFactory

from messaging.models import Message
from waproject.web.admin.object_buttons import ObjectButtons

REQUEST: Any = RequestFactory().post("/")
OBJECT: Any = SimpleNamespace(pk="a/b")


class Base:
    """Django's page: two actions of its own, and one of the site's."""

    actions: Any = ("cancel", "retry")
    opts = Message._meta
    admin_site = SimpleNamespace(admin_view=lambda view: ("checked", view))

    def __init__(self, answer: Any = None) -> None:
        self.answer, self.calls = answer, list[Any]()

    def get_object(self, request: Any, pk: str) -> Any:
        return OBJECT if (request, pk) == (REQUEST, "a/b") else None

    def get_actions(self, request: Any) -> Any:
        assert request is REQUEST

        def run(*given: Any) -> Any:
            self.calls.append(given)
            return self.answer

        return {name: (run, name, name.title()) for name in ("cancel", "retry", "delete_selected")}

    def get_queryset(self, request: Any) -> Any:
        assert request is REQUEST
        return SimpleNamespace(filter=lambda **given: given)

    def render_change_form(self, *given: Any, **options: Any) -> Any:
        return given, options

    def get_urls(self) -> list[Any]:
        return ["Django's"]


class Page(ObjectButtons, Base):
    """A page with buttons."""


def test_a_button_runs_its_action_on_the_object_alone_and_leads_back() -> None:
    page = Page()
    answer = page.press(REQUEST, "a_2Fb", "cancel")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/messaging/message/a_2Fb/change/")
    assert page.calls == [(page, REQUEST, {"pk": "a/b"})]


def test_an_action_may_have_a_page_of_its_own() -> None:
    assert Page("a new secret").press(REQUEST, "a_2Fb", "retry") == "a new secret"


@pytest.mark.parametrize(
    ("pk", "action", "error"),
    [("other", "cancel", Http404), ("a_2Fb", "delete_selected", PermissionDenied), ("a_2Fb", "x", PermissionDenied)],
)
def test_nothing_else_is_a_button(pk: str, action: str, error: type[Exception]) -> None:
    page = Page()
    with pytest.raises(error):
        page.press(REQUEST, pk, action)
    assert page.calls == []


CANCEL = ("/admin/messaging/message/a/b/do/cancel/", "Cancel")
RETRY = ("/admin/messaging/message/a/b/do/retry/", "Retry")


@pytest.mark.parametrize(
    ("offered", "actions", "buttons"),
    [
        (None, ("cancel", "retry"), [CANCEL, RETRY]),
        ({"retry"}, ("cancel", "retry"), [RETRY]),
        (set(), ("cancel", "retry"), []),
        (None, None, []),
    ],
)
def test_a_page_has_the_buttons_that_its_object_allows(
    offered: set[str] | None, actions: Any, buttons: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, context = Page(), dict[str, Any]()
    monkeypatch.setattr(Page, "actions", actions)
    if offered is not None:
        monkeypatch.setattr(Page, "buttons_of", lambda _, obj: offered if obj is OBJECT else None)
    assert page.render_change_form(REQUEST, context, 7, obj=OBJECT, add=False) == (
        (REQUEST, context, 7), {"obj": OBJECT, "add": False},
    )  # fmt: skip
    assert context == {"object_buttons": buttons}


def test_the_page_of_a_new_object_has_no_buttons() -> None:
    context: dict[str, Any] = {}
    Page().render_change_form(REQUEST, context, obj=None)
    assert context == {}


def test_a_button_is_pressed_by_a_post_that_the_site_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed: list[Any] = []
    monkeypatch.setattr(Page, "press", lambda _, *given: pressed.append(given))
    page = Page()
    views: list[Any] = []

    def admin_view(view: Any) -> Any:
        views.append(view)
        return view

    monkeypatch.setattr(Base, "admin_site", SimpleNamespace(admin_view=admin_view))
    url, rest = cast("list[Any]", page.get_urls())
    assert (rest, url.name, str(url.pattern)) == (
        "Django's", "messaging_message_do", "<path:object_id>/do/<str:action>/",
    )  # fmt: skip
    (view,) = views
    assert view(RequestFactory().get("/"), "7", "cancel").status_code == 405
    view(REQUEST, "7", "cancel")
    assert pressed == [(REQUEST, "7", "cancel")]
