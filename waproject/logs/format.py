"""Log format: one JSON object a line in production, readable text locally.

Code uses the standard library's logging and adds fields with `extra={"message_id": …}`. Only `FIELDS` are written, so
that no object of Django or Celery with a query string or arguments gets into a line.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter

from waproject.logs.masking import masked

STYLES = ("json", "console")
# The fields of a line beside its text, explained in docs/operations.md.
FIELDS = (
    "request_id", "request_ids", "method", "path", "status", "task", "task_id", "outcome", "joined", "wait_ms",
    "run_ms", "messages", "message_id", "message_ids", "queue",
)  # fmt: skip

_process = ""


def name_process(name: str) -> None:
    """Set the `process` field of this process and of those it forks: its line of the Procfile."""
    global _process  # noqa: PLW0603 - one per process
    _process = name


def process_name() -> str:
    """Which line of the Procfile this process is; empty in web, and before it is named."""
    return _process


def formatter(style: str) -> logging.Formatter:
    """The formatter for `LOGGING`; `style` is one of STYLES."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if style == "console":
        # structlog's default shows local variables in tracebacks if rich is installed.
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
    """Add level, logger, process and pid."""
    record: logging.LogRecord = line["_record"]
    line.update(level=record.levelname.lower(), logger=record.name, process=_process, pid=record.process)
    return line


def _mask(_: Any, __: str, line: Any) -> Any:
    return {name: masked(value) for name, value in line.items()}
