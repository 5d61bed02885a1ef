"""Checks of each process before it starts: its settings, the database's schema, its queues and its KMS key."""

from waproject import checks, schema_check
from waproject.worker import key_access, redrive_policy


def refuse_a_faulty_start(process: str) -> None:
    """Raise ImproperlyConfigured, one line a fault, if this process (a name of the Procfile) must not start."""
    checks.refuse_to_start_with_errors()
    schema_check.require_current_schema()
    refuse_faulty_queues(process)


def refuse_faulty_queues(process: str) -> None:
    """The checks that need SQS and S3. An outage of these stops no process."""
    redrive_policy.refuse_queues_without_dlq(process)
    key_access.refuse_without_key(process)
