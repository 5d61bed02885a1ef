"""gunicorn's settings of the stock application: ours (waproject/web/gunicorn_config.py) with gunicorn's own classes."""

import os

bind = f"{os.environ.get('BIND_ADDRESS', '127.0.0.1')}:{os.environ['PORT']}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = 16
keepalive = 75
control_socket_disable = True
