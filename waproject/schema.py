"""The database's schema against the migrations of this version, asked once when a process starts."""

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def refuse_an_older_schema() -> None:
    """Raise ImproperlyConfigured where migrations are missing. A newer schema is what a roll-out has for a while.

    A database that does not answer says nothing, and stops nobody: each process outlives that.
    """
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (OperationalError, InterfaceError):
        return
    finally:
        connection.close()
    if missing:
        first = missing[0][0]
        raise ImproperlyConfigured(
            f"The database's schema is older than this version: {len(missing)} migrations are missing, the first is "
            f"{first.app_label}.{first.name}. Run python manage.py migrate before the processes (docs/deploy.md)."
        )
