"""Heartbeats in PostgreSQL: each process writes its own row, one statement every 15 s."""

import os
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from monitoring.health.processes import replacements
from monitoring.models import Heartbeat
from waproject.worker.liveness import Process

# Rows of hosts that never return, such as containers, are deleted after this time.
EXPIRE_AFTER = timedelta(days=1)


class DatabaseLivenessStore:
    """Writes the rows; raises django.db errors. The connection is closed after each write."""

    def started(self, process: Process) -> None:
        """Insert the process's row. It replaces those of killed processes of this kind and host, and counts crashes."""
        delete_expired(timezone.now())
        self._replace_killed(process)

    def seen(self, process: Process) -> None:
        """Update the row, in one statement; insert it again if it was deleted."""
        row = Heartbeat.objects.filter(kind=process.kind, host=process.host, pid=process.pid)
        if not row.update(seen_at=timezone.now(), stalled_since=None):
            self.started(process)

    def stalled(self, process: Process) -> None:
        """Mark the row, in one statement: the process runs, but its work does not move."""
        row = Heartbeat.objects.filter(kind=process.kind, host=process.host, pid=process.pid)
        now = timezone.now()
        row.update(seen_at=now, stalled_since=Coalesce("stalled_since", Value(now)))

    def stopped(self, process: Process) -> None:
        """Delete the row."""
        Heartbeat.objects.filter(kind=process.kind, host=process.host, pid=process.pid).delete()

    def names(self, since: float) -> set[str]:
        """The names of processes with a heartbeat in the last `since` seconds. One query."""
        recent = Heartbeat.objects.filter(seen_at__gte=timezone.now() - timedelta(seconds=since))
        return set(recent.values_list("name", flat=True))

    def close(self) -> None:
        """Close the calling thread's connection."""
        connection.close()

    @transaction.atomic
    def _replace_killed(self, process: Process) -> None:
        killed = Heartbeat.objects.filter(pk__in=_killed(process))
        before = killed.aggregate(crashes=Sum("crashes"), seen_at=Max("seen_at"))
        crashes = (before["crashes"] or 0) + killed.delete()[0]
        started_at = datetime.fromtimestamp(process.started_at, UTC)
        values = {"name": process.name, "started_at": started_at, "seen_at": timezone.now()}
        Heartbeat.objects.update_or_create(
            kind=process.kind,
            host=process.host,
            pid=process.pid,
            defaults={**values, "crashes": crashes, "crashed_at": before["seen_at"], "stalled_since": None},
        )


@transaction.atomic
def settle_replaced(now: datetime) -> None:
    """Delete the rows of gone processes with a successor on any host, which counts the crash.

    A row that stayed would count as gone again once its successor has stopped.
    """
    for gone, successor in replacements(now, Heartbeat.objects.all()):
        # Not one that has reported meanwhile.
        if Heartbeat.objects.filter(pk=gone.pk, seen_at=gone.seen_at).delete()[0]:
            successor.crashes += gone.crashes + 1
            successor.crashed_at = max(gone.seen_at, successor.crashed_at or gone.seen_at)
            row = Heartbeat.objects.filter(pk=successor.pk)
            row.update(crashes=successor.crashes, crashed_at=successor.crashed_at)


def delete_expired(now: datetime) -> None:
    """Delete the rows of processes that ended a day ago without a clean stop."""
    Heartbeat.objects.filter(seen_at__lt=now - EXPIRE_AFTER).delete()


def _killed(process: Process) -> list[int]:
    """The rows of its kind and host whose process has ended. A row with our own pid is of an earlier process."""
    rows = Heartbeat.objects.filter(kind=process.kind, host=process.host).values_list("pk", "pid")
    return [pk for pk, pid in rows if pid == process.pid or not _exists(pid)]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
