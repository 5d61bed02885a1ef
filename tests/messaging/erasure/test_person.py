"""A person is found in JSON by number, in Python and in PostgreSQL alike."""

import json

import pytest
from django.db import connection

from messaging.erasure.person import Person

ANN = Person(frozenset({"15551230001"}), frozenset())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("15551230001", True),
        ("call +15551230001.", True),
        ("Ann:\n15551230001", True),
        ("Ann\t15551230001", True),
        ("电话15551230001", True),
        ("n15551230001", False),
        ("\n915551230001", False),
        ("155512300019", False),
        ("1.15551230001", False),
    ],
)
def test_a_number_counts_where_it_stands_alone(text: str, found: bool) -> None:
    document = json.dumps({"text": text}, ensure_ascii=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text ~ %s", [document, ANN.pattern])
        (by_postgresql,) = cursor.fetchone()
    assert (ANN.is_mentioned_in(document), by_postgresql) == (found, found)
