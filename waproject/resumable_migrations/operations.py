"""Schema operations that may run again: each does nothing when its result is there.

In a migration with `atomic = False` each statement is committed for itself, and Django runs what it deferred, such as
a new table's indexes, at the migration's end. After a kill Django's own operations fail with "already exists".
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class CreateModel(migrations.CreateModel):
    """A table with its indexes and constraints, in one transaction; unless it exists."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the table."""
        connection = schema_editor.connection
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if table not in connection.introspection.table_names():
            with connection.schema_editor(atomic=True) as own:
                super().database_forwards(app_label, own, from_state, to_state)


class AddField(migrations.AddField):
    """A column with its indexes and constraints, in one transaction; unless it exists."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add the column."""
        connection = schema_editor.connection
        model = to_state.apps.get_model(app_label, self.model_name)
        with connection.cursor() as cursor:
            description = connection.introspection.get_table_description(cursor, model._meta.db_table)
        columns = {info.name for info in description}
        if model._meta.get_field(self.name).column not in columns:
            with connection.schema_editor(atomic=True) as own:
                super().database_forwards(app_label, own, from_state, to_state)


class AddIndex(AddIndexConcurrently):
    """An index, built while rows are written; a broken one that a kill left behind is rebuilt."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Build the index."""
        valid = _is_valid(schema_editor, self.index.name)
        if valid is False:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(self.index.name)}")
        if not valid:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class RemoveIndex(RemoveIndexConcurrently):
    """Drop an index while rows are written, if it exists."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the index."""
        if _is_valid(schema_editor, self.name) is not None:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def _is_valid(schema_editor: BaseDatabaseSchemaEditor, index: str) -> bool | None:
    """Whether the index is complete; None if there is none."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index])
        row: tuple[Any, ...] | None = cursor.fetchone()
    return None if row is None else bool(row[0])
