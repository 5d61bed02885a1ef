"""Log format: one JSON object a line in production, readable text locally.

Code logs by the standard library and brings fields by `extra={"message_id": …}`; only those of `FIELDS` are written,
so that no object of Django's or Celery's, with a query string or arguments in it, gets into a line by accident.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter

from waproject.logs.masking import masked

STYLES = ("json", "console")
# What a line may say beside its words; docs/operations.md has the meanings.
FIELDS = (
    "request_id", "request_ids", "method", "path", "status", "task", "task_id", "outcome", "joined", "wait_ms",
    "run_ms", "messages", "message_id", "message_ids", "queue",
)  # fmt: skip

_process = ""


def name_process(name: str) -> None:
    """Say which line of the Procfile this process is; its log lines and those of the processes that it forks say it."""
    global _process  # noqa: PLW0603 - one per process
    _process = name


def process_name() -> str:
    """Which line of the Procfile this process is; empty in web, and before it is named."""
    return _process


def formatter(style: str) -> logging.Formatter:
    """The formatter for `LOGGING`; `style` is one of STYLES."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if style == "console":
        # Not structlog's default, which shows local variables in tracebacks where rich is installed.
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    return ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, ExtraAdder(allow=FIELDS), _describe],
        processors=[
            structlog.processors.TimeStamper(fmt="iso", key="timestamp"),
            structlog.processors.format_exc_info,
            ProcessorFormatter.remove_processors_meta,
            _mask,
            renderer,
        ],
    )


def _describe(_: Any, __: str, line: Any) -> Any:
    """Where the line comes from."""
    record: logging.LogRecord = line["_record"]
    line.update(level=record.levelname.lower(), logger=record.name, process=_process, pid=record.process)
    return line


def _mask(_: Any, __: str, line: Any) -> Any:
    return {name: masked(value) for name, value in line.items()}
