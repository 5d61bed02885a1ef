"""Python's logging configuration."""

import logging.config
import sys
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]

from waproject.logs.format import name_process, process_name
from waproject.logs.logging_config import logging_config


def test_every_line_of_the_given_level_has_the_given_style_and_goes_to_standard_error() -> None:
    config = logging_config("console", "DEBUG")
    assert config["root"] == {"handlers": ["stderr"], "level": "DEBUG"}
    assert config["handlers"] == {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}}
    assert config["formatters"] == {"line": {"()": "waproject.logs.format.formatter", "style": "console"}}


def test_repeated_lines_and_chatter_of_libraries_are_left_out() -> None:
    config = logging_config("json", "INFO")
    assert {name: logger.get("level") for name, logger in config["loggers"].items()} == {
        "django.request": None,
        "celery.worker.strategy": "WARNING",
        "celery.app.trace": "WARNING",
        "kombu.mixins": "WARNING",
        "django.dispatch": "CRITICAL",
        "botocore": "WARNING",
        "urllib3": "ERROR",
    }
    assert config["loggers"]["django.request"] == {"filters": ["has_traceback"]}
    assert config["filters"] == {"has_traceback": {"()": "waproject.logs.request_log.traceback_filter"}}


def test_existing_loggers_stay_enabled() -> None:
    config = logging_config("json", "INFO")
    assert (config["version"], config["disable_existing_loggers"]) == (1, False)


def test_gunicorns_lines_are_those_of_the_process_web(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which the import below replaces
    from waproject.logs.gunicorn import Logger

    configured: list[object] = []
    monkeypatch.setattr(logging.config, "dictConfig", configured.append)
    before = process_name()
    logger = Logger(Config())
    named = process_name()
    name_process(before)
    assert (named, configured) == ("web", [settings.LOGGING])
    assert (logger.error_log.handlers, logger.error_log.propagate) == ([], True)
