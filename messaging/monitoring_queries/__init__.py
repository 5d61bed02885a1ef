"""Read access for monitoring: the only way in which it reads the tables of messaging.

Every query uses a partial index, a primary key or a small table. All functions raise django.db errors.
"""

from messaging.monitoring_queries.backlogs import (
    InboundFiles,
    disabled_subscriptions,
    held_templates,
    inbound_files,
    waiting_deliveries,
)
from messaging.monitoring_queries.messages import (
    COUNT_LIMIT,
    DueMessages,
    OutboundState,
    QualityAssessments,
    UnknownOutcomes,
    due_messages,
    messages_without_outcome,
    outbound_states,
    quality_assessments,
    unknown_outcomes,
)
from messaging.monitoring_queries.numbers import (
    NumberState,
    PortfolioState,
    low_quality_numbers,
    number_states,
    portfolio_states,
)
from messaging.monitoring_queries.reasons import disable_reason, hold_reason, pause_reason, probe_reason
from messaging.monitoring_queries.status_changes import (
    EventRange,
    latency_buckets,
    newest_event_id,
    settled_range,
    status_change_counts,
)

__all__ = [
    "COUNT_LIMIT",
    "DueMessages",
    "EventRange",
    "InboundFiles",
    "NumberState",
    "OutboundState",
    "PortfolioState",
    "QualityAssessments",
    "UnknownOutcomes",
    "disable_reason",
    "disabled_subscriptions",
    "due_messages",
    "held_templates",
    "hold_reason",
    "inbound_files",
    "latency_buckets",
    "low_quality_numbers",
    "messages_without_outcome",
    "newest_event_id",
    "number_states",
    "outbound_states",
    "pause_reason",
    "portfolio_states",
    "probe_reason",
    "quality_assessments",
    "settled_range",
    "status_change_counts",
    "unknown_outcomes",
    "waiting_deliveries",
]
