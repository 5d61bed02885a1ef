"""Heartbeats in PostgreSQL: each process writes its own row, one statement every 15 s."""

import os
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from monitoring.models import Heartbeat
from waproject.worker.liveness import Process

# A host that is never seen again, as containers' are, leaves its rows for so long.
FORGOTTEN_AFTER = timedelta(days=1)


class DatabaseKeeper:
    """Keeps the rows; raises django.db errors. Closed after each word, so that the next one connects anew."""

    def started(self, process: Process) -> None:
        """Take the place of those of this host that were killed, and remember that they were."""
        Heartbeat.objects.filter(kind=process.kind, seen_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
        self._take_over(process)

    def seen(self, process: Process) -> None:
        """One statement; the row is made again where somebody took it away."""
        mine = Heartbeat.objects.filter(kind=process.kind, host=process.host, pid=process.pid)
        if not mine.update(seen_at=timezone.now()):
            self.started(process)

    def stopped(self, process: Process) -> None:
        """Take the row away."""
        Heartbeat.objects.filter(kind=process.kind, host=process.host, pid=process.pid).delete()

    def names(self, since: float) -> set[str]:
        """One query."""
        seen = Heartbeat.objects.filter(seen_at__gte=timezone.now() - timedelta(seconds=since))
        return set(seen.values_list("name", flat=True))

    def close(self) -> None:
        """Close the calling thread's connection."""
        connection.close()

    @transaction.atomic
    def _take_over(self, process: Process) -> None:
        killed = Heartbeat.objects.filter(pk__in=_killed(process))
        before = killed.aggregate(crashes=Sum("crashes"), seen_at=Max("seen_at"))
        crashes = (before["crashes"] or 0) + killed.delete()[0]
        began = datetime.fromtimestamp(process.started_at, UTC)
        values = {"name": process.name, "started_at": began, "seen_at": timezone.now()}
        Heartbeat.objects.update_or_create(
            kind=process.kind,
            host=process.host,
            pid=process.pid,
            defaults={**values, "crashes": crashes, "crashed_at": before["seen_at"]},
        )


def _killed(process: Process) -> list[int]:
    """The rows of its kind and host whose process is not there any more. A pid counts as gone when it is ours now."""
    rows = Heartbeat.objects.filter(kind=process.kind, host=process.host).values_list("pk", "pid")
    return [pk for pk, pid in rows if pid == process.pid or not _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
