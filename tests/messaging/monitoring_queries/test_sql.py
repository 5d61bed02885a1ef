"""The tables of messaging are named in no SQL of monitoring."""

import re
from pathlib import Path

from django.apps import apps


def test_no_query_of_monitoring_names_a_table_of_messaging() -> None:
    tables = [model._meta.db_table for model in apps.get_app_config("messaging").get_models()]
    pattern = re.compile(rf"\b({'|'.join(tables)})\b")
    sources = [path for path in Path("monitoring").rglob("*.py") if "migrations" not in path.parts]
    assert len(tables) > 10 and len(sources) > 10
    assert [str(path) for path in sources if pattern.search(path.read_text())] == []
