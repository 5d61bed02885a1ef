"""The outgoing lane: select, release, claim, call, record, recover, redrive."""

from messaging.outgoing.cancel_and_retry import (
    NotPossible,
    cancel,
    retry,
)
from messaging.outgoing.failed_statuses import (
    retry_failed_statuses,
)
from messaging.outgoing.holds.budgets import (
    BudgetScope,
    hold_over_budget,
)
from messaging.outgoing.holds.holds import (
    held_templates,
    hold_template,
    release_template,
)
from messaging.outgoing.holds.suspensions import (
    pause as pause_numbers,
)
from messaging.outgoing.holds.suspensions import (
    resume as resume_numbers,
)
from messaging.outgoing.lost_answers.incoming_evidence import (
    record_rejected_webhook,
)

__all__ = [
    "BudgetScope",
    "NotPossible",
    "cancel",
    "held_templates",
    "hold_over_budget",
    "hold_template",
    "pause_numbers",
    "record_rejected_webhook",
    "release_template",
    "resume_numbers",
    "retry",
    "retry_failed_statuses",
]
