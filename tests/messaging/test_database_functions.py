"""Functions of the database."""

import re

import pytest
from django.db import connection

from tests.processes import CHECKOUT


@pytest.mark.django_db
def test_code_names_every_function_of_the_database() -> None:
    code = "".join(
        path.read_text() for path in (CHECKOUT / "messaging").rglob("*.py") if path.parent.name != "migrations"
    )
    with connection.cursor() as cursor:
        cursor.execute(r"SELECT proname FROM pg_proc WHERE proname LIKE 'messaging\_%%' ORDER BY 1", [])
        functions = [name for (name,) in cursor.fetchall()]
    assert [name for name in functions if not re.search(rf"\b{name}\b", code)] == []
