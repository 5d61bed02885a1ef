"""Operator alerts: a log line and the signal `lane_alert`, after commit.

kind        key                               meaning
paused      the number's id                   Meta refused the number or its account; paused until a person resumes it
held        `template:<name>`                 Meta paused a template; its messages are held
breaker     the number's id                   several unknown outcomes in a row; the number only probes
unknown     the message's id                  the outcome stays unknown; the message is held for a person's decision
doubled     the message's id                  Meta accepted a message twice
template    <what>:<name>                     Meta flagged or refused a template, or changes its category
account     the account's id                  Meta reviewed, restricted, banned or deleted an account
number      the number's row                  Meta flagged a number or refused its name
"""

import logging

from django.db import transaction

from messaging.models import Message
from messaging.signals import announce, lane_alert

logger = logging.getLogger(__name__)


def alert(kind: str, key: object, reason: str) -> None:
    """Log the alert and send `lane_alert` after the commit. No message text and no phone number in `reason`."""
    transaction.on_commit(lambda: _notify(kind, str(key), reason))


def _notify(kind: str, key: str, reason: str) -> None:
    logger.error("alert %s %s: %s", kind, key, reason)
    announce(lane_alert, Message, kind=kind, key=key, reason=reason)
