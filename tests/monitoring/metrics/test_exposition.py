"""The Prometheus text, and the files for Prometheus and Grafana."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from monitoring.metrics import exposition, samples, totals
from monitoring.metrics.catalogue import METRICS
from monitoring.metrics.gauges import DUPLICATE_SENDS, QUEUE
from tests.monitoring.metric_names import exposed_names
from waproject.metrics.counters import TASK_SECONDS, WEBHOOKS

pytestmark = pytest.mark.django_db
NAME = re.compile(r"waproject_[a-z_]+")


def exposed() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples of the text, by name and labels."""
    families = text_string_to_metric_families(exposition.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_counter_is_the_total() -> None:
    totals.add({(WEBHOOKS.name, "taken"): 7})
    assert exposed()["waproject_webhooks_total", (("outcome", "taken"),)] == 7


def test_a_histogram_has_growing_buckets_a_sum_and_a_count() -> None:
    name = TASK_SECONDS.name
    totals.add({(name, "t", "ok", "0.01"): 2, (name, "t", "ok", "0.05"): 1, (name, "t", "ok", "sum"): 0.06})
    found = exposed()
    labels = (("outcome", "ok"), ("task", "t"))
    assert found[f"{name}_bucket", (("le", "0.05"), *labels)] == 3
    assert found[f"{name}_bucket", (("le", "+Inf"), *labels)] == 3
    assert (found[f"{name}_count", labels], found[f"{name}_sum", labels]) == (3, 0.06)


def test_each_metric_has_its_type_and_its_meaning() -> None:
    text = exposition.render().decode()
    for line in (
        "# HELP waproject_sqs_up 1 while SQS answers\n# TYPE waproject_sqs_up gauge\n",
        "# HELP waproject_doubled_messages Former name of waproject_duplicate_sends\n",
        "# HELP waproject_webhooks_total Webhook requests by what became of them\n"
        "# TYPE waproject_webhooks_total counter\n",
        "# HELP waproject_task_seconds How long a task ran\n# TYPE waproject_task_seconds histogram\n",
    ):
        assert line in text


def test_a_histogram_without_a_sum_of_an_older_release_has_zero() -> None:
    totals.add({("waproject_task_seconds", "only-here", "ok", "0.05"): 1})
    assert exposed()["waproject_task_seconds_sum", (("outcome", "ok"), ("task", "only-here"))] == 0


@pytest.mark.parametrize(("seconds", "exposes"), [(95, True), (105, False)])
def test_gauges_are_valid_until_three_ticks_are_missed(seconds: int, exposes: bool) -> None:
    samples.store(timezone.now() - timedelta(seconds=seconds), {(QUEUE.name, "incoming", "waiting"): 4})
    assert (("waproject_queue_messages", (("lane", "incoming"), ("state", "waiting"))) in exposed()) is exposes


def test_before_the_first_sample_no_gauge_has_a_value() -> None:
    assert "waproject_sample_age_seconds" not in {name for name, _ in exposed()}


def test_gauges_are_those_of_the_latest_sample() -> None:
    samples.store(timezone.now(), {(QUEUE.name, "incoming", "waiting"): 4})
    assert exposed()["waproject_queue_messages", (("lane", "incoming"), ("state", "waiting"))] == 4


def test_a_renamed_gauge_is_exposed_under_both_names() -> None:
    samples.store(timezone.now(), {(DUPLICATE_SENDS.name,): 3})
    found = exposed()
    assert (found["waproject_duplicate_sends", ()], found["waproject_doubled_messages", ()]) == (3, 3)


def test_gauges_are_left_out_while_no_monitor_runs() -> None:
    samples.store(timezone.now() - timedelta(minutes=5), {(QUEUE.name, "incoming", "waiting"): 4})
    found = exposed()
    assert "waproject_queue_messages" not in {name for name, _ in found}
    assert found["waproject_sample_age_seconds", ()] >= 300


def test_a_series_with_the_labels_of_an_older_release_is_skipped() -> None:
    before = exposed()  # other tests' processes may have counted something
    totals.add({(WEBHOOKS.name, "taken", "more"): 7, (TASK_SECONDS.name, "t"): 1})
    assert exposed() == before


def test_the_metrics_token_opens_the_metrics(settings: Any) -> None:
    settings.METRICS_TOKEN = "only-for-prometheus"
    answer = Client().get("/monitoring/metrics", headers={"Authorization": "Bearer only-for-prometheus"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_the_metrics_token_opens_nothing_else(settings: Any) -> None:
    settings.METRICS_TOKEN = "only-for-prometheus"
    assert (
        Client().get("/messaging/messages", headers={"Authorization": "Bearer only-for-prometheus"}).status_code == 401
    )


def test_an_empty_metrics_token_allows_nothing(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/monitoring/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_an_api_key_may_read_the_metrics(settings: Any, api: APIClient) -> None:
    settings.METRICS_TOKEN = "only-for-prometheus"
    assert api.get("/monitoring/metrics").status_code == 200


@pytest.mark.parametrize("path", ["deploy/grafana/pipeline.json", "deploy/prometheus/rules.yml"])
def test_grafana_and_prometheus_files_use_existing_metrics_only(path: str) -> None:
    assert set(NAME.findall(Path(path).read_text())) <= exposed_names()


def test_the_grafana_dashboard_shows_every_metric() -> None:
    shown = set(NAME.findall(Path("deploy/grafana/pipeline.json").read_text()))
    assert [name for name in METRICS if not any(found.startswith(name) for found in shown)] == []


def test_the_grafana_dashboard_is_json_with_its_queries() -> None:
    dashboard = json.loads(Path("deploy/grafana/pipeline.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert panels and all(panel["targets"][0]["expr"] for panel in panels)
