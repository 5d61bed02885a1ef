"""The web process: `gunicorn waproject.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from waproject.start_errors import in_words

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")
with in_words():
    django = get_wsgi_application()

# gunicorn runs no system checks of its own, and a web process without a DLQ must not take webhooks.
from django.conf import settings
from django.utils.module_loading import import_string

from waproject.checks import refuse_to_start_with_errors
from waproject.metrics.keeper import keep_metrics
from waproject.schema import refuse_an_older_schema
from waproject.worker.key_access import refuse_without_key

application = import_string(settings.WSGI_SHORT_PATH)(django)
with in_words():
    refuse_to_start_with_errors()
    refuse_an_older_schema()
    refuse_without_key("web")
keep_metrics()
# What is loaded by now stays: to look through it for garbage again and again is a twelfth of a webhook's CPU.
gc.collect()
gc.freeze()
