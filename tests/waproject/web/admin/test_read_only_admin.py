"""Lists that never count a large table."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.test import RequestFactory

from tests.waproject.web.test_statement_timeout import canceled
from waproject.web.admin import read_only_admin
from waproject.web.admin.read_only_admin import BoundedPaginator, ReadOnlyAdmin, ReadOnlyInline

pytestmark = pytest.mark.django_db


def timeout() -> str:
    """The statement timeout of the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


class Rows:
    """A list whose count ends so; it notes the timeout."""

    def __init__(self, end: Exception | int) -> None:
        self.end, self.asked = end, list[Any]()

    def order_by(self, *fields: str) -> "Rows":
        self.asked.append(fields)
        return self

    def __getitem__(self, part: slice) -> "Rows":
        self.asked.append(part)
        return self

    def count(self) -> int:
        self.asked.append(timeout())
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


def test_at_most_ten_thousand_rows_are_counted_for_at_most_300_ms() -> None:
    with transaction.atomic():
        before = timeout()
        rows: Any = Rows(7)
        assert BoundedPaginator(rows, 50).count == 7
        assert (rows.asked, timeout()) == ([(), slice(None, 10_000), "300ms"], before)


def test_no_more_rows_are_counted_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_only_admin, "MAX_COUNTED", 2)
    for name in "abc":
        User.objects.create(username=name)
    assert BoundedPaginator(User.objects.order_by("username"), 50).count == 2


def test_a_count_that_takes_too_long_shows_ten_thousand() -> None:
    rows: Any = Rows(canceled("57014"))
    assert BoundedPaginator(rows, 50).count == 10_000


def test_a_lost_database_is_an_error_and_no_count() -> None:
    rows: Any = Rows(canceled("57P01"))
    with pytest.raises(OperationalError):
        _ = BoundedPaginator(rows, 50).count


def test_nobody_edits_a_read_only_page() -> None:
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(has_perm=lambda _: True)  # type: ignore[assignment]
    page = ReadOnlyAdmin(User, admin.site)
    assert [
        page.has_add_permission(request), page.has_change_permission(request), page.has_delete_permission(request),
    ] == [False] * 3  # fmt: skip


def test_nobody_edits_read_only_rows() -> None:
    class Users(ReadOnlyInline):
        model = User

    rows, request = Users(User, admin.site), RequestFactory().get("/")
    assert (rows.has_add_permission(request), rows.has_change_permission(request)) == (False, False)
