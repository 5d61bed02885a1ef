"""Notices of alerts, by e-mail or Slack-compatible webhook, each sent once and retried on failure.

A notice of an alert that is over is given up after MAX_TRIES; one of an open alert is not.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import requests
from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Exists, OuterRef, Q

from monitoring.alerts.rules import BY_NAME
from monitoring.alerts.store import FIRED, RESOLVED
from monitoring.models import Alert, Notice
from waproject.sqs.back_off import back_off

logger = logging.getLogger(__name__)

WEBHOOK_TIMEOUT_S = (3, 10)
MAX_TRIES = 8
# The seventh wait is the longest: 16 to 32 minutes.
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 30.0, 1920.0
BATCH = 50
# A channel that hangs delays neither the other one nor the monitor's next tick, which sends the rest.
TIME_PER_CHANNEL_S = 5.0

Channel = Callable[[str, str], None]


def configured() -> dict[str, Channel]:
    """The channels that the settings name."""
    channels: dict[str, Channel] = {}
    if settings.ALERT_EMAIL_TO:
        channels["email"] = _send_email
    if settings.ALERT_WEBHOOK_URL:
        channels["webhook"] = _post
    return channels


def send_due(now: datetime) -> int:
    """Send the notices that are due; returns how many were sent. A failed one is logged and retried with back-off."""
    return sum(_send_due_by(name, channel, now) for name, channel in configured().items())


def _send_due_by(name: str, channel: Channel, now: datetime) -> int:
    # The end of an alert is never sent before its start: readers would take the start, which comes last, for its state.
    start = Notice.objects.filter(alert=OuterRef("alert"), channel=name, event=FIRED, sent_at=None)
    # What still goes on is worth a notice at any time: a channel may be away for hours.
    wanted = Q(tries__lt=MAX_TRIES) | Q(event=FIRED, alert__resolved_at=None)
    due = Notice.objects.filter(wanted, sent_at=None, next_try_at__lte=now, channel=name).exclude(
        Exists(start), event=RESOLVED
    )
    sent, deadline = 0, time.monotonic() + TIME_PER_CHANNEL_S
    for notice in due.select_related("alert").order_by("pk")[:BATCH]:
        if time.monotonic() > deadline:
            break
        try:
            channel(*compose(notice.alert, notice.event))
        except Exception as error:  # a mail server or proxy may raise anything; the monitor continues
            _back_off(notice, error, now)
        else:
            notice.sent_at, notice.error, notice.tries = now, "", notice.tries + 1
            sent += 1
        notice.save(update_fields=["sent_at", "error", "tries", "next_try_at"])
    return sent


def compose(alert: Alert, event: str) -> tuple[str, str]:
    """The subject and the text of a notice."""
    rule = BY_NAME.get(alert.rule)
    name = f"{alert.rule} ({alert.key})" if alert.key else alert.rule
    if event == FIRED:
        lines = [alert.summary, rule.action if rule else "", f"Since {alert.since:%Y-%m-%d %H:%M:%S} UTC."]
        if rule:
            lines.append(rule.link(alert.key, settings.BASE_URL))
        return f"[{alert.severity}] {name}", "\n".join(line for line in lines if line)
    minutes = ((alert.resolved_at or alert.fired_at) - alert.since).total_seconds() / 60
    return f"[over] {name}", f"It is over. It lasted {minutes:.0f} minutes. It was: {alert.summary}"


def _send_email(subject: str, text: str) -> None:
    send_mail(subject, text, settings.ALERT_EMAIL_FROM, settings.ALERT_EMAIL_TO)


def _post(subject: str, text: str) -> None:
    answer = requests.post(settings.ALERT_WEBHOOK_URL, json={"text": f"*{subject}*\n{text}"}, timeout=WEBHOOK_TIMEOUT_S)
    if not answer.ok:
        raise OSError(f"HTTP {answer.status_code}")


def _back_off(notice: Notice, error: Exception, now: datetime) -> None:
    # The messages of requests' errors contain the URL, which for Slack is the secret.
    reason = str(error) if type(error) is OSError else type(error).__name__
    notice.tries += 1
    notice.error = reason[:200]
    notice.next_try_at = now + timedelta(seconds=back_off(notice.tries, FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S))
    logger.warning("the notice of alert %s by %s failed: %s", notice.alert_id, notice.channel, reason)
