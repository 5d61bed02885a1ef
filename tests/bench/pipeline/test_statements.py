"""Our statements, counted in PostgreSQL's log."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.pipeline.statements import Statements
from monitoring.metrics import totals


@pytest.mark.django_db
def test_the_statement_of_the_counters_is_counted_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.pipeline.statements.WRITTEN_S", 0.0)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        totals.add({("a",): 1})
    log = tmp_path / "postgres.log"
    log.write_text("".join(f"bench:web:LOG:  statement: {sql}\n" for sql in (captured[0]["sql"], "SELECT 1", "COMMIT")))
    statements = Statements(lambda _: None, log)
    assert (statements.counts()["web"], statements.counters_counts()["web"]) == (3, 1)
