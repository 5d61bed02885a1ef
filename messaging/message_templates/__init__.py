"""Message templates of Meta: synced, checked before a send is accepted, shown and changed."""

from messaging.message_templates.catalogue import NEVER_SYNCED, SENDABLE, check_template, load_templates
from messaging.message_templates.schedule import DueSync, claim_syncs, record_failure, record_success
from messaging.message_templates.statuses import (
    APPROVED,
    DELETED,
    FLAGGED,
    UNARCHIVED,
    StatusChange,
    TemplateKey,
    record_category,
    record_quality,
    record_status,
    request_sync,
)
from messaging.message_templates.sync import (
    TemplateList,
    TemplateSync,
    fetch_templates,
    store_template,
    store_templates,
)

__all__ = [
    "APPROVED",
    "DELETED",
    "FLAGGED",
    "NEVER_SYNCED",
    "SENDABLE",
    "UNARCHIVED",
    "DueSync",
    "StatusChange",
    "TemplateKey",
    "TemplateList",
    "TemplateSync",
    "check_template",
    "claim_syncs",
    "fetch_templates",
    "load_templates",
    "record_category",
    "record_failure",
    "record_quality",
    "record_status",
    "record_success",
    "request_sync",
    "store_template",
    "store_templates",
]
