"""The rules for messaging's own tables."""

from messaging.retention.files import delete_old_files
from messaging.retention.messages import delete_old_messages, empty_old_messages
from messaging.retention.rules import OldRows, OldRowsByTime, Rule

# Meta repeats webhooks for seven days: a repetition must find what it repeats.
REPEATED_DAYS = 8
# The longest wait of a message is 30 days, until its send_at; SQS keeps dead letters for 14.
WAITING_DAYS = 31

RULES = (
    Rule("texts", "texts, contents and raw pieces of messages", "RETENTION_TEXTS_DAYS", 1, empty_old_messages),
    Rule("files", "files of messages", "RETENTION_FILES_DAYS", REPEATED_DAYS, delete_old_files),
    Rule(
        "timeline",
        "timelines of messages",
        "RETENTION_TIMELINE_DAYS",
        WAITING_DAYS,
        OldRows("messaging_messageevent", "recorded_at"),
    ),
    Rule(
        "attempts",
        "calls of the Cloud API",
        "RETENTION_TIMELINE_DAYS",
        WAITING_DAYS,
        OldRows("messaging_attempt", "at"),
    ),
    Rule(
        "messages",
        "messages with all that belongs to them",
        "RETENTION_MESSAGES_DAYS",
        WAITING_DAYS,
        delete_old_messages,
    ),
    Rule(
        "account events",
        "account events of Meta",
        "RETENTION_ACCOUNT_EVENTS_DAYS",
        REPEATED_DAYS,
        OldRows("messaging_accountevent", "received_at"),
    ),
    Rule(
        "unknown updates",
        "parts of webhooks that nothing here knows",
        "RETENTION_UNKNOWN_UPDATES_DAYS",
        REPEATED_DAYS,
        OldRowsByTime("messaging_unknownupdate", "last_seen_at"),
    ),
    Rule("audit", "audit entries", "RETENTION_AUDIT_DAYS", WAITING_DAYS, OldRows("messaging_auditentry", "at")),
)
