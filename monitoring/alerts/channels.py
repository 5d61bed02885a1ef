"""Notices of alerts by e-mail and Slack-compatible webhook, each sent once and retried on failure."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import requests
from django.conf import settings
from django.core.mail import send_mail

from monitoring.alerts.rules import BY_NAME
from monitoring.alerts.store import FIRED
from monitoring.models import Alert, Notice

logger = logging.getLogger(__name__)

WEBHOOK_TIMEOUT_S = (3, 10)
MAX_TRIES = 8
FIRST_WAIT_S = 30
AT_ONCE = 50
# A channel that hangs keeps neither the other one nor the monitor's next tick: what is left is told then.
TELL_S = 5.0

Channel = Callable[[str, str], None]


def configured() -> dict[str, Channel]:
    """The channels that the settings name."""
    channels: dict[str, Channel] = {}
    if settings.ALERT_EMAIL_TO:
        channels["email"] = _send_email
    if settings.ALERT_WEBHOOK_URL:
        channels["webhook"] = _post
    return channels


def tell(now: datetime) -> int:
    """Tell what is to be told; returns how much was. What fails is logged and tried again, later each time."""
    return sum(_tell_by(name, channel, now) for name, channel in configured().items())


def _tell_by(name: str, channel: Channel, now: datetime) -> int:
    due = Notice.objects.filter(told_at=None, tries__lt=MAX_TRIES, next_try_at__lte=now, channel=name)
    told, until = 0, time.monotonic() + TELL_S
    for notice in due.select_related("alert").order_by("pk")[:AT_ONCE]:
        if time.monotonic() > until:
            break
        try:
            channel(*words(notice.alert, notice.event))
        except Exception as error:  # whatever a mail server or a proxy thinks of must not end the monitor
            _failed(notice, error, now)
        else:
            notice.told_at, notice.error, notice.tries = now, "", notice.tries + 1
            told += 1
        notice.save(update_fields=["told_at", "error", "tries", "next_try_at"])
    return told


def words(alert: Alert, event: str) -> tuple[str, str]:
    """The subject and the text."""
    rule = BY_NAME.get(alert.rule)
    name = f"{alert.rule} ({alert.key})" if alert.key else alert.rule
    if event == FIRED:
        lines = [alert.summary, rule.action if rule else "", f"Since {alert.since:%Y-%m-%d %H:%M:%S} UTC."]
        if settings.BASE_URL and rule:
            lines.append(f"{settings.BASE_URL}{rule.link(alert.key)}")
        return f"[{alert.severity}] {name}", "\n".join(line for line in lines if line)
    minutes = ((alert.resolved_at or alert.fired_at) - alert.since).total_seconds() / 60
    return f"[over] {name}", f"It is over. It lasted {minutes:.0f} minutes. It was: {alert.summary}"


def _send_email(subject: str, text: str) -> None:
    send_mail(subject, text, settings.ALERT_EMAIL_FROM, settings.ALERT_EMAIL_TO)


def _post(subject: str, text: str) -> None:
    answer = requests.post(settings.ALERT_WEBHOOK_URL, json={"text": f"*{subject}*\n{text}"}, timeout=WEBHOOK_TIMEOUT_S)
    if not answer.ok:
        raise OSError(f"HTTP {answer.status_code}")


def _failed(notice: Notice, error: Exception, now: datetime) -> None:
    # The words of requests' errors hold the URL, which for Slack is the secret.
    why = str(error) if type(error) is OSError else type(error).__name__
    notice.tries += 1
    notice.error = why[:200]
    notice.next_try_at = now + timedelta(seconds=FIRST_WAIT_S * 2 ** (notice.tries - 1))
    logger.warning("alert %s was not told by %s: %s", notice.alert_id, notice.channel, why)
