"""A pytest plugin: runs chosen tests in a chosen order, on servers that already run; writes which test failed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Names the file that describes the run: a variable holds at most 128 KiB, some thousand node ids.
VARIABLE = "MUTATION_RUN"


class Plugin:
    """`order`: the node ids that run, in this order; without it all. `result`: a file for the first failure."""

    def __init__(self, database: str, result: Path, order: list[str] | None) -> None:
        self._database, self._result = database, result
        self._order = None if order is None else {nodeid: at for at, nodeid in enumerate(order)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only the chosen tests."""
        if self._order is not None:
            items[:] = [item for item in items if item.nodeid in self._order]
            items.sort(key=lambda item: self._order[item.nodeid] if self._order else 0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> object | None:
        """Servers that run already, and the database that was cloned for this run."""
        if fixturedef.argname not in ("postgres", "sqs_server", "django_db_setup"):
            return None
        from django.db import connections

        for connection in connections.all():
            connection.settings_dict["NAME"] = self._database
        fixturedef.cached_result = (True, fixturedef.cache_key(request), None)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first failure."""
        if report.failed and not self._result.exists():
            self._result.write_text(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None] | None:
    """In a new process: take over the servers' addresses, after tests.environment has invented others."""
    if given := os.environ.get(VARIABLE):
        run = json.loads(Path(given).read_text())
        os.environ.update(run["environment"])
        plugin = Plugin(run["database"], Path(run["result"]), run["order"])
        early_config.pluginmanager.register(plugin)
    return None
