"""The database's schema against the migrations of this version, asked once when a process starts."""

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def schema_problem() -> str:
    """The sentence about missing migrations; empty if none is. A newer schema is normal during a rolling update.

    Raises django.db errors.
    """
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return ""
    first = missing[0][0]
    return (
        f"The database's schema is older than this version, which needs {len(missing)} more migrations from "
        f"{first.app_label}.{first.name} on: run `python manage.py migrate` first (docs/deploy.md)."
    )


def require_current_schema() -> None:
    """Raise ImproperlyConfigured if migrations are missing.

    An unreachable database is ignored: each process waits for it.
    """
    try:
        problem = schema_problem()
    except (OperationalError, InterfaceError):
        return
    finally:
        connection.close()
    if problem:
        raise ImproperlyConfigured(problem)
