"""The web process: `gunicorn waproject.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")
application = get_wsgi_application()

# gunicorn runs no system checks of its own, and a web process without a DLQ must not take webhooks.
from waproject.checks import refuse_to_start_with_errors  # noqa: E402
from waproject.keep_metrics import keep_metrics  # noqa: E402

refuse_to_start_with_errors()
keep_metrics()
# What is loaded by now stays: to look through it for garbage again and again is a twelfth of a webhook's CPU.
gc.collect()
gc.freeze()
