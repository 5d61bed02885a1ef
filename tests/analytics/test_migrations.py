"""The migration that takes the copies of messages' trails out of the events."""

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from analytics.models import Event

pytestmark = pytest.mark.django_db
migration: Any = import_module("analytics.migrations.0002_events_of_clients")


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_the_copies_go_and_the_events_of_clients_stay(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "BATCH", batch)
    for n in range(6):
        source = "pipeline" if n % 2 else "api"
        Event.objects.create(event_type=f"t{n}", source=source, occurred_at=datetime.now(UTC))
    with connection.schema_editor() as editor:
        migration.delete_copies(None, editor)
    assert sorted(Event.objects.values_list("event_type", flat=True)) == ["t0", "t2", "t4"]
