"""Optional reports to others, where settings ask for them: Sentry, OpenTelemetry."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from waproject.startup_errors import exit_with_message

MISSING = "{variable} is set, and its packages are not installed: install requirements/observability.txt."


def set_up() -> None:
    """Set up both. Ends the process with one sentence if a package is missing or the DSN is invalid."""
    with exit_with_message():
        if settings.SENTRY_DSN:
            _report_errors()
        if settings.TRACES:
            _trace()


def _report_errors() -> None:
    try:
        from waproject import error_reports
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(MISSING.format(variable="SENTRY_DSN")) from error
    try:
        error_reports.set_up(
            settings.SENTRY_DSN, settings.DEPLOYMENT_NAME, str(settings.SPECTACULAR_SETTINGS["VERSION"])
        )
    except ValueError as error:  # the SDK's BadDsn; it may quote the DSN
        raise ImproperlyConfigured("SENTRY_DSN is not a DSN such as https://key@sentry.example.com/1.") from error


def _trace() -> None:
    try:
        from waproject.tracing import opentelemetry
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(MISSING.format(variable="OTEL_EXPORTER_OTLP_ENDPOINT")) from error
    opentelemetry.set_up()
