"""gunicorn's settings: `gunicorn waproject.wsgi --config python:waproject.web.gunicorn_config`.

What varies comes from the settings, so a malformed variable is one sentence here too.
"""

from django.conf import settings

from waproject.startup_errors import exit_with_message

with exit_with_message():
    bind = f"{settings.BIND_ADDRESS}:{settings.PORT}"
    workers = settings.WEB_WORKERS
worker_class = "waproject.web.gunicorn_worker.Worker"
logger_class = "waproject.logs.gunicorn.Logger"
threads = 16
# Longer than a load balancer keeps an idle connection (60 s), or it would send into a closed one.
keepalive = 75
control_socket_disable = True
