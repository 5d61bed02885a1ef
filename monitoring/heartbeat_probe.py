"""Asks PostgreSQL for the heartbeats, within a deadline: whether it answers, and which processes live.

Django's connections know no deadline but the server's own: one that went silent holds its thread for minutes. This is
a connection apart, in psycopg2's asynchronous mode.
"""

import select
import time
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg2 import extensions

from monitoring.models import Heartbeat
from monitoring.workers import Workers, judge

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
                self._connection = psycopg2.connect(**connection.get_connection_params(), async_=True)
                _wait(self._connection, until)
            cursor = self._connection.cursor()
            cursor.execute(sql)
            _wait(self._connection, until)
            return list(cursor.fetchall())
        except BaseException:
            self.close()
            raise


def _wait(asked: Any, until: float) -> None:
    """Until the connection has done what it was told."""
    while (state := asked.poll()) != extensions.POLL_OK:
        waiting = select.poll()
        waiting.register(asked.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        left = until - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise TimeoutError("PostgreSQL does not answer")
