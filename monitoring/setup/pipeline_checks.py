"""Checks of our own parts: database, clock, schema, queues, storage of files, processes. Each may fail by itself."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from messaging.media import storage
from messaging.meta_setup import Finding, State
from monitoring.health import process_status
from monitoring.queue_depth import SqsUnavailable, lane_depths
from waproject.queues import LANES
from waproject.schema_check import schema_problem
from waproject.worker import redrive_policy

TIMEOUT_S = 5.0
# Leases and schedules tolerate this much between the clock of this host and that of the database.
CLOCK_SKEW = timedelta(seconds=1)


def pipeline_findings() -> Iterator[Finding]:
    """All checks; those that need the database are left out while it is unavailable."""
    database = _database()
    yield database
    if database.state is not State.FAILED:
        yield from (check() for check in (_clock, _schema, _processes))
    yield from _queues()
    yield _storage()


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        return Finding(
            "database",
            State.FAILED,
            f"PostgreSQL does not answer: {type(error).__name__}.",
            "Check DATABASE_URL, and that the server runs and lets this host in.",
        )
    return Finding("database", State.OK, "PostgreSQL answers.")


def _clock() -> Finding:
    before = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
    skew = max(before - theirs, theirs - timezone.now(), timedelta())
    if skew > CLOCK_SKEW:
        return Finding(
            "clock",
            State.FAILED,
            f"The clock of this host and that of the database differ by {skew.total_seconds():.1f} s.",
            "Let both follow a time server (NTP): paces, leases and signatures depend on the time.",
        )
    return Finding("clock", State.OK, "The clocks of this host and of the database agree.")


def _schema() -> Finding:
    if reason := schema_problem():
        return Finding("schema", State.FAILED, reason, "Run manage.py migrate.")
    return Finding("schema", State.OK, "The database has the schema of this version.")


def _processes() -> Finding:
    status = process_status()
    if status.missing:
        return Finding(
            "processes",
            State.FAILED,
            f"No process of these kinds runs: {', '.join(status.missing)}.",
            "Start them: the Procfile has their commands, and EXPECTED_PROCESSES names the kinds of this installation.",
        )
    if faulty := [f"{process.name} is {process.state}" for process in status.faulty]:
        return Finding("processes", State.FAILED, f"{'; '.join(faulty)}.", "Restart them: docs/health.md.")
    return Finding("processes", State.OK, "Every expected process runs.")


def _queues() -> Iterator[Finding]:
    try:
        lane_depths(TIMEOUT_S)
    except SqsUnavailable as error:
        yield Finding(
            "queues",
            State.FAILED,
            f"SQS does not answer: {error}.",
            "Check the queues' URLs, the region, and that the role may call sqs:GetQueueAttributes on each of them.",
        )
        return
    faults = redrive_policy.faults(LANES.values())
    yield from (Finding("queues", State.FAILED, fault, "docs/dlq.md says why.") for fault in faults)
    if not faults:
        yield Finding("queues", State.OK, "All queues answer, and have their dead-letter queues.")


def _storage() -> Finding:
    files = storage()
    try:
        name = files.save(f"doctor/{uuid4()}", ContentFile(b"doctor"))
        files.delete(name)
    except Exception as error:  # storage back ends raise errors of any type
        return Finding(
            "storage",
            State.FAILED,
            f"The storage of files cannot be written: {type(error).__name__}.",
            "Check MEDIA_S3_BUCKET and the role's rights, or MEDIA_DIR and its owner: docs/media.md.",
        )
    return Finding("storage", State.OK, "The storage of files can be written.")
