"""The database's address, whole or in parts."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from waproject.environment.database import PARTS, database, database_url

GIVEN = {
    "DATABASE_HOST": "db.example.com",
    "DATABASE_NAME": "waproject",
    "DATABASE_USER": "app",
    "DATABASE_PASSWORD": "p@ss:w/rd%?#é",
}


def test_a_url_takes_precedence_over_its_parts() -> None:
    assert database_url({**GIVEN, "DATABASE_URL": "postgres://a:b@c/d"}) == "postgres://a:b@c/d"


@pytest.mark.parametrize(("port", "expected"), [("", 5432), ("6432", 6432)])
def test_special_characters_in_the_parts_are_preserved(port: str, expected: int) -> None:
    found = database({**GIVEN, "DATABASE_PORT": port, "DATABASE_SSLMODE": "require"})
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.com", expected, "waproject")
    assert (found["USER"], found["PASSWORD"]) == ("app", GIVEN["DATABASE_PASSWORD"])
    assert found["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.django_db
def test_the_server_asks_after_a_silent_client_within_half_a_minute() -> None:
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(name) FROM unnest(%s) name", [list(names)])
        assert [value for (value,) in cursor.fetchall()] == ["10", "5", "3"]


def test_without_any_variable_the_error_names_the_url() -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_url({})


@pytest.mark.parametrize("missing", PARTS[1:])
def test_a_part_that_is_missing_is_named(missing: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=missing):
        database_url({**GIVEN, missing: ""})


@pytest.mark.parametrize(
    "url", ["nothing", "mysql://a:secret@c/d", "postgres://a:secret@c:port/d", "postgres://a:secret@c"]
)
def test_an_invalid_postgresql_address_is_refused_without_quoting_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not a PostgreSQL address") as refused:
        database({"DATABASE_URL": url})
    assert "secret" not in str(refused.value)


@pytest.mark.filterwarnings("error")
def test_an_address_of_another_database_is_not_quoted_in_a_warning() -> None:
    with pytest.raises(ImproperlyConfigured):
        database({"DATABASE_URL": "unheard://user:secret@host/name"})
