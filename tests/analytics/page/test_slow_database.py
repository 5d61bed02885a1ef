"""A question that takes PostgreSQL too long is answered with what to do, not with an error."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from django.db import connection
from django.test import Client

from waproject.web.statement_timeout import ADVICE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def impatient() -> Iterator[None]:
    """Each statement may take 300 ms, and those about rollups wait for a lock."""
    with closing(psycopg2.connect(**connection.get_connection_params())) as other, other.cursor() as cursor:
        cursor.execute("LOCK analytics_rollup IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as ours:
            ours.execute("SET statement_timeout = 300")
        yield
        other.rollback()
    connection.close()


@pytest.mark.parametrize("path", ["/analytics/", "/analytics/summary"])
def test_the_answer_says_what_to_do(path: str, admin_client: Client, impatient: None) -> None:
    answer = admin_client.get(path)
    assert (answer.status_code, ADVICE in answer.content.decode()) == (503, True)
