"""Django's request, whose Content-Type may name a codec that is not a charset of text."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest


class TextRequest(WSGIRequest):
    """Ignores such a charset, as Django ignores one that Python does not know.

    Python knows `hex`, `rot13` and `zlib`. Django would decode the query with them and raise before its error handling.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        try:
            super().__init__(environ)
        except LookupError:
            self.__dict__.clear()
            super().__init__({**environ, "CONTENT_TYPE": environ["CONTENT_TYPE"].partition(";")[0]})
