"""Which addresses a deployment may talk to."""

import ipaddress
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_loopback(name: str, url: str) -> None:
    """Raise ImproperlyConfigured unless the URL stays on this machine; ``name`` is the variable to blame."""
    if not is_loopback(url):
        raise ImproperlyConfigured(
            f"{name} must be an address of this machine (127.0.0.1) while DEPLOYMENT=local, and is {url or 'not set'}. "
            "A local pipeline never talks to real AWS or Meta."
        )


def require_https(name: str, url: str) -> None:
    """Raise ImproperlyConfigured unless the URL is an https one: an access token travels to it."""
    if urlsplit(url).scheme != "https":
        raise ImproperlyConfigured(f"{name} must start with https:// in production, and is {url or 'not set'}.")
