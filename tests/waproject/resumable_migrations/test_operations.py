"""An index that a kill broke is built anew."""

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection
from django.db.migrations.state import ProjectState

from messaging.models import Contact
from waproject.resumable_migrations import AddIndex, RemoveIndex

VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('contact_name_grams')"
# Only a superuser may; a CREATE INDEX CONCURRENTLY that ends early leaves the same.
BREAK = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('contact_name_grams')"
INDEX = next(index for index in Contact._meta.indexes if index.name == "contact_name_grams")


def is_valid() -> bool | None:
    with connection.cursor() as cursor:
        cursor.execute(VALID)
        row = cursor.fetchone()
    return row[0] if row else None


def run(operation: AddIndexConcurrently | RemoveIndex) -> None:
    state = ProjectState.from_apps(Contact._meta.apps)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("messaging", editor, state, state)


@pytest.mark.django_db(transaction=True)
def test_a_broken_index_is_built_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute(BREAK)
    run(AddIndex("contact", INDEX))
    assert is_valid() is True


@pytest.mark.django_db(transaction=True)
def test_an_index_is_dropped_once_and_built_once() -> None:
    run(RemoveIndex("contact", "contact_name_grams"))
    run(RemoveIndex("contact", "contact_name_grams"))
    dropped = is_valid()
    run(AddIndex("contact", INDEX))
    run(AddIndex("contact", INDEX))
    assert (dropped, is_valid()) == (None, True)
