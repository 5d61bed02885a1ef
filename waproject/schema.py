"""The database's schema against the migrations of this version, asked once when a process starts."""

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def refuse_an_older_schema() -> None:
    """Raise ImproperlyConfigured if migrations are missing. A newer schema is normal during a rolling update.

    An unreachable database is ignored: each process waits for it.
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
