"""Python's logging configuration: one handler, and the levels of noisy libraries."""

from typing import Any


def logging_config(style: str, level: str) -> dict[str, Any]:
    """The value of Django's LOGGING. style: json or console."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"has_traceback": {"()": "waproject.logs.request_log.traceback_filter"}},
        "formatters": {"line": {"()": "waproject.logs.format.formatter", "style": style}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {
            "handlers": ["stderr"],
            "level": level,
        },
        "loggers": {
            # Only tracebacks: the request's own line has its status.
            "django.request": {"filters": ["has_traceback"]},
            # waproject.logs.task_log logs one line per task; Celery would log two.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "kombu.mixins": {"level": "WARNING"},
            # A signal receiver's traceback may quote a message; messaging/signals.py logs its failures.
            "django.dispatch": {"level": "CRITICAL"},
            "botocore": {"level": "WARNING"},
            "urllib3": {"level": "ERROR"},
        },
    }
