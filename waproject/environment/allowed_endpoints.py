"""Endpoints that a deployment may talk to."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from waproject.environment.formats import QUEUE, is_address


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_loopback(name: str, url: str) -> None:
    """Raise ImproperlyConfigured, with the variable ``name``, unless the URL's host is this machine."""
    if not is_loopback(url):
        raise ImproperlyConfigured(
            f"{name} must be an address of this machine (127.0.0.1) while DEPLOYMENT=local: a local pipeline never "
            "talks to real AWS or Meta."
        )


def require_https(name: str, url: str) -> None:
    """Raise ImproperlyConfigured unless this is an https URL, since credentials are sent to it."""
    if urlsplit(url).scheme != "https" or not is_address(url):
        raise ImproperlyConfigured(f"{name} must start with https:// in production and name a host.")


def require_https_beyond_this_machine(name: str, url: str, *, local: bool) -> None:
    """Raise ImproperlyConfigured unless the URL's host is this machine or, in production, it is an https URL."""
    if local:
        require_loopback(name, url)
    elif not (is_loopback(url) and is_address(url)):
        require_https(name, url)


def require_queue(name: str, url: str) -> None:
    """Raise ImproperlyConfigured unless the URL's path ends with the name of a standard queue."""
    if not QUEUE.fits(urlsplit(url).path):
        raise ImproperlyConfigured(f"{name} is not {QUEUE.description}.")


def sqs_addresses(
    endpoint: str, queues: Mapping[str, Mapping[str, str]], monitor_queue: str
) -> Iterator[tuple[str, str]]:
    """The non-empty variables with an SQS URL, each with its value.

    queues: by lane, `url` and `dlq_url`.
    """
    named = [("AWS_ENDPOINT_URL_SQS", endpoint), ("SQS_MONITOR_QUEUE_URL", monitor_queue)]
    for lane, urls in queues.items():
        named += [(f"SQS_{lane.upper()}_QUEUE_URL", urls["url"]), (f"SQS_{lane.upper()}_DLQ_URL", urls["dlq_url"])]
    return ((name, url) for name, url in named if url)


def networks(name: str, texts: Iterable[str]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The networks; raises ImproperlyConfigured, with the variable ``name``, for an invalid one."""
    try:
        return tuple(ipaddress.ip_network(text.strip()) for text in texts if text.strip())
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is a list of networks such as 10.1.0.0/16: {error}.") from None
