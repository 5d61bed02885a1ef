"""The health check of PostgreSQL, which reads the heartbeats, within a deadline.

It has a database connection of its own (waproject/worker/database_probe.py).
"""

import time
from typing import Any

import psycopg2
from django.conf import settings
from django.utils import timezone

from monitoring.health.processes import ProcessStatus, status_at
from monitoring.models import Heartbeat
from waproject.worker import database_probe

DEADLINE_S = 1.0
_FIELDS = [field.attname for field in Heartbeat._meta.concrete_fields]


class HeartbeatCheck:
    """The check, and its connection, which stays open between checks."""

    def __init__(self) -> None:
        self._connection: Any = None

    def __call__(self) -> ProcessStatus:
        """The status of all processes. Raises psycopg2.Error, and TimeoutError after the deadline."""
        deadline = time.monotonic() + DEADLINE_S
        reused = self._connection is not None
        try:
            rows = self._query(deadline)
        except psycopg2.Error:
            if not reused:
                raise
            rows = self._query(deadline)  # the server may have closed the old connection and be healthy
        heartbeats = (Heartbeat.from_db(None, _FIELDS, row) for row in rows)
        return status_at(timezone.now(), heartbeats, settings.EXPECTED_PROCESSES)

    def close(self) -> None:
        """Close the connection."""
        old, self._connection = self._connection, None
        if old is not None:
            old.close()

    def _query(self, deadline: float) -> list[tuple[Any, ...]]:
        sql, _ = Heartbeat.objects.order_by("kind", "name", "pid").query.sql_with_params()
        try:
            if self._connection is None:
                self._connection = database_probe.connect(deadline)
            cursor = self._connection.cursor()
            cursor.execute(sql)
            database_probe.wait(self._connection, deadline)
            return list(cursor.fetchall())
        except BaseException:
            self.close()
            raise
