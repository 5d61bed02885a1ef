"""gunicorn's own lines, written like all others: `gunicorn --logger-class waproject.logs.gunicorn.Logger`."""

import logging.config
from typing import Any

from gunicorn import glogging  # type: ignore[import-untyped]

from waproject import start_errors
from waproject.logs.format import name_process

# This module is the first of ours that gunicorn reads, and its logger reads the settings.
start_errors.install()


class Logger(glogging.Logger):  # type: ignore[misc]
    """Hands the error log, which has all but requests, to the logging of the settings. Requests: request_log.py."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn's master, and again when it reads its configuration anew."""
        from django.conf import settings

        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        name_process("web")
        logging.config.dictConfig(settings.LOGGING)
