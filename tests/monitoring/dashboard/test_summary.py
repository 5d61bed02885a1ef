"""The overview of the pipeline."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.incoming.store import receive
from messaging.models import AccountEvent, BusinessNumber, Media, Message
from messaging.outgoing.holds.holds import hold_template
from messaging.outgoing.holds.suspensions import pause
from monitoring.dashboard.overview import read_overview
from monitoring.dashboard.sections.state import State
from monitoring.metrics import current, gauges, samples, totals
from monitoring.metrics.message_counts import FAILURES, MESSAGES, SEND_LATENCY
from monitoring.models import Alert, Heartbeat, Silence
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import number, pending
from tests.monitoring.readings import database_readings
from waproject.metrics.counters import SQS_MESSAGES, Series

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sqs")]


def increase(by: dict[Series, float], seconds: float = 60) -> None:
    """Increase totals by so much since a sample `seconds` ago."""
    samples.store(timezone.now() - timedelta(seconds=seconds), dict.fromkeys(by, 0.0))
    totals.add(by)


def alert(severity: str, **fields: Any) -> Alert:
    now = timezone.now()
    given = {"rule": "lane-age", "key": "incoming", "summary": "It is old.", **fields}
    return Alert.objects.create(severity=severity, value=1, since=now, fired_at=now, **given)


def view() -> Any:
    cache.clear()
    return read_overview(current.window())


def test_all_is_well_with_a_monitor_and_without_alerts() -> None:
    samples.store(timezone.now(), {})
    assert (view().state, view().reasons) == (State.OK, [])


def test_a_stopped_monitor_is_trouble() -> None:
    assert view().state is State.TROUBLE and "monitor" in view().reasons[0]


@pytest.mark.parametrize(("severity", "state"), [("warning", State.ATTENTION), ("critical", State.TROUBLE)])
def test_an_open_alert_sets_the_state_and_a_reason(severity: str, state: State) -> None:
    samples.store(timezone.now(), {})
    alert(severity)
    assert (view().state, view().reasons) == (state, ["It is old."])


def test_an_alert_changes_the_state_of_its_lane_only() -> None:
    samples.store(timezone.now(), {})
    alert("critical")
    assert [lane.state for lane in view().lanes] == [State.TROUBLE, State.OK, State.OK]


def test_lanes_have_the_counts_of_their_queues(sqs: Any, settings: Any) -> None:
    sqs.send_message(QueueUrl=settings.SQS_QUEUES["incoming"]["dlq_url"], MessageBody="{}")
    sqs.send_message(QueueUrl=settings.SQS_QUEUES["outgoing"]["url"], MessageBody="{}")
    incoming, outgoing, _ = view().lanes
    assert (incoming.waiting, incoming.dlq, outgoing.waiting, outgoing.dlq) == (0, 1, 1, 0)


def test_queues_are_unknown_and_not_empty_while_sqs_does_not_answer(sqs_away: None) -> None:
    from waproject.sqs import control

    control.client.cache_clear()
    seen = view()
    control.client.cache_clear()
    assert (seen.sqs_up, seen.lanes[0].waiting, seen.state) == (False, None, State.TROUBLE)


def test_error_codes_have_their_meaning() -> None:
    increase({(FAILURES.name, "131026"): 3, (MESSAGES.name, "accepted"): 1})
    sends = view().sends
    assert [(code.code, code.failed) for code in sends.codes] == [("131026", 3)]
    assert "not deliverable" in sends.codes[0].meaning and sends.error_rate == 0.75


def test_latency_is_that_of_the_last_five_minutes() -> None:
    increase({(SEND_LATENCY.name, "normal", "0.25"): 10})
    sends = view().sends
    assert 0.1 < sends.p50_s < sends.p95_s <= 0.25


def test_a_paused_number_shows_its_pause_reason() -> None:
    pause([number().pk], reason="190: the token has expired", by="system")
    (row,) = view().numbers
    assert (row.state, row.word, row.reason) == (State.TROUBLE, "paused", "190: the token has expired")


def test_waiting_messages_are_counted() -> None:
    pending(3)
    assert view().sends.waiting["due"] == 3


def test_the_summary_is_json(api: APIClient) -> None:
    samples.store(timezone.now(), {})
    answer = api.get("/monitoring/summary").json()
    assert answer["state"] == "ok" and [lane["name"] for lane in answer["lanes"]] == [
        "incoming",
        "outgoing",
        "analytics",
    ]


def test_alerts_are_listed_with_their_action(api: APIClient) -> None:
    alert("critical")
    alert("warning", resolved_at=timezone.now(), key="old")
    (found,) = api.get("/monitoring/alerts").json()["alerts"]
    assert found["rule"] == "lane-age" and found["action"]
    assert len(api.get("/monitoring/alerts?state=all").json()["alerts"]) == 2


def test_an_unknown_state_of_alerts_is_refused(api: APIClient) -> None:
    answer = api.get("/monitoring/alerts?state=bad")
    assert (answer.status_code, list(answer.json())) == (400, ["state"])


@pytest.mark.parametrize(
    ("events", "low"),
    [
        (["FLAGGED"], 1),
        (["DOWNGRADE"], 1),
        (["FLAGGED", "UNFLAGGED"], 0),
        (["UNFLAGGED", "FLAGGED", "ONBOARDING"], 1),
        (["ONBOARDING"], None),
    ],
)
def test_the_quality_of_a_number_is_that_of_metas_latest_event(events: list[str], low: float | None) -> None:
    mine = number(display_phone_number="+1 555-078-3881")
    BusinessNumber.objects.create(phone_number_id="2")
    for n, event in enumerate(events):
        value = {"display_phone_number": "15550783881", "event": event}
        change = {"field": "phone_number_quality_update", "value": value}
        receive({"object": "whatsapp_business_account", "entry": [{"id": "7", "time": n, "changes": [change]}]})
    assert database_readings().get((gauges.QUALITY_LOW.name, mine.phone_number_id)) == low


@pytest.mark.parametrize(
    ("quality", "synced_after_s", "low"),
    [("RED", 60, 1), ("GREEN", 60, 0), ("UNKNOWN", 60, 0), ("", 60, 1), ("GREEN", -60, 1)],
)
def test_the_quality_of_a_later_sync_is_newer_than_an_event(quality: str, synced_after_s: int, low: float) -> None:
    at = timezone.now() - timedelta(hours=1)
    mine = number(quality=quality, synced_at=at + timedelta(seconds=synced_after_s))
    AccountEvent.objects.create(
        kind="phone_number_quality_update", event="FLAGGED", phone_number_id=mine.phone_number_id, at=at, raw={},
        digest="d",
    )  # fmt: skip
    assert database_readings()[gauges.QUALITY_LOW.name, mine.phone_number_id] == low


def test_a_sync_alone_tells_of_a_low_quality() -> None:
    mine = number(quality="RED", synced_at=timezone.now())
    assert database_readings()[gauges.QUALITY_LOW.name, mine.phone_number_id] == 1


def test_a_number_with_low_quality_needs_attention() -> None:
    mine = number()
    samples.store(timezone.now(), {})
    AccountEvent.objects.create(
        kind="phone_number_quality_update", event="FLAGGED", phone_number_id=mine.phone_number_id, at=timezone.now(),
        raw={}, digest="d",
    )  # fmt: skip
    (row,) = view().numbers
    assert (row.state, row.word) == (State.ATTENTION, "low quality")


def test_a_process_shows_how_often_and_when_it_was_killed() -> None:
    now = timezone.now()
    Heartbeat.objects.create(
        kind="incoming", name="incoming@a", host="a", pid=7, started_at=now, seen_at=now, crashes=3, crashed_at=now
    )
    (alive,) = [process for process in view().processes if process.kind == "incoming"]
    assert (alive.crashes, alive.crashed_at, alive.word) == (3, now, "alive")
    assert gauges.read_processes()[gauges.CRASHES.name, "incoming"] == 3


def test_inbound_files_that_are_not_stored_are_counted() -> None:
    receive(webhook({**inbound_text(), "type": "image", "image": {"id": "1"}}))
    assert view().files == {"waiting": 1, "late": 0, "lost": 0}


@pytest.mark.parametrize(
    ("state", "lost"), [("gone", 1), ("too_large", 1), ("damaged", 1), ("failed", 1), ("stored", 0), ("deleted", 0)]
)
def test_a_file_is_lost_that_is_given_up_and_not_one_that_was_deleted(state: str, lost: int) -> None:
    receive(webhook({**inbound_text(), "type": "image", "image": {"id": "1"}}))
    Media.objects.update(state=state, finished_at=timezone.now())
    assert view().files["lost"] == lost


def test_a_throttled_number_needs_attention() -> None:
    samples.store(timezone.now(), {})
    number(throttled_until=timezone.now() + timedelta(minutes=1))
    assert (view().state, view().reasons) == (State.ATTENTION, [f"The business number {number()} is throttled."])


def test_a_throttled_number_that_may_send_again_is_ok() -> None:
    samples.store(timezone.now(), {})
    number(throttled_until=timezone.now() - timedelta(seconds=1))
    assert view().state is State.OK


@pytest.mark.parametrize("severity", ["warning", "critical"])
def test_a_silenced_alert_still_needs_attention(severity: str) -> None:
    samples.store(timezone.now(), {})
    alert(severity)
    Silence.objects.create(rule="lane-age", until=timezone.now() + timedelta(hours=1), by="ann")
    assert (view().state, view().reasons) == (State.ATTENTION, ["It is old. (silenced)"])


def test_a_template_that_meta_paused_needs_attention_before_its_alert_fires() -> None:
    samples.store(timezone.now(), {})
    hold_template("spring", by="system", reason="132015: paused")
    assert (view().state, view().reasons) == (
        State.ATTENTION,
        ["Meta paused the template spring; its messages are held."],
    )
    alert("warning", rule="template-held", key="spring", summary="Held.")
    assert view().reasons == ["Held."]


def test_a_template_that_a_person_holds_needs_no_attention() -> None:
    samples.store(timezone.now(), {})
    hold_template("spring", by="ann")
    assert view().state is State.OK


# seconds ago: messages waiting on the queue; then deleted within the last minute, whether it is stalled.
DRAINING: list[tuple[dict[int, int], int, bool]] = [
    ({61: 3, 31: 3}, 0, True),
    ({61: 3, 31: 3}, 1, False),
    ({61: 3, 31: 0}, 0, False),
    ({61: 0, 31: 3}, 0, False),
    ({55: 3, 31: 3}, 0, False),
]


@pytest.mark.parametrize(("waiting", "deleted", "stalled"), DRAINING)
def test_a_queue_that_does_not_drain_for_a_minute_needs_attention(
    waiting: dict[int, int], deleted: int, stalled: bool, sqs: Any, settings: Any
) -> None:
    url = settings.SQS_QUEUES["outgoing"]["url"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    series = (SQS_MESSAGES.name, url.rsplit("/", 1)[-1], "DeleteMessage")
    for ago, count in waiting.items():
        values: dict[Series, float] = {(gauges.QUEUE.name, "outgoing", "waiting"): float(count), series: 0.0}
        samples.store(timezone.now() - timedelta(seconds=ago), values)
    totals.add({series: float(deleted)})
    reason = "The queue outgoing is not draining: 1 messages are waiting, none was processed for 60 s."
    seen = view()
    assert (seen.reasons, seen.lanes[1].word == "not draining") == ([reason] if stalled else [], stalled)
    assert seen.state is (State.ATTENTION if stalled else State.OK)


@pytest.mark.parametrize(("due_s", "state"), [(10, State.OK), (20, State.ATTENTION)])
def test_due_messages_that_are_not_released_need_attention(due_s: int, state: State) -> None:
    samples.store(timezone.now(), {})
    pending(1)
    since = timezone.now() - timedelta(seconds=due_s)
    Message.objects.update(due_at=since)
    BusinessNumber.objects.update(tokens_at=since)
    assert view().state is state


@pytest.mark.parametrize(
    ("ages", "accepted", "covered"),
    [([3640, 60], 7, 3640), ([3600, 60], 7, 3600), ([7200, 1200], 7, 1200), ([], 7, 0)],
    ids=["an hour", "just an hour", "after an outage of the monitor", "without samples"],
)
def test_the_counts_of_an_hour_say_how_much_of_it_they_cover(ages: list[int], accepted: int, covered: int) -> None:
    series = (MESSAGES.name, "accepted")
    for age in ages:
        samples.store(timezone.now() - timedelta(seconds=age), {series: 0.0 if age <= 3700 else -100.0})
    totals.add({series: float(accepted)})
    seen = view()
    assert round(seen.hour_covers_s) == covered
    assert seen.sends.hour == ({"accepted": accepted} if covered else {"accepted": 0})


def test_an_alert_of_the_api_has_a_link(api: APIClient, settings: Any) -> None:
    settings.BASE_URL = "https://wa.example.org"
    alert("warning", rule="dlq-not-empty", key="incoming")
    (found,) = api.get("/monitoring/alerts").json()["alerts"]
    assert found["link"] == "https://wa.example.org/admin/monitoring/redrivejob/lane/incoming/"
