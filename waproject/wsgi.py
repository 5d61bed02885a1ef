"""The web process: `gunicorn waproject.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from waproject.startup_errors import exit_with_message
from waproject.web.text_request import TextRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waproject.settings")
with exit_with_message():
    django = get_wsgi_application()
    django.request_class = TextRequest

# gunicorn runs no system checks, and a web process without a DLQ must not accept webhooks.
from django.conf import settings
from django.utils.module_loading import import_string

from waproject.metrics.flushing import start_flushing
from waproject.startup_checks import refuse_a_faulty_start
from waproject.web.rejected_webhooks import note_rejection

application = import_string(settings.WSGI_FAST_PATH)(django)
with exit_with_message():
    refuse_a_faulty_start("web")
start_flushing()
note_rejection()
# The loaded modules are permanent: collecting garbage among them would cost a twelfth of a webhook's CPU.
gc.collect()
gc.freeze()
