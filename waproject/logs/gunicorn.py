"""gunicorn's log lines in the common format: `gunicorn --logger-class waproject.logs.gunicorn.Logger`."""

import logging.config
from typing import Any

from gunicorn import errors, glogging  # type: ignore[import-untyped]

from waproject import startup_errors
from waproject.logs.format import name_process

# gunicorn imports this module before it starts a worker. A worker that cannot start says why; of another one, when the
# master stops, gunicorn raises HaltServer where nothing catches it.
startup_errors.install(errors.HaltServer)


class Logger(glogging.Logger):  # type: ignore[misc]
    """Sends gunicorn's error log to the settings' logging. Requests are logged by request_log.py."""

    def setup(self, cfg: Any) -> None:
        """Configure logging; gunicorn's master calls this at start and on each reload."""
        from django.conf import settings

        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        name_process("web")
        logging.config.dictConfig(settings.LOGGING)
