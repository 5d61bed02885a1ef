"""What all pages of the admin have in common."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin import SimpleListFilter
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.test import RequestFactory
from psycopg2.errors import ForeignKeyViolation, UniqueViolation

from messaging.models import Message
from waproject.web.admin import themed_admin
from waproject.web.admin.themed_admin import AddPage, CheckedActions, EditedColumns, RepeatedSaves, ShownLookups

REQUEST: Any = RequestFactory().get("/")


class Fields:
    """Django's page, with the fields of an account."""

    model = User
    groups: Any = (
        (None, {"fields": ["username", ("first_name", "last_login"), ("date_joined",)]}),
        ("Times", {"fields": ("date_joined", "last_login"), "classes": ["wide"]}),
        ("Of the page", {"fields": ["age"]}),
    )

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:
        assert request is REQUEST
        return self.groups if obj is None or obj.username != "old" else self.groups[:1]

    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:
        assert (request, obj) == (REQUEST, None)
        return ("date_joined", "last_login", "age")


class Accounts(AddPage, Fields):
    """A page that adds accounts."""


def test_a_page_for_a_new_row_shows_no_column_that_only_a_stored_row_has() -> None:
    assert Accounts().get_fieldsets(REQUEST) == [
        (None, {"fields": ["username", ("first_name",)]}),
        ("Of the page", {"fields": ["age"]}),
    ]


def test_the_page_of_a_stored_row_shows_all() -> None:
    assert Accounts().get_fieldsets(REQUEST, User()) is Fields.groups


def test_the_page_of_a_stored_row_shows_the_fields_of_this_row() -> None:
    assert Accounts().get_fieldsets(REQUEST, User(username="old")) == Fields.groups[:1]


def test_a_group_of_fields_keeps_its_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fields, "groups", [("A", {"fields": ("email", "last_login"), "classes": ["wide"]})])
    assert Accounts().get_fieldsets(REQUEST) == [("A", {"fields": ["email"], "classes": ["wide"]})]


class Actions:
    """Django's page."""

    def response_action(self, request: Any, queryset: Any) -> Any:
        return "ran", request, queryset


class ActionsOfAccounts(CheckedActions, Actions):
    """A list with actions."""


@pytest.mark.parametrize(("ids", "is_taken"), [(["1", "2"], True), ([], True), (["1", "x"], False)])
def test_an_action_on_an_invalid_id_is_a_400(ids: list[str], is_taken: bool) -> None:
    request: Any = RequestFactory().post("/", {"_selected_action": ids})
    rows: Any = SimpleNamespace(model=User)
    if is_taken:
        assert ActionsOfAccounts().response_action(request, rows) == ("ran", request, rows)
    else:
        with pytest.raises(SuspiciousOperation):
            ActionsOfAccounts().response_action(request, rows)


class Saves:
    """Django's page, which stores."""

    def __init__(self, *causes: Exception | None) -> None:
        self.causes, self.calls = list(causes), list[Any]()

    def changeform_view(self, *given: Any, **options: Any) -> Any:
        self.calls.append((given, options))
        if self.causes and (cause := self.causes.pop(0)):
            raise IntegrityError from cause
        return "page"

    def save_model(self, *given: Any) -> None:
        self.calls.append(given)


class TwoSaves(RepeatedSaves, Saves):
    """A page that two requests save."""


@pytest.mark.parametrize(
    ("causes", "tries", "is_stored"),
    [
        ([None], 1, True),
        ([UniqueViolation()], 2, True),
        ([ForeignKeyViolation()], 1, False),
        ([UniqueViolation(), UniqueViolation()], 2, False),
    ],
    ids=["alone", "a rival", "another fault", "a rival again"],
)
def test_a_form_is_checked_again_where_a_rival_row_was_stored(
    causes: list[Exception | None], tries: int, is_stored: bool
) -> None:
    page = TwoSaves(*causes)
    if is_stored:
        assert page.changeform_view(REQUEST, "7", form_url="x") == "page"
    else:
        with pytest.raises(IntegrityError):
            page.changeform_view(REQUEST, "7", form_url="x")
    assert page.calls == [((REQUEST, "7"), {"form_url": "x"})] * tries


class Edits(EditedColumns, Saves):
    """A page that stores what was edited."""


def test_a_changed_row_stores_what_was_edited_and_a_new_one_all() -> None:
    saved: list[Any] = []
    row: Any = SimpleNamespace(_meta=User._meta, save=lambda **given: saved.append(given))
    form: Any = SimpleNamespace(changed_data=["email", "groups"])
    page = Edits()
    page.save_model(REQUEST, row, form, True)
    assert (saved, page.calls) == ([{"update_fields": {"email"}}], [])
    page.save_model(REQUEST, row, form, False)
    assert (len(saved), page.calls) == (1, [(REQUEST, row, form, False)])


class Age(SimpleListFilter):
    """A filter of our own."""

    title, parameter_name = "age", "age"


class Listed:
    """Django's list."""

    model, opts = User, User._meta
    allows = True

    def lookup_allowed(self, *given: Any) -> bool:
        assert given[1:] == ("1", REQUEST)
        return self.allows

    def get_search_fields(self, _: Any) -> Any:
        return ("^username", "=email", "groups__name")

    def get_list_filter(self, _: Any) -> Any:
        return (("is_active", object), "is_staff", Age)

    def get_fieldsets(self, _: Any) -> Any:
        return ((None, {"fields": ("email",)}),)

    def get_readonly_fields(self, _: Any) -> Any:
        return ("last_login",)

    def get_list_display(self, _: Any) -> Any:
        return ("username", "groups", len)


class ListOfAccounts(ShownLookups, Listed):
    """A list of accounts."""

    linked_fields = ("date_joined__year", "first_name")


@pytest.mark.parametrize(
    ("lookup", "is_allowed"),
    [
        ("pk", True), ("pk__in", True), ("id__exact", True), ("id__regex", False),
        ("username", True), ("username__startswith", True), ("username__icontains", True), ("username__regex", False),
        ("email__iexact", True), ("email__gte", True), ("email__iendswith", False),
        ("is_active__exact", True), ("is_staff__exact", True), ("is_staff__contains", False),
        ("last_login__gte", True), ("last_login__startswith", False), ("last_login__year", False),
        ("last_login__isnull", True), ("last_login__isempty", True),
        ("groups__id__exact", True), ("groups__name__startswith", True), ("groups__name__regex", False),
        ("date_joined__year", True), ("date_joined__year__gt", False), ("date_joined__gte", True),
        ("first_name", True), ("first_name__startswith", False),
        ("age", True), ("age__x", False),
        ("password", False), ("password__startswith", False), ("last_name__exact", False),
    ],
)  # fmt: skip
def test_a_list_is_filtered_by_what_it_shows_and_by_quick_comparisons(lookup: str, is_allowed: bool) -> None:
    assert ListOfAccounts().lookup_allowed(lookup, "1", REQUEST) is is_allowed


def test_what_django_refuses_stays_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listed, "allows", False)
    assert not ListOfAccounts().lookup_allowed("username", "1", REQUEST)


@pytest.mark.parametrize(
    ("lookup", "comparison"),
    [
        ("pk", ""),
        ("pk__in", "in"),
        ("status", ""),
        ("number__id__exact", "exact"),
        ("number_id__exact", "exact"),
        ("number__display_phone_number__regex", "regex"),
        ("at__year__gt", "year__gt"),
        ("nothing__exact", "nothing__exact"),
        ("pk__id", "id"),
        ("status__number", "number"),
    ],
)
def test_what_follows_the_fields_of_a_lookup_is_its_comparison(lookup: str, comparison: str) -> None:
    assert themed_admin._comparison(Message, lookup) == comparison
