"""Each malformed variable is one sentence that names it, and no variable is left out.

The settings are read anew in this process: reading them takes milliseconds, and each process of the Procfile reads them
first (test_startup_errors.py).
"""

import logging
import os
import runpy
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from messaging.whatsapp.consent_words import START, STOP
from tests.processes import CHECKOUT
from tests.waproject.test_settings import PRODUCTION
from waproject.environment import formats
from waproject.environment.strict_env import MOST_DAYS
from waproject.startup_errors import sentence

SECRET = "{} is not a secret without spaces and line breaks"
NUMBER = "{} is not a whole number from 0"
POSITIVE = "{} is not a whole number from 1"
SWITCH = "{} is not true or false"
HTTPS = "{} must start with https:// in production and name a host"
QUEUE = "{} is not the URL of a standard SQS queue"
ADDRESS = "{} is not an address such as "
HOSTS = "{} is not a list of host names such as wa.example.com"
LANES = ("INCOMING", "OUTGOING", "ANALYTICS")
PORT = "{} is not a whole number from 0 to 65535"
E_MAIL = "{} is not an e-mail address such as ops@example.com"
DATABASE = "DATABASE_URL is not a PostgreSQL address such as postgres://user:password@host:port/name"

# A malformed value and the sentence, which the document's name completes.
MALFORMED = {
    "DEPLOYMENT": ("staging", "DEPLOYMENT is not production or local"),
    "DJANGO_SECRET_KEY": ("x" * 40 + "\n", SECRET),
    "DJANGO_DEBUG": ("maybe", SWITCH),
    "DJANGO_ALLOWED_HOSTS": ("https://wa.example.com", HOSTS),
    "DJANGO_CSRF_TRUSTED_ORIGINS": ("wa.example.com", "{} is not a list of origins such as https://wa.example.com"),
    "DJANGO_HSTS_SECONDS": ("-1", NUMBER),
    "DJANGO_SSL_REDIRECT": ("2", SWITCH),
    "TIME_ZONE": ("Mars", "{} is not a time zone such as Europe/Berlin"),
    "SESSION_IDLE_S": ("0", POSITIVE),
    "TRUSTED_PROXIES": ("-1", NUMBER),
    "API_MAX_BYTES": ("8MB", POSITIVE),
    "DATABASE_URL": ("postgres://a:b@c:port/d", DATABASE),
    "DATABASE_STATEMENT_TIMEOUT_MS": ("30s", NUMBER),
    "AWS_REGION": ("Frankfurt", "{} is not an AWS region such as eu-central-1"),
    "AWS_ENDPOINT_URL_SQS": ("https://sqs:port", HTTPS),
    "SQS_HTTP": ("ture", SWITCH),
    "SQS_WAIT_TIME_S": ("21", "{} is not a whole number from 0 to 20"),
    **{f"SQS_{lane}_QUEUE_URL": ("https://sqs/1/lane.fifo", QUEUE) for lane in LANES},
    **{f"SQS_{lane}_DLQ_URL": ("https://sqs.us-east-1.amazonaws.com", QUEUE) for lane in LANES},
    "SQS_MONITOR_QUEUE_URL": ("sqs/1/monitor", HTTPS),
    "SQS_KMS_KEY_ARN": ("alias/pipeline", "{} is not the ARN of a KMS key"),
    **{f"{lane}_CONCURRENCY": ("two", NUMBER) for lane in LANES},
    "WORKER_NAME": ("outgoing@host", "{} is not a name of letters, digits, '.', '_' and '-'"),
    "DOCTOR_EVERY_S": ("hourly", "{} is not a number from 0"),
    "WA_LIMIT_HIGH_SHARE": ("1", "{} is not a number from 0 to 0.99"),
    "DLQ_MOVES_PER_SECOND": ("nan", "{} is not a number from 0"),
    "WA_GRAPH_URL": ("https://", HTTPS),
    "WA_GRAPH_VERSION": ("25", "{} is not a version such as v25.0"),
    "WA_PHONE_NUMBER_ID": ("+1 555", "{} is not an id of Meta, which has digits only"),
    "WA_ACCESS_TOKEN": ("a token\n", SECRET),
    "WA_ACCESS_TOKEN_SHOP": ("a token", SECRET),
    "WA_APP_SECRET": ("0123456789abcdef ", SECRET),
    "WA_APP_SECRET_PREVIOUS": ("0123456789abcdef\n", SECRET),
    "WA_WEBHOOK_VERIFY_TOKEN": ("a b", SECRET),
    "METRICS_TOKEN": ("pässwort", SECRET),
    "WA_MAX_ATTEMPTS": ("0", POSITIVE),
    "WA_BACK_OFF_S": ("2,x", "{} is not a list of seconds such as 2,8,30"),
    "WA_CODE_WAITS": ("2=30,x", "{} is not a list of error codes and seconds such as 131049=86400,2=30"),
    "WA_UNKNOWN_GRACE": ("-1", "{} is not a number from 0"),
    "WA_UNKNOWN_RESEND_AFTER": ("inf", "{} is not a number from 0"),
    "WA_DEFAULT_RATE": ("0", POSITIVE),
    "WA_WINDOW_POLICY": ("refuse", "{} is not off, warn or reject"),
    "COSTS_CURRENCY": ("Euro", "{} is not a currency such as USD"),
    "ACCOUNT_TIME_ZONES": ("1022=Mars", "{} is not a list of WABA ids and time zones such as 1022=America/New_York"),
    "FREE_SERVICE_MESSAGES": ("-5", NUMBER),
    "FREE_SERVICE_MESSAGES_SINCE": ("1 October", "{} is not a date such as 2026-10-01"),
    "WA_MEDIA_HOSTS": ("https://lookaside.fbsbx.com", HOSTS),
    "WA_MEDIA_LIMITS": ("fax=1", "{} has 'fax=1'; an entry is a kind and bytes, document=20000000. "),
    "MEDIA_S3_BUCKET": ("s3://files", "{} is not the name of an S3 bucket"),
    "MEDIA_S3_PREFIX": ("my files/", "{} is not a prefix of S3 keys"),
    "AWS_ENDPOINT_URL_S3": ("http://minio", HTTPS),
    **{
        f"RETENTION_{kind}_DAYS": ("-1", NUMBER)
        for kind in ("TEXTS", "FILES", "TIMELINE", "MESSAGES", "ACCOUNT_EVENTS", "UNKNOWN_UPDATES", "AUDIT", "EVENTS")
    },
    "WA_CONSENT_LANGUAGES": ("en,xx", "{} is not a list of en, de, es, fr, it, nl, pt, id, hi or ar"),
    "SUBSCRIBER_NETWORKS": ("10.0.0.0/8,office", "{} is a list of networks such as 10.1.0.0/16: 'office' "),
    "SUBSCRIBER_HTTP": ("maybe", SWITCH),
    "BASE_URL": ("wa.example.com", ADDRESS + "https://wa.example.com"),
    "ALERT_WEBHOOK_URL": ("hooks.example.com", ADDRESS + "https://hooks.example.com/…"),
    "ALERT_EMAIL_TO": ("ops", E_MAIL),
    "ALERT_EMAIL_FROM": ("pipeline at example.com", E_MAIL),
    "EMAIL_URL": ("smtp://u:p@host:port", ADDRESS + "smtp+tls://user:password@host:587"),
    "EXPECTED_PROCESSES": (
        "incoming,worker",
        "{} is not a list of incoming, outgoing, analytics, dispatcher, deliver, beat, monitor or web",
    ),
    "BIND_ADDRESS": ("0.0.0.0:80 ::", "{} is not an address to listen on such as 0.0.0.0"),
    "PORT": ("http", PORT),
    "WEB_WORKERS": ("0", POSITIVE),
    "FLOWER_PORT": ("65536", "{} is not a whole number from 1 to 65535"),
    "FLOWER_READ_ONLY": ("mostly", SWITCH),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ("collector:4318", HTTPS),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("http://collector:4318", HTTPS),
    "OTEL_SDK_DISABLED": ("x", SWITCH),
    "SENTRY_DSN": ("key@sentry.example.com/1", HTTPS),
    "LOG_FORMAT": ("text", "{} is not json or console"),
    "LOG_LEVEL": ("verbose", "{} is not DEBUG, INFO, WARNING, ERROR or CRITICAL"),
}
# Numbers with which each use would fail, such as each incoming message: the time so long ago does not exist.
TOO_LARGE = {
    **{name: "999999" for name in MALFORMED if name.startswith("RETENTION_")},
    "DATABASE_STATEMENT_TIMEOUT_MS": "3000000000",
    "WA_UNKNOWN_GRACE": "1e12",
    "WA_UNKNOWN_RESEND_AFTER": "1e12",
    "WA_BACK_OFF_S": "2,1e12",
    "WA_CODE_WAITS": "131049=1e12",
}
# Without these no process starts.
REQUIRED = (
    "DJANGO_SECRET_KEY", "AWS_REGION", "WA_PHONE_NUMBER_ID", "WA_ACCESS_TOKEN", "WA_APP_SECRET",
    "WA_WEBHOOK_VERIFY_TOKEN", *(f"SQS_{lane}_QUEUE_URL" for lane in LANES),
)  # fmt: skip
# The database's address in parts.
PARTS = {
    "DATABASE_URL": "", "DATABASE_HOST": "db", "DATABASE_NAME": "n", "DATABASE_USER": "u", "DATABASE_PASSWORD": "p",
}  # fmt: skip
FAULTY_PARTS = [
    ({"DATABASE_URL": ""}, "DATABASE_URL is not set; its form is postgres://user:password@host:port/name"),
    *(
        ({**PARTS, name: ""}, f"{name} is not set, while DATABASE_HOST is")
        for name in ("DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD")
    ),
    ({**PARTS, "DATABASE_PORT": "0"}, "DATABASE_PORT is not a whole number from 1 to 65535"),
    (
        {**PARTS, "DATABASE_SSLMODE": "on"},
        "DATABASE_SSLMODE is not disable, allow, prefer, require, verify-ca or verify-full",
    ),
    (
        {"DATABASE_URL": "postgres://a:b@c/d?sslmode=on"},
        "DATABASE_URL has an sslmode that is none of disable, allow, prefer, require, verify-ca, verify-full",
    ),
    (
        {"DATABASE_URL": "postgres://a:b@c/d?ssl=on"},
        "DATABASE_URL has an option that PostgreSQL's libpq does not know",
    ),
    ({"DATABASE_URL": "mysql://a:b@c/d"}, DATABASE),
]
# Any text is one of these: paths, words, the log-in of `make run`, and the name in Sentry.
FREE_TEXT = {
    "MEDIA_DIR", "VAR_DIR", "WA_STOP_WORDS", "WA_START_WORDS", "ADMIN_USER", "ADMIN_PASSWORD", "API_KEY",
    "SENTRY_ENVIRONMENT",
}  # fmt: skip


class Recorded(dict[str, str]):
    """An environment that remembers which variables were asked for."""

    def __init__(self, *values: dict[str, str]) -> None:
        super().__init__(*values)
        self.asked = set[str]()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """A complete environment of a process in production, instead of this one's."""
    made = Recorded({name: value for name, value in {**os.environ, **PRODUCTION}.items() if value})
    monkeypatch.setattr(os, "environ", made)
    yield made
    logging.captureWarnings(False)


def read() -> None:
    """Read the settings as a process does."""
    runpy.run_path(str(CHECKOUT / "waproject" / "settings.py"))


def refusal() -> str:
    """The sentence with which reading the settings ends."""
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    return sentence(refused.value)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_variable_is_named_with_its_form(name: str, environment: Recorded) -> None:
    value, words = MALFORMED[name]
    environment[name] = value
    said = refusal()
    assert said.startswith(words.format(name))
    assert said.endswith(" (see docs/settings.md).") and "\n" not in said


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_number_that_no_time_can_be_counted_with_is_refused(name: str, environment: Recorded) -> None:
    environment[name] = TOO_LARGE[name]
    assert refusal().startswith(f"{name} is not a ")


def test_the_largest_numbers_are_of_times_that_exist(environment: Recorded) -> None:
    environment["RETENTION_MESSAGES_DAYS"] = str(MOST_DAYS)
    environment["WA_UNKNOWN_GRACE"] = str(formats.LARGEST)
    read()
    assert timezone.now() - timedelta(days=MOST_DAYS) < timezone.now() + timedelta(seconds=formats.LARGEST)


# Two lists without secrets quote the entry that is wrong.
@pytest.mark.parametrize("name", sorted(MALFORMED.keys() - {"WA_MEDIA_LIMITS", "SUBSCRIBER_NETWORKS"}))
def test_the_sentence_does_not_quote_the_value_which_may_be_a_secret(name: str, environment: Recorded) -> None:
    environment[name] = MALFORMED[name][0] + " 5ecret"
    assert "5ecret" not in refusal()


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(name: str, empty: bool, environment: Recorded) -> None:
    if empty:
        environment[name] = ""
    else:
        del environment[name]
    assert refusal() == f"{name} is not set (see docs/settings.md)."


@pytest.mark.parametrize(("change", "words"), FAULTY_PARTS, ids=[words for _, words in FAULTY_PARTS])
def test_a_faulty_part_of_the_databases_address_is_named(
    change: dict[str, str], words: str, environment: Recorded
) -> None:
    environment.update(change)
    assert refusal() == f"{words} (see docs/settings.md)."


def test_the_table_has_every_variable(environment: Recorded) -> None:
    environment["WA_ACCESS_TOKEN_SHOP"] = "a-second-token"
    read()
    environment.update(PARTS)
    read()
    known = {*MALFORMED, *FREE_TEXT, *PARTS, "DATABASE_PORT", "DATABASE_SSLMODE"}
    assert environment.asked - known <= {"AWS_DEFAULT_REGION"}
    assert environment.asked >= known - {"VAR_DIR"}


@pytest.mark.parametrize(
    "change",
    [
        {"SENTRY_DSN": "https://key@o1.ingest.sentry.io/1"},
        {"SENTRY_DSN": "http://key@127.0.0.1:9000/1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example.com:4318"},
        {"SESSION_IDLE_S": "", "SUBSCRIBER_HTTP": "", "LOG_LEVEL": "", "WA_CODE_WAITS": "", "EMAIL_URL": ""},
        {"DJANGO_ALLOWED_HOSTS": "wa.example.com, .example.com,[::1],10.0.0.7"},
        {"ALERT_EMAIL_FROM": "Pipeline <pipeline@example.com>", "ALERT_EMAIL_TO": "a@example.com, b@example.com"},
        {"DATABASE_URL": "postgres://a:b@c/d?sslmode=verify-full&application_name=web"},
        {**PARTS, "DATABASE_PORT": "6432", "DATABASE_SSLMODE": "require"},
        {"WA_APP_SECRET": "$tartsWithADollar"},
        {"EMAIL_URL": "smtp+tls://user:password@smtp.example.com:587"},
    ],
    ids=str,
)
def test_a_well_formed_variable_is_accepted(change: dict[str, str], environment: Recorded) -> None:
    environment.update(change)
    read()


def test_each_language_with_built_in_words_may_be_set() -> None:
    assert set(formats.CONSENT_LANGUAGES) == set(STOP) == set(START)


def test_every_variable_is_in_the_document() -> None:
    text = (CHECKOUT / "docs" / "settings.md").read_text()
    # The table has rows of several, such as SQS_{INCOMING,OUTGOING,ANALYTICS}_DLQ_URL and WA_ACCESS_TOKEN_….
    in_rows = {name for name in MALFORMED if name.startswith((*LANES, "SQS_", "RETENTION_", "WA_ACCESS_TOKEN_"))}
    assert {name for name in MALFORMED if f"`{name}`" not in text} <= in_rows
