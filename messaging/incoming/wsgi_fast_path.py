"""WSGI fast path for Meta's POST: Django's request handling was a third of a webhook's CPU.

It keeps what a webhook needs of that handling: the body limit, the request id, the request log line, and a 500 for
unexpected errors. It skips host, HTTPS, session and user checks: only the signature counts.
"""

import logging
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from messaging.incoming.webhook import PATH, Answer, accept_webhook
from messaging.whatsapp.signature import HEADER as SIGNATURE
from waproject import tracing
from waproject.logs.context import work
from waproject.logs.request_log import HEADER as REQUEST_ID
from waproject.logs.request_log import id_for, say
from waproject.web.body_limit import BodyRefused, limit_of, read_body

logger = logging.getLogger(__name__)


def _key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


_SIGNATURE, _REQUEST_ID = _key(SIGNATURE), _key(REQUEST_ID)
_SPAN = f"POST {PATH.lstrip('/')}"
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class WebhookShortPath:
    """A WSGI application that answers Meta's POST itself and passes every other request to `others`."""

    def __init__(self, others: WSGIApplication) -> None:
        self._others = others

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer it, or pass the request on."""
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != PATH:
            return self._others(environ, start_response)
        began, request_id = time.perf_counter(), id_for(environ.get(_REQUEST_ID))
        with work(request_id=request_id) as touched, tracing.request(_SPAN, environ):
            answer = _answer(environ)
            say("POST", PATH, answer.status, began, touched)
        body = answer.body
        headers = [("Content-Length", str(len(body))), (REQUEST_ID, request_id), *answer.headers.items()]
        if body:
            headers.append(("Content-Type", "application/json"))
        start_response(_STATUS_LINES[answer.status], headers)
        return [body]


def _answer(environ: dict[str, Any]) -> Answer:
    try:
        return accept_webhook(read_body(environ, limit_of(PATH)), environ.get(_SIGNATURE, ""))
    except BodyRefused as refused:
        return Answer(refused.status, refused.detail)
    except Exception:  # the request's edge; Meta repeats it
        logger.exception("webhook rejected: unexpected error")
        return Answer(500, "Not stored; try again.")
