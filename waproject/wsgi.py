"""The web process: `gunicorn waproject.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")
django = get_wsgi_application()

# gunicorn runs no system checks of its own, and a web process without a DLQ must not take webhooks.
from django.conf import settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

from waproject.checks import refuse_to_start_with_errors  # noqa: E402
from waproject.metrics.keeper import keep_metrics  # noqa: E402

application = import_string(settings.WSGI_SHORT_PATH)(django)
refuse_to_start_with_errors()
keep_metrics()
# What is loaded by now stays: to look through it for garbage again and again is a twelfth of a webhook's CPU.
gc.collect()
gc.freeze()
