"""The check of PostgreSQL and the heartbeats, within a deadline.

The connection is one apart (waproject/worker/database_probe.py).
"""

import time
from typing import Any

import psycopg2
from django.conf import settings
from django.utils import timezone

from monitoring.health.processes import Workers, judge
from monitoring.models import Heartbeat
from waproject.worker import database_probe

DEADLINE_S = 1.0
_FIELDS = [field.attname for field in Heartbeat._meta.concrete_fields]


class HeartbeatProbe:
    """The check and its connection, which is kept between two checks."""

    def __init__(self) -> None:
        self._connection: Any = None

    def __call__(self) -> Workers:
        """Who lives. Raises psycopg2.Error, and TimeoutError after the deadline."""
        until = time.monotonic() + DEADLINE_S
        kept = self._connection is not None
        try:
            rows = self._ask(until)
        except psycopg2.Error:
            if not kept:
                raise
            rows = self._ask(until)  # the server may have ended the connection, and be well
        return judge(
            (Heartbeat.from_db(None, _FIELDS, row) for row in rows), timezone.now(), settings.EXPECTED_PROCESSES
        )

    def close(self) -> None:
        """Let go of the connection."""
        kept, self._connection = self._connection, None
        if kept is not None:
            kept.close()

    def _ask(self, until: float) -> list[tuple[Any, ...]]:
        sql, _ = Heartbeat.objects.order_by("kind", "name", "pid").query.sql_with_params()
        try:
            if self._connection is None:
                self._connection = database_probe.connect(until)
            cursor = self._connection.cursor()
            cursor.execute(sql)
            database_probe.wait(self._connection, until)
            return list(cursor.fetchall())
        except BaseException:
            self.close()
            raise
