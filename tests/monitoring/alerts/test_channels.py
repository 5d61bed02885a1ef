"""Channels: the mailbox of Django's tests, and a real HTTP server."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from typing import Any

import pytest
from django.utils import timezone

from monitoring.alerts.channels import LONGEST_BACK_OFF_S, MAX_TRIES, TIME_PER_CHANNEL_S, compose, send_due
from monitoring.models import Alert, Notice
from tests.servers.http import Handler, serving

pytestmark = pytest.mark.django_db


class Hook:
    """An HTTP server that keeps the posted texts and answers `status`, after 2 s where `answers` is not set."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()
        hook = self

        class Chat(Handler):
            def do_POST(self) -> None:
                hook.texts.append(json.loads(self.body())["text"])
                hook.answers.wait(2)
                self.answer(hook.status)

        self.server = HTTPServer(("127.0.0.1", 0), Chat)


@pytest.fixture
def hook(settings: Any) -> Iterator[Hook]:
    hook = Hook()
    with serving(hook.server) as url:
        settings.ALERT_WEBHOOK_URL = f"{url}/secret-path"
        yield hook


def notice(channel: str, event: str = "fired", key: str = "incoming") -> Notice:
    now = timezone.now()
    alert = Alert.objects.create(
        rule="dlq-not-empty",
        key=key,
        severity="warning",
        value=2,
        summary="2 messages lie there.",
        since=now,
        fired_at=now,
        resolved_at=now + timedelta(minutes=90) if event == "resolved" else None,
    )
    return Notice.objects.create(alert=alert, channel=channel, event=event)


def test_an_email_has_the_summary_and_the_action(settings: Any, mailoutbox: list[Any]) -> None:
    settings.ALERT_EMAIL_TO, settings.ALERT_EMAIL_FROM = ["ops@example.org"], "wa@example.org"
    notice("email")
    send_due(timezone.now())
    (mail,) = mailoutbox
    assert (mail.to, mail.from_email) == (["ops@example.org"], "wa@example.org")
    assert mail.subject == "[warning] dlq-not-empty (incoming)"
    assert "2 messages lie there." in mail.body and "redrive" in mail.body


def test_the_webhook_gets_a_slack_message(hook: Hook) -> None:
    notice("webhook")
    send_due(timezone.now())
    assert hook.texts[0].startswith("*[warning] dlq-not-empty (incoming)*\n2 messages lie there.")


def test_a_resolved_notice_says_how_long_the_alert_lasted(hook: Hook) -> None:
    notice("webhook", "resolved")
    send_due(timezone.now())
    assert hook.texts[0].startswith("*[over] dlq-not-empty (incoming)*\nIt is over. It lasted 90 minutes.")


def test_no_notice_is_sent_twice(hook: Hook) -> None:
    notice("webhook")
    assert [send_due(timezone.now()), send_due(timezone.now())] == [1, 0]
    assert len(hook.texts) == 1


def test_a_rejected_notice_is_retried_with_back_off(hook: Hook) -> None:
    row = notice("webhook")
    hook.status = 500
    send_due(timezone.now())
    row.refresh_from_db()
    assert (row.tries, row.error) == (1, "HTTP 500")
    hook.status = 200
    assert send_due(timezone.now()) == 0
    assert send_due(timezone.now() + timedelta(seconds=31)) == 1
    row.refresh_from_db()
    assert row.tries == 2 and row.error == ""


def test_the_end_of_an_alert_is_sent_after_its_start(hook: Hook) -> None:
    start = notice("webhook")
    hook.status = 500
    send_due(timezone.now())
    Alert.objects.update(resolved_at=timezone.now())
    Notice.objects.create(alert=start.alert, channel="webhook", event="resolved")
    hook.status = 200
    later = timezone.now() + timedelta(seconds=31)
    assert [send_due(timezone.now()), send_due(later), send_due(later)] == [0, 1, 1]
    assert [text.partition(" ")[0] for text in hook.texts[1:]] == ["*[warning]", "*[over]"]


def test_notices_are_sent_in_the_order_in_which_they_were_made(hook: Hook) -> None:
    for key in ("incoming", "outgoing"):
        notice("webhook", key=key)
    Notice.objects.filter(alert__key="incoming").update(tries=1)  # which moves its row behind the other one
    assert send_due(timezone.now()) == 2
    assert [text.partition("*\n")[0] for text in hook.texts] == [
        "*[warning] dlq-not-empty (incoming)",
        "*[warning] dlq-not-empty (outgoing)",
    ]


def test_the_end_of_an_alert_waits_for_no_start_of_another_alert_or_channel(hook: Hook) -> None:
    end = notice("webhook", "resolved")
    later = timezone.now() + timedelta(hours=1)
    Notice.objects.create(alert=end.alert, channel="email", event="fired", next_try_at=later)
    other = notice("webhook", key="outgoing")
    Notice.objects.filter(pk=other.pk).update(next_try_at=later)
    assert send_due(timezone.now()) == 1
    assert hook.texts[0].startswith("*[over] dlq-not-empty (incoming)*")


def test_the_start_of_an_alert_that_goes_on_is_sent_however_long_the_channel_was_away(hook: Hook) -> None:
    notice("webhook")
    Notice.objects.update(tries=3 * MAX_TRIES)
    hook.status = 500
    assert send_due(timezone.now()) == 0
    hook.status = 200
    assert [send_due(timezone.now() + timedelta(seconds=s)) for s in (0, LONGEST_BACK_OFF_S)] == [0, 1]
    assert Notice.objects.get().tries == 3 * MAX_TRIES + 2


def test_the_end_of_an_alert_whose_start_was_given_up_is_not_sent(hook: Hook) -> None:
    start = notice("webhook")
    Alert.objects.update(resolved_at=timezone.now())
    Notice.objects.update(tries=MAX_TRIES)
    Notice.objects.create(alert=start.alert, channel="webhook", event="resolved")
    assert (send_due(timezone.now()), hook.texts) == (0, [])


def test_no_error_contains_the_webhook_url(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:9/secret-path"
    row = notice("webhook")
    send_due(timezone.now())
    row.refresh_from_db()
    assert row.error == "ConnectionError" and "secret-path" not in caplog.text


def test_a_long_error_is_cut_to_what_its_column_holds(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> None:
        raise OSError("x" * 201)

    settings.ALERT_EMAIL_TO = ["ops@example.org"]
    monkeypatch.setattr("monitoring.alerts.channels._send_email", refuse)
    notice("email")
    send_due(timezone.now())
    assert Notice.objects.get().error == "x" * 200


def test_a_webhook_that_does_not_answer_is_given_up(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.alerts.channels.WEBHOOK_TIMEOUT_S", (1, 0.05))
    hook.answers.clear()
    notice("webhook")
    assert send_due(timezone.now()) == 0
    hook.answers.set()
    assert Notice.objects.get().error == "ReadTimeout"


def test_a_failing_channel_does_not_stop_the_other_one(settings: Any, mailoutbox: list[Any]) -> None:
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:9/"
    settings.ALERT_EMAIL_TO = ["ops@example.org"]
    notice("webhook")
    Alert.objects.update(resolved_at=timezone.now())
    notice("email")
    assert send_due(timezone.now()) == 1 and len(mailoutbox) == 1


class Clock:
    """The clock of one module."""

    def __init__(self) -> None:
        self._now = 1000.0

    def monotonic(self) -> float:
        return self._now

    def passes(self, seconds: float) -> None:
        self._now += seconds


def test_a_hanging_channel_delays_neither_the_other_one_nor_the_next_tick(
    hook: Hook, settings: Any, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALERT_EMAIL_TO = ["ops@example.org"]
    clock = Clock()
    monkeypatch.setattr("monitoring.alerts.channels.time", clock)
    monkeypatch.setattr("monitoring.alerts.channels._post", lambda *_: clock.passes(TIME_PER_CHANNEL_S + 0.1))
    row = notice("webhook")
    for _ in range(3):
        alert = Alert.objects.create(
            rule="lane-age", key=str(Alert.objects.count()), severity="warning", value=1, since=row.made_at,
            fired_at=row.made_at,
        )  # fmt: skip
        Notice.objects.create(alert=alert, channel="webhook", event="fired")
    Notice.objects.create(alert=alert, channel="email", event="fired")
    assert (send_due(timezone.now()), len(mailoutbox)) == (2, 1)


@pytest.mark.parametrize(
    ("rule", "page"),
    [("dlq-not-empty", "/admin/monitoring/redrivejob/lane/incoming/"), ("lane-age", "/monitoring/dashboard")],
)
def test_a_notice_links_to_the_page_on_which_to_act(rule: str, page: str, settings: Any, hook: Hook) -> None:
    settings.BASE_URL = "https://wa.example.org"
    notice("webhook")
    Alert.objects.update(rule=rule)
    send_due(timezone.now())
    assert hook.texts[0].endswith(f"\nhttps://wa.example.org{page}")


def test_without_a_base_url_a_notice_names_the_path_of_the_page(settings: Any, hook: Hook) -> None:
    settings.BASE_URL = ""
    notice("webhook")
    send_due(timezone.now())
    assert hook.texts[0].endswith("\n/admin/monitoring/redrivejob/lane/incoming/")


SINCE = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "subject", "text"),
    [
        (
            "sqs-away",
            "[critical] sqs-away",
            "SQS is away.\nCheck the network, the credentials and the AWS health page. Nothing is lost meanwhile.\n"
            "Since 2026-03-01 12:34:56 UTC.\nhttps://wa.example.org/monitoring/dashboard",
        ),
        ("of-another-release", "[critical] of-another-release", "SQS is away.\nSince 2026-03-01 12:34:56 UTC."),
    ],
    ids=["without a key", "of a rule that is gone"],
)
def test_a_notice_says_what_since_when_and_what_to_do(rule: str, subject: str, text: str, settings: Any) -> None:
    settings.BASE_URL = "https://wa.example.org"
    alert = Alert(rule=rule, severity="critical", summary="SQS is away.", since=SINCE, fired_at=SINCE)
    assert compose(alert, "fired") == (subject, text)
