"""The paths of the page."""

from __future__ import annotations

from tornado.web import RequestHandler

from . import handlers

# The first that matches answers.
ROUTES: list[tuple[str, type[RequestHandler]]] = [
    (r"/_sandbox/?", handlers.PageHandler),
    (r"/_sandbox/phone/live", handlers.LiveHandler),
    (r"/_sandbox/phone/people", handlers.UsersHandler),
    (r"/_sandbox/phone/switches", handlers.SwitchesHandler),
    (r"/_sandbox/phone/files/(\d+)", handlers.FileHandler),
    (r"/_sandbox/phone/([a-z]+\.[a-z]+)", handlers.PageHandler),
]
