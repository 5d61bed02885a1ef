"""The server that sends e-mails, from one URL."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from waproject.environment import strict_env

# Writes e-mails to standard output.
CONSOLE = "consolemail://"
FORM = "an address such as smtp+tls://user:password@host:587"


def email_server(variable: str) -> dict[str, Any]:
    """Django's EMAIL_* settings. Raises ImproperlyConfigured with the variable's name, without the URL's password."""
    return strict_env.parsed(variable, _settings, environ.Env.email_url_config(CONSOLE), FORM)


def _settings(url: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = environ.Env.email_url_config(url)
    except (ImproperlyConfigured, AttributeError, TypeError) as error:
        raise ValueError(type(error).__name__) from None
    if "smtp" in found["EMAIL_BACKEND"] and not found["EMAIL_HOST"]:
        raise ValueError("no host")
    return found
