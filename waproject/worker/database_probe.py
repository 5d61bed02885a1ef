"""A probe of PostgreSQL with a deadline.

Django's connections have no client-side deadline: an unresponsive server blocks their thread for minutes. The probe
uses its own connection in psycopg2's asynchronous mode.
"""

import select
import time
from typing import Any

import psycopg2
from django.db import connection
from psycopg2 import extensions

ANSWER_S = 3.0


def connect(until: float) -> Any:
    """A connection to the default database, by `until` (monotonic). Raises psycopg2.Error and TimeoutError."""
    made = psycopg2.connect(**connection.get_connection_params(), async_=True)
    try:
        wait(made, until)
    except BaseException:
        made.close()
        raise
    return made


def wait(connection: Any, until: float) -> None:
    """Wait until the connection's operation has finished. Raises psycopg2.Error, and TimeoutError after `until`."""
    while (state := connection.poll()) != extensions.POLL_OK:
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        left = until - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise TimeoutError("PostgreSQL does not answer")


def probe(deadline: float = ANSWER_S) -> None:
    """Connect and run a query. Raises psycopg2.Error, and TimeoutError after `deadline` seconds."""
    until = time.monotonic() + deadline
    connection = connect(until)
    try:
        cursor = connection.cursor()  # psycopg2 needs the cursor until the answer arrives
        cursor.execute("SELECT 1")
        wait(connection, until)
    finally:
        connection.close()
