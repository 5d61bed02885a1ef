"""Settings from environment variables, read by `waproject/environment/`; no other code of the pipeline reads them.

Libraries have variables of their own: AWS_… (botocore), OTEL_… (OpenTelemetry), FLOWER_… (Flower).

`DEPLOYMENT` says where this runs. `production` is the default: every secret and address must then be given.
`local` is what `make run` and the tests use: nothing may leave this machine, so each address must be a loopback one.
"""

import logging
import os
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from waproject.environment import formats
from waproject.environment import strict_env as env
from waproject.environment.allowed_endpoints import (
    networks,
    require_https,
    require_https_beyond_this_machine,
    require_loopback,
    require_queue,
    sqs_addresses,
)
from waproject.environment.database import database
from waproject.environment.email_server import email_server
from waproject.environment.file_storage import media_limits, media_storage
from waproject.environment.local_run import read_local_environment
from waproject.logs.logging_config import logging_config
from waproject.web.admin import theme as admin_theme
from waproject.web.api import framework_settings

BASE_DIR = Path(__file__).resolve().parent.parent
read_local_environment(BASE_DIR)

DEPLOYMENT = env.choice("DEPLOYMENT", "production", ("production", "local"))
LOCAL = DEPLOYMENT == "local"

# Django -------------------------------------------------------------------------------------------------------------
SECRET_KEY = env.secret("DJANGO_SECRET_KEY", None)
DEBUG = env.switch("DJANGO_DEBUG", False)
ALLOWED_HOSTS = env.comma_separated("DJANGO_ALLOWED_HOSTS", (), formats.HOST)
CSRF_TRUSTED_ORIGINS = env.comma_separated("DJANGO_CSRF_TRUSTED_ORIGINS", (), formats.ORIGIN)
ROOT_URLCONF = "waproject.urls"
WSGI_APPLICATION = "waproject.wsgi.application"
# Wraps Django's WSGI application and answers webhooks without Django's middleware.
WSGI_FAST_PATH = "messaging.incoming.wsgi_fast_path.WebhookFastPath"
APPEND_SLASH = True
CSRF_FAILURE_VIEW = "waproject.web.error_pages.csrf_failure"
USE_TZ = True
TIME_ZONE = env.parsed("TIME_ZONE", formats.time_zone, "UTC", "a time zone such as Europe/Berlin")
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "waproject.web.formats"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
# The idle time-out of admin sessions in seconds; polling does not count as activity.
SESSION_IDLE_S = env.whole("SESSION_IDLE_S", 3600, 1)
# The number of proxies that append to X-Forwarded-For, to find the client's address of a failed log-in.
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", 0 if LOCAL else 1)

INSTALLED_APPS = [
    "monitoring",
    "analytics",
    "messaging",
    "waproject",
    # Before the admin, whose templates and site it replaces.
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "monitoring.health.views.HealthMiddleware",
    "waproject.logs.request_log.RequestLogMiddleware",
    "waproject.web.body_limit.BodyLimitMiddleware",
    "waproject.web.response_headers.ResponseHeadersMiddleware",
    "waproject.web.query_guard.QueryGuardMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "waproject.web.idle_sessions.IdleSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

UNFOLD = admin_theme.UNFOLD

STATIC_URL = "/static/"
# Without a collectstatic run (make run, tests) whitenoise serves the apps' own static files.
STATIC_ROOT = None if LOCAL else BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = LOCAL

# A POST of Meta may have 3 MB; a bulk of 1,000 sends fits in 8 MB unless each one is several kilobytes of text.
WEBHOOK_MAX_BYTES = 3 * 1024 * 1024
API_MAX_BYTES = env.whole("API_MAX_BYTES", 8 * 1024 * 1024, 1)
# A document of 100 MB, in a form; it is on disk from 2.5 MB on.
UPLOAD_MAX_BYTES = 101 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = max(WEBHOOK_MAX_BYTES, API_MAX_BYTES)

if not LOCAL:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env.whole("DJANGO_HSTS_SECONDS", 3600)
    SECURE_SSL_REDIRECT = env.switch("DJANGO_SSL_REDIRECT", False)
# Silenced checks of `check --deploy`: HSTS for other subdomains and preloading are not ours to decide; the load
# balancer redirects to HTTPS.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "security.W008"]

# PostgreSQL ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": database(os.environ)}
DATABASES["default"].update(
    # Connections live as long as their thread; each is checked before its first use in a request or task.
    CONN_MAX_AGE=None,
    CONN_HEALTH_CHECKS=True,
)
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=3,
    # The server drops the session of a lost host after 25 s; its locks, such as the monitor's, would last two hours.
    options=f"-c statement_timeout={env.whole('DATABASE_STATEMENT_TIMEOUT_MS', 30_000)}"
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
    # Drop connections to an unreachable host after 20 to 25 s.
    keepalives_idle=10,
    keepalives_interval=5,
    keepalives_count=3,
    tcp_user_timeout=20_000,
)

# SQS ----------------------------------------------------------------------------------------------------------------
AWS_REGION = env.text("AWS_REGION", "us-east-1" if LOCAL else None, formats.REGION)
os.environ.setdefault("AWS_DEFAULT_REGION", AWS_REGION)
AWS_ENDPOINT_URL_SQS = env.text("AWS_ENDPOINT_URL_SQS")
# The wait time of a long poll. A stopping worker waits for its last long poll, so that its messages do not stay hidden:
# short on a developer's machine, long in production, where each request costs.
SQS_WAIT_TIME_S = env.whole("SQS_WAIT_TIME_S", 3 if LOCAL else 20, 0, 20)
SQS_QUEUES = {
    lane: {"url": env.text(f"SQS_{lane.upper()}_QUEUE_URL", None), "dlq_url": env.text(f"SQS_{lane.upper()}_DLQ_URL")}
    for lane in ("incoming", "outgoing", "analytics")
}
# The bus between Flower or `celery inspect` and the workers (waproject/bus); empty: off.
SQS_MONITOR_QUEUE_URL = env.text("SQS_MONITOR_QUEUE_URL").rstrip("/")
# The KMS key of queues and files, where they are encrypted with a key of one's own: each process tries it at its start.
SQS_KMS_KEY_ARN = env.text("SQS_KMS_KEY_ARN", "", formats.KMS_KEY)
LANE_CONCURRENCY = {lane: env.whole(f"{lane.upper()}_CONCURRENCY", 0) for lane in SQS_QUEUES}
WORKER_NAME = env.text("WORKER_NAME", "", formats.WORKER_NAME)
# Dead letters that are redriven or discarded a second; SQS's own move allows 500.
DLQ_MOVES_PER_SECOND = env.number("DLQ_MOVES_PER_SECOND", 50.0)

# WhatsApp -----------------------------------------------------------------------------------------------------------
WA_GRAPH_URL = env.text("WA_GRAPH_URL", None if LOCAL else "https://graph.facebook.com").rstrip("/")
WA_GRAPH_VERSION = env.text("WA_GRAPH_VERSION", "v25.0", formats.GRAPH_VERSION)
WA_PHONE_NUMBER_ID = env.text("WA_PHONE_NUMBER_ID", None, formats.META_ID)
WA_ACCESS_TOKEN = env.secret("WA_ACCESS_TOKEN", None)
# The tokens of further accounts, by the names of their variables: WA_ACCESS_TOKEN_ and a name of one's choice.
WA_ACCESS_TOKENS = {name: env.secret(name) for name in sorted(os.environ) if name.startswith("WA_ACCESS_TOKEN_")}
WA_APP_SECRET = env.secret("WA_APP_SECRET", None)
# The previous app secret, which is still accepted during a rotation.
WA_APP_SECRET_PREVIOUS = env.secret("WA_APP_SECRET_PREVIOUS")
WA_WEBHOOK_VERIFY_TOKEN = env.secret("WA_WEBHOOK_VERIFY_TOKEN", None)
# Attempts with a retryable error before a message fails.
WA_MAX_ATTEMPTS = env.whole("WA_MAX_ATTEMPTS", 5, 1)
# Seconds before the 2nd, 3rd, … attempt: long enough to outlast an outage of minutes.
WA_BACK_OFF_S = env.parsed(
    "WA_BACK_OFF_S", formats.back_off, [2.0, 8.0, 30.0, 120.0, 600.0], "a list of seconds such as 2,8,30"
)
# Retry waits in seconds by Meta's error code, which override messaging/whatsapp/error_codes.py, e.g. 131049=86400,2=30.
WA_CODE_WAITS: dict[int, float] = env.parsed(
    "WA_CODE_WAITS", formats.code_waits, {}, "a list of error codes and seconds such as 131049=86400,2=30"
)
# Seconds before a message with a lost answer may be sent again: if all evidence says that Meta did not accept it, and
# if its sender prefers a duplicate to a delay (on_unknown: resend).
WA_UNKNOWN_GRACE = env.number("WA_UNKNOWN_GRACE", 600.0)
WA_UNKNOWN_RESEND_AFTER = env.number("WA_UNKNOWN_RESEND_AFTER", 15.0)
# A number's pace in messages a second, until Meta raises it (80 is Meta's default throughput).
WA_DEFAULT_RATE = env.whole("WA_DEFAULT_RATE", 80, 1)
WA_LIMIT_HIGH_SHARE = env.number("WA_LIMIT_HIGH_SHARE", 0.1, 0, 0.99)
# Free text outside the customer service window: accept it, accept it with a warning, or refuse it.
WA_WINDOW_POLICY = env.choice("WA_WINDOW_POLICY", "warn", ("off", "warn", "reject"))

# What messages cost: the currency of figures where nothing names another, and the time zone of each WhatsApp Business
# account, whose midnight changes prices and months, e.g. 102290129340398=America/New_York (without one, TIME_ZONE).
COSTS_CURRENCY = env.text("COSTS_CURRENCY", "USD", formats.CURRENCY).upper()
ACCOUNT_TIME_ZONES: dict[str, ZoneInfo] = env.parsed(
    "ACCOUNT_TIME_ZONES", formats.account_zones, {}, "a list of WABA ids and time zones such as 1022=America/New_York"
)
# Service messages of each number and month that are free, and since when; third parties report both. Estimates use
# them; what a message has cost is up to Meta's statuses.
FREE_SERVICE_MESSAGES = env.whole("FREE_SERVICE_MESSAGES", 1000)
FREE_SERVICE_MESSAGES_SINCE = env.parsed(
    "FREE_SERVICE_MESSAGES_SINCE", date.fromisoformat, date(2026, 10, 1), "a date such as 2026-10-01"
)

# Inbound media: further hosts that may serve files, beside the Graph API's (they get the access token), and size limits
# in bytes that override Meta's, e.g. document=20000000.
WA_MEDIA_HOSTS = env.comma_separated(
    "WA_MEDIA_HOSTS", ("127.0.0.1", "localhost") if LOCAL else ("lookaside.fbsbx.com",), formats.HOST
)
WA_MEDIA_LIMITS = media_limits("WA_MEDIA_LIMITS", env.comma_separated("WA_MEDIA_LIMITS", ()))
# The storage of media files: a directory that web and deliver share, or a bucket.
MEDIA_DIR_GIVEN = bool(env.text("MEDIA_DIR"))
MEDIA_DIR = Path(env.text("MEDIA_DIR") or Path(env.text("VAR_DIR") or BASE_DIR / "var") / "media").resolve()
MEDIA_S3_BUCKET = env.text("MEDIA_S3_BUCKET", "", formats.BUCKET)
MEDIA_S3_PREFIX = env.text("MEDIA_S3_PREFIX", "", formats.PREFIX)
AWS_ENDPOINT_URL_S3 = env.text("AWS_ENDPOINT_URL_S3")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "media": media_storage(MEDIA_DIR, MEDIA_S3_BUCKET, MEDIA_S3_PREFIX, AWS_ENDPOINT_URL_S3, AWS_REGION),
}

# Days that each kind of data is stored (messaging/retention); 0: for ever.
RETENTION_TEXTS_DAYS = env.days("RETENTION_TEXTS_DAYS", 0)
RETENTION_FILES_DAYS = env.days("RETENTION_FILES_DAYS", 0)
RETENTION_TIMELINE_DAYS = env.days("RETENTION_TIMELINE_DAYS", 0)
RETENTION_MESSAGES_DAYS = env.days("RETENTION_MESSAGES_DAYS", 0)
RETENTION_ACCOUNT_EVENTS_DAYS = env.days("RETENTION_ACCOUNT_EVENTS_DAYS", 0)
RETENTION_UNKNOWN_UPDATES_DAYS = env.days("RETENTION_UNKNOWN_UPDATES_DAYS", 180)
RETENTION_AUDIT_DAYS = env.days("RETENTION_AUDIT_DAYS", 0)
RETENTION_EVENTS_DAYS = env.days("RETENTION_EVENTS_DAYS", 0)

# Opt-out and opt-in keywords: the built-in ones of these languages, and additional ones.
WA_CONSENT_LANGUAGES = env.comma_separated("WA_CONSENT_LANGUAGES", ("en",), among=formats.CONSENT_LANGUAGES)
WA_STOP_WORDS = env.comma_separated("WA_STOP_WORDS", ())
WA_START_WORDS = env.comma_separated("WA_START_WORDS", ())

# Subscribers' endpoints: allowed private networks, and whether plain http is allowed. A local pipeline reaches this
# machine only.
SUBSCRIBER_NETWORKS = networks(
    "SUBSCRIBER_NETWORKS", env.comma_separated("SUBSCRIBER_NETWORKS", ("127.0.0.0/8", "::1/128") if LOCAL else ())
)
SUBSCRIBER_HTTP = env.switch("SUBSCRIBER_HTTP", LOCAL)
SUBSCRIBER_PUBLIC = not LOCAL

# The log-in and API key that `make run` generated (manage.py prepare_local).
LOCAL_ADMIN_USER = env.text("ADMIN_USER", "admin")
LOCAL_ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")
LOCAL_API_KEY = env.text("API_KEY")

if LOCAL:
    # Required, because the AWS libraries' default is AWS.
    require_loopback("AWS_ENDPOINT_URL_SQS", AWS_ENDPOINT_URL_SQS)
    for name, url in sqs_addresses(AWS_ENDPOINT_URL_SQS, SQS_QUEUES, SQS_MONITOR_QUEUE_URL):
        require_loopback(name, url)
    require_loopback("WA_GRAPH_URL", WA_GRAPH_URL)
    for host in WA_MEDIA_HOSTS:
        require_loopback("WA_MEDIA_HOSTS", f"http://{host}")
    if MEDIA_S3_BUCKET:
        require_loopback("AWS_ENDPOINT_URL_S3", AWS_ENDPOINT_URL_S3)
    # Any other AWS request of a library must fail here instead of reaching an AWS account.
    os.environ["AWS_ENDPOINT_URL"] = AWS_ENDPOINT_URL_SQS
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
else:
    require_https("WA_GRAPH_URL", WA_GRAPH_URL)
    if AWS_ENDPOINT_URL_S3:
        require_https("AWS_ENDPOINT_URL_S3", AWS_ENDPOINT_URL_S3)
    # An SQS-compatible server on a private network may be used without TLS if this is allowed explicitly.
    if not env.switch("SQS_HTTP", False):
        for name, url in sqs_addresses(AWS_ENDPOINT_URL_SQS, SQS_QUEUES, SQS_MONITOR_QUEUE_URL):
            require_https(name, url)
for name, url in sqs_addresses("", SQS_QUEUES, SQS_MONITOR_QUEUE_URL):
    require_queue(name, url)

# API ----------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = framework_settings.REST_FRAMEWORK
SPECTACULAR_SETTINGS = {**framework_settings.SPECTACULAR, "VERSION": "0.1.0"}

# Servers ------------------------------------------------------------------------------------------------------------
LAST_PORT = 65535
BIND_ADDRESS = env.text("BIND_ADDRESS", "127.0.0.1", formats.BIND_ADDRESS)
PORT = env.whole("PORT", 8000, most=LAST_PORT)
WEB_WORKERS = env.whole("WEB_WORKERS", 2, 1)
# Whether Flower may only show, and neither start tasks nor change workers. It reads its port itself.
FLOWER_READ_ONLY = env.switch("FLOWER_READ_ONLY", True)
FLOWER_PORT = env.whole("FLOWER_PORT", 5555, 1, LAST_PORT)

# Monitoring ---------------------------------------------------------------------------------------------------------
# The store of waproject.metrics.counters.
METRICS_STORE = "monitoring.metrics.totals.add"
# A bearer token for /monitoring/metrics and health details, for Prometheus and others.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
# The base URL of links in alerts.
BASE_URL = env.parsed("BASE_URL", formats.address, "", "an address such as https://wa.example.com")
# The e-mail recipients of alerts, and a Slack-compatible incoming webhook.
ALERT_EMAIL_TO = env.comma_separated("ALERT_EMAIL_TO", (), formats.E_MAIL)
ALERT_EMAIL_FROM = env.text("ALERT_EMAIL_FROM", "pipeline@localhost", formats.E_MAIL)
ALERT_WEBHOOK_URL = env.parsed(
    "ALERT_WEBHOOK_URL", formats.address, "", "an address such as https://hooks.example.com/…"
)
EMAIL_TIMEOUT = 10
vars().update(email_server("EMAIL_URL"))
if LOCAL and ALERT_WEBHOOK_URL:
    require_loopback("ALERT_WEBHOOK_URL", ALERT_WEBHOOK_URL)
# The interval of the monitor's checks of the set-up; 0: off.
DOCTOR_EVERY_S = env.number("DOCTOR_EVERY_S", 3600.0)
# The processes that must be running; leave out those that a deployment does not use.
PROCESS_KINDS = ("incoming", "outgoing", "analytics", "dispatcher", "deliver", "beat", "monitor")
EXPECTED_PROCESSES = env.comma_separated("EXPECTED_PROCESSES", PROCESS_KINDS, among=(*PROCESS_KINDS, "web"))

# Traces and error reports, both optional (waproject/observability.py) ------------------------------------------------
# OpenTelemetry's SDK reads this and the other OTEL_* variables itself.
OTLP_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OTLP_ENDPOINT = env.text(OTLP_VARIABLES[0]) or env.text(OTLP_VARIABLES[1])
TRACES = not env.switch("OTEL_SDK_DISABLED", False) and bool(OTLP_ENDPOINT)
SENTRY_DSN = env.secret("SENTRY_DSN")
# The environment in Sentry, such as staging.
DEPLOYMENT_NAME = env.text("SENTRY_ENVIRONMENT", DEPLOYMENT)
for name in (*OTLP_VARIABLES, "SENTRY_DSN"):
    if url := env.text(name):
        require_https_beyond_this_machine(name, url, local=LOCAL)

# Logging ------------------------------------------------------------------------------------------------------------
# json: one object per line. console: for people.
LOG_FORMAT = env.choice("LOG_FORMAT", "console" if LOCAL else "json", ("json", "console"))
logging.captureWarnings(LOG_FORMAT == "json")
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = logging_config(LOG_FORMAT, LOG_LEVEL)
