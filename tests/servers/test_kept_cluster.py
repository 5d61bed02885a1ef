"""The migrated data of an earlier run is used for the sources that it was made from, and for no others."""

import ast
import os
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.servers import kept_cluster

PROJECT = {"analytics", "messaging", "monitoring", "waproject"}
MIGRATIONS = sorted(kept_cluster.CHECKOUT.glob("*/migrations/0*.py"))


def imported(migration: Path) -> set[str]:
    """The project's modules that a migration imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(migration.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.partition(".")[0] in PROJECT}


def test_the_data_depends_on_each_module_that_a_migration_imports() -> None:
    modules = {name for migration in MIGRATIONS for name in imported(migration)}
    assert modules
    files = {spec.origin for name in modules if (spec := find_spec(name))}
    assert files <= {str(path) for path in kept_cluster.sources()}


def test_another_migration_is_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_cluster, "CHECKOUT", tmp_path)
    migration = tmp_path / "messaging" / "migrations" / "0001_initial.py"
    migration.parent.mkdir(parents=True)
    migration.write_text("a = 1")
    before = kept_cluster.kept_cluster()
    migration.write_text("a = 2")
    assert kept_cluster.kept_cluster() != before


@pytest.mark.parametrize(("age_s", "left"), [(3500, True), (3700, False)])
def test_other_data_goes_once_no_run_copies_it(age_s: int, left: bool, tmp_path: Path) -> None:
    other = tmp_path / "postgres-0123456789abcdef"
    other.mkdir()
    os.utime(other, (time.time() - age_s, time.time() - age_s))
    kept_cluster.forget_others(tmp_path / "postgres-fedcba9876543210")
    assert other.exists() is left


@pytest.mark.parametrize("name", ["postgres-fedcba9876543210", "postgres-fedcba9876543210.new"])
def test_the_present_data_stays_however_old_it_is(name: str, tmp_path: Path) -> None:
    present = tmp_path / name
    present.mkdir()
    os.utime(present, (0, 0))
    kept_cluster.forget_others(tmp_path / "postgres-fedcba9876543210")
    assert present.exists()
