"""A request of Django's whose headers may hold what Django cannot read."""

import codecs
import re
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.wsgi import WSGIRequest

_PARAMETERS = re.compile(r";[^,]*")
# Encodings of host names. Python decodes 8 MB of the first in hours, and cannot leave out what is wrong in the other.
_OF_NAMES = frozenset({"punycode", "idna"})


class TextRequest(WSGIRequest):
    """Reads such a header without its parameters, as Django does where the charset is one that Python does not know.

    Python knows `hex`, `rot13` and `zlib`. Django would decode the query with them and raise before its error handling.
    Where a charset is given, it would also raise there for a query of too many parameters.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        if _is_extended(accept := environ.get("HTTP_ACCEPT", "")):
            environ = {**environ, "HTTP_ACCEPT": _PARAMETERS.sub("", accept)}
        if _is_extended(environ.get("CONTENT_TYPE", "")):
            environ = _without_parameters(environ)
        try:
            super().__init__(environ)
            is_readable = self.encoding is None or codecs.lookup(self.encoding).name not in _OF_NAMES
        except (LookupError, UnicodeError, TooManyFieldsSent):
            is_readable = False
        if not is_readable:
            self.__dict__.clear()
            super().__init__(_without_parameters(environ))


def _is_extended(header: str) -> bool:
    """Whether a parameter has the form of RFC 2231, such as `x*=utf-8''a`.

    Django and DRF raise for an unknown charset in one, and none of these headers needs one.
    """
    return any("*" in parameter.partition("=")[0] for parameter in header.split(";")[1:])


def _without_parameters(environ: dict[str, Any]) -> dict[str, Any]:
    return {**environ, "CONTENT_TYPE": environ["CONTENT_TYPE"].partition(";")[0]}
