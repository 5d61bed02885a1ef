"""The health check of PostgreSQL."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from monitoring.health import heartbeat_check
from monitoring.health.heartbeat_check import HeartbeatCheck
from monitoring.health.processes import State
from monitoring.models import Heartbeat
from waproject.worker import database_probe


@pytest.mark.django_db(transaction=True)
def test_a_check_reconnects_after_its_connection_was_terminated(settings: Any) -> None:
    settings.EXPECTED_PROCESSES = ["outgoing", "beat"]
    now = timezone.now()
    for kind, name, pid in (("outgoing", "b", 1), ("outgoing", "a", 3), ("outgoing", "a", 2), ("incoming", "z", 4)):
        seen = now - timedelta(seconds=100 if name == "z" else 0)
        started = now - timedelta(hours=1)
        Heartbeat.objects.create(kind=kind, name=name, host=f"{pid}", pid=pid, started_at=started, seen_at=seen)
    check = HeartbeatCheck()
    first = check()
    used = check._connection
    again = check()
    assert check._connection is used
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [used.get_backend_pid()])
    last = check()
    assert (check._connection is used, used.closed) == (False, 1)
    for status in (first, again, last):
        assert [(process.name, process.pid, process.state) for process in status.processes] == [
            ("z", 4, State.GONE),
            ("a", 2, State.ALIVE),
            ("a", 3, State.ALIVE),
            ("b", 1, State.ALIVE),
        ]
        assert status.missing == ("beat",)
    check.close()
    check.close()
    assert check._connection is None


def test_a_database_that_is_away_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []

    def refused(until: float) -> None:
        tries.append(until)
        raise psycopg2.OperationalError

    monkeypatch.setattr(database_probe, "connect", refused)
    monkeypatch.setattr(heartbeat_check, "time", SimpleNamespace(monotonic=lambda: 100.0))
    with pytest.raises(psycopg2.OperationalError):
        HeartbeatCheck()()
    assert tries == [101.0]
