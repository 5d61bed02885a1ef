"""A process does not start on a schema that is older than its code."""

import os
import sys
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.migrations.recorder import MigrationRecorder

from deploy.local import procfile
from deploy.local.postgres import Postgres
from testkit.ports import free_port
from testkit.processes import CHECKOUT, shell
from tests import warm_python
from tests.waiting import PATIENCE_S
from waproject.schema_check import require_current_schema

pytestmark = pytest.mark.slow("starts each process on an older schema")

COMMANDS = procfile.read(CHECKOUT / "Procfile")


@pytest.mark.django_db
def test_a_current_schema_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_connected(monkeypatch)
    require_current_schema()


@pytest.mark.django_db
def test_a_missing_migration_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_connected(monkeypatch)
    latest = MigrationRecorder.Migration.objects.filter(app="monitoring").latest("id")
    latest.delete()
    with pytest.raises(ImproperlyConfigured, match=rf"needs 1 more migrations from monitoring\.{latest.name} on"):
        require_current_schema()


@pytest.mark.django_db
def test_a_newer_schema_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    stay_connected(monkeypatch)
    MigrationRecorder.Migration.objects.create(app="monitoring", name="9999_of_the_next_version")
    require_current_schema()


def test_an_unavailable_database_does_not_stop_a_process_from_starting(database_away: None) -> None:
    require_current_schema()


def stay_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction is the connection's, which the function would close."""
    monkeypatch.setattr("django.db.connection.close", lambda: None)


@pytest.fixture(scope="module")
def empty_database(postgres: Postgres) -> str:
    """The URL of a database without tables."""
    connection = psycopg2.connect(postgres.url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE without_tables")
    connection.close()
    return postgres.url.rpartition("/")[0] + "/without_tables"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "flower"])
def test_each_process_reports_missing_migrations(
    name: str, empty_database: str, sqs_server: Any, tmp_path: Path
) -> None:
    paths = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    own = {"DATABASE_URL": empty_database, "PORT": str(free_port()), "BEAT_SCHEDULE": str(tmp_path / "beat")}
    done = warm_python.run(shell(COMMANDS[name]), env={**os.environ, **paths, **own}, timeout=PATIENCE_S)
    assert done.returncode != 0
    assert "schema is older" in done.stderr and "docs/deploy.md" in done.stderr
    assert "Traceback" not in done.stderr
