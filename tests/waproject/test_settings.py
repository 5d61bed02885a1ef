"""Settings fail closed."""

import os
import subprocess
from collections.abc import Callable

import pytest

from testkit.processes import python
from tests import warm_python

pytestmark = pytest.mark.slow("starts a process for each value of a setting")

SQS = "https://sqs.eu-central-1.amazonaws.com/123456789012"
PRODUCTION = {
    "DEPLOYMENT": "production",
    "AWS_ENDPOINT_URL_SQS": "",
    **{
        f"SQS_{lane.upper()}_{kind}_URL": f"{SQS}/wa-app-sqs-{lane}{suffix}"
        for lane in ("incoming", "outgoing", "analytics")
        for kind, suffix in (("QUEUE", ""), ("DLQ", "-dlq"))
    },
    "WA_GRAPH_URL": "https://graph.facebook.com",
    "DJANGO_ALLOWED_HOSTS": "wa.example.com",
}


Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def check() -> Check:
    """`manage.py check` in a process of its own, with variables changed; an empty value unsets one."""

    def run(**environment: str) -> "subprocess.CompletedProcess[str]":
        env = {name: value for name, value in {**os.environ, **environment}.items() if value}
        return warm_python.run(python("manage.py", "check"), env=env)

    return run


def test_the_tests_own_environment_passes(check: Check) -> None:
    assert check().returncode == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_ENDPOINT_URL_SQS", ""),
        ("AWS_ENDPOINT_URL_SQS", "https://sqs.us-east-1.amazonaws.com"),
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1.example.com:4566"),
        ("WA_GRAPH_URL", ""),
        ("WA_GRAPH_URL", "https://graph.facebook.com"),
        ("WA_MEDIA_HOSTS", "lookaside.fbsbx.com"),
        ("SQS_INCOMING_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123/incoming"),
    ],
)
def test_nothing_local_reaches_aws_or_meta(check: Check, variable: str, value: str) -> None:
    done = check(**{variable: value})
    assert (done.returncode != 0, variable in done.stderr) == (True, True)


@pytest.mark.parametrize("endpoint", ["", "https://s3.us-east-1.amazonaws.com"])
def test_no_local_file_goes_to_a_bucket_of_aws(check: Check, endpoint: str) -> None:
    done = check(MEDIA_S3_BUCKET="files", AWS_ENDPOINT_URL_S3=endpoint)
    assert (done.returncode != 0, "AWS_ENDPOINT_URL_S3" in done.stderr) == (True, True)


@pytest.mark.parametrize("variable", ["WA_APP_SECRET", "DJANGO_SECRET_KEY", "WA_ACCESS_TOKEN", "DATABASE_URL"])
def test_a_missing_secret_is_named(check: Check, variable: str) -> None:
    done = check(**{variable: ""})
    assert (done.returncode != 0, variable in done.stderr) == (True, True)


def test_a_queue_without_a_dlq_is_refused(check: Check) -> None:
    done = check(SQS_OUTGOING_DLQ_URL="")
    assert (done.returncode != 0, "SQS_OUTGOING_DLQ_URL" in done.stderr) == (True, True)


def test_an_invalid_network_is_named(check: Check) -> None:
    done = check(SUBSCRIBER_NETWORKS="10.0.0.0/8,office")
    assert (done.returncode != 0, "SUBSCRIBER_NETWORKS" in done.stderr) == (True, True)


@pytest.mark.parametrize("pace", ["0", "501", "-1"])
def test_an_invalid_redrive_rate_is_named(check: Check, pace: str) -> None:
    done = check(DLQ_MOVES_PER_SECOND=pace)
    assert (done.returncode != 0, "DLQ_MOVES_PER_SECOND" in done.stderr) == (True, True)


def test_a_complete_production_configuration_passes(check: Check) -> None:
    assert check(**PRODUCTION).returncode == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DJANGO_DEBUG": "1"}, "DEBUG"),
        ({"DJANGO_ALLOWED_HOSTS": "*"}, "DJANGO_ALLOWED_HOSTS"),
        ({"WA_GRAPH_URL": "http://graph.facebook.com"}, "WA_GRAPH_URL must start with https"),
        ({"AWS_ENDPOINT_URL_SQS": "http://sqs:9324"}, "AWS_ENDPOINT_URL_SQS must start with https"),
        ({"SQS_ANALYTICS_DLQ_URL": "http://sqs:9324/0/dlq"}, "SQS_ANALYTICS_DLQ_URL must start with https"),
        ({"SQS_INCOMING_QUEUE_URL": "sqs:9324/0/incoming"}, "SQS_INCOMING_QUEUE_URL must start with https"),
        ({"SQS_MONITOR_QUEUE_URL": "http://sqs:9324/0/bus"}, "SQS_MONITOR_QUEUE_URL must start with https"),
        ({"AWS_ENDPOINT_URL_S3": "http://minio:9000"}, "AWS_ENDPOINT_URL_S3 must start with https"),
        ({"DJANGO_SECRET_KEY": "short"}, "DJANGO_SECRET_KEY"),
    ],
)
def test_production_refuses_insecure_settings(check: Check, change: dict[str, str], said: str) -> None:
    done = check(**{**PRODUCTION, **change})
    assert (done.returncode != 0, said in done.stderr) == (True, True)


def test_a_private_sqs_server_may_be_allowed_without_tls(check: Check) -> None:
    assert check(**{**PRODUCTION, "AWS_ENDPOINT_URL_SQS": "http://sqs:9324", "SQS_HTTP": "1"}).returncode == 0


def test_an_unconfigured_process_does_not_start(check: Check) -> None:
    done = check(**dict.fromkeys(("DEPLOYMENT", "DJANGO_SECRET_KEY"), ""))
    assert done.returncode != 0


@pytest.mark.parametrize(
    "variable",
    [
        "WA_ACCESS_TOKEN",
        "WA_ACCESS_TOKEN_SHOP",
        "WA_APP_SECRET",
        "WA_APP_SECRET_PREVIOUS",
        "WA_WEBHOOK_VERIFY_TOKEN",
        "METRICS_TOKEN",
    ],
)
def test_production_refuses_a_secret_that_can_be_guessed(check: Check, variable: str) -> None:
    done = check(**PRODUCTION, **{variable: "1234567"})
    assert (done.returncode, f"{variable} is shorter than 8 characters" in done.stderr) == (1, True)
