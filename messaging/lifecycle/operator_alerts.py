"""Operator alerts: a log line and the signal `lane_alert`, after commit.

kind        key                               what happened
paused      the number's id                   Meta refused it or its account; it is paused until a person resumes it
held        `template:<name>`                 Meta paused a template; its messages wait
breaker     the number's id                   too many outcomes in a row that nobody knows; it only probes
unknown     the message's id                  nothing settles a lost answer; the message is held for a person
doubled     the message's id                  Meta took a message twice
"""

import logging

from django.db import transaction

from messaging.models import Message
from messaging.signals import announce, lane_alert

logger = logging.getLogger(__name__)


def alert(kind: str, key: object, reason: str) -> None:
    """Tell whoever listens, once the transaction around is committed. No text and no phone number in `reason`."""
    transaction.on_commit(lambda: _tell(kind, str(key), reason))


def _tell(kind: str, key: str, reason: str) -> None:
    logger.error("alert %s %s: %s", kind, key, reason)
    announce(lane_alert, Message, kind=kind, key=key, reason=reason)
