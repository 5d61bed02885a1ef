"""A plain Django view, as most projects have it: it checks the signature and calls apply_async of stock Celery.

The settings are those of `django-admin startproject`, without DEBUG; Celery's are the best for SQS (worker.py).
The web server's command is ours (Procfile) with this module instead of waproject.wsgi, and gunicorn's own classes of
worker and logger.
"""

import hashlib
import hmac
import json
import os

from celery import Celery
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

settings.configure(
    SECRET_KEY=os.environ["DJANGO_SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)

app = Celery("stock", set_as_current=True)
app.set_default()
app.conf.update(
    broker_url="sqs://",
    broker_transport_options={
        "region": os.environ["AWS_REGION"],
        "predefined_queues": {"incoming": {"url": os.environ["SQS_INCOMING_QUEUE_URL"]}},
        "sqs_base64_encoding": False,
    },
    task_default_queue="incoming",
    task_ignore_result=True,
    broker_pool_limit=200,
)


@app.task(name="stock.receive")
def receive(body: object) -> None:
    """Nobody consumes it here."""


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Meta's signature, then the queue."""
    signed = hmac.new(os.environ["WA_APP_SECRET"].encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"sha256={signed}", request.headers.get("X-Hub-Signature-256", "")):
        return HttpResponse(status=403)
    receive.apply_async((json.loads(request.body),))
    return HttpResponse(status=200)


urlpatterns = [path("webhook/whatsapp", webhook)]
application = get_wsgi_application()
