"""The installation under load, and the proof that its messages reach a sandbox and nobody's phone."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from testkit.load.sandbox import Sandbox
from testkit.load.witness import OPEN

ANSWER_S = 30
PAGE = 200
OK = 200
MESSAGES, PROVIDER = "/messaging/messages", "/monitoring/provider"
META = ("facebook.com", "whatsapp.com", "whatsapp.net", "fbcdn.net", "fbsbx.com", "meta.com")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Refused(Exception):
    """A reason not to load an installation."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the installation is and what opens it; the app secret signs webhooks as Meta does."""

    url: str
    api_key: str
    app_secret: str


def address(name: str, text: str) -> str:
    """A base URL without its last slash. Raises Refused, naming the option, for anything else.

    An API key travels there, so only a loopback address may do without TLS.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in DEFAULT_PORTS or port == 0:
        raise Refused(f"{name} must be an address such as https://wa.example.com, and is {text!r}.")
    if parts.username is not None or parts.query or parts.fragment or parts.path.strip("/"):
        raise Refused(f"{name} must be an address alone, without a log-in, path or query: https://wa.example.com.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise Refused(f"{name} must start with https://, because secrets travel there.")
    return text.rstrip("/")


class Installation:
    """The API of the target, called with an API key."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {access.api_key}"

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of an answer. Raises Refused where it is not answered 200."""
        try:
            answer = self._session.get(
                self.access.url + path, params=parameters, timeout=ANSWER_S, allow_redirects=False
            )
            if answer.status_code == OK:
                return answer.json()
        except requests.RequestException as error:
            raise Refused(f"{self.access.url} does not answer: {type(error).__name__}.") from None
        except ValueError:
            raise Refused(f"GET {path} of {self.access.url} is not answered with JSON.") from None
        raise Refused(f"GET {path} of {self.access.url} is answered {answer.status_code}, not 200.")

    @contextmanager
    def read(self, path: str) -> Iterator[None]:
        """Read an answer of this endpoint inside. Raises Refused where its JSON has another shape."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError):
            raise Refused(f"GET {path} of {self.access.url} is not answered as by this pipeline.") from None

    def messages(self, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """All messages that the list endpoint finds, page by page. Raises Refused."""
        parameters["page_size"] = PAGE
        following = True
        while following:
            page = self.get(MESSAGES, **parameters)
            with self.read(MESSAGES):
                found, following = list(page["results"]), page["next"]
                if following:
                    parameters["cursor"] = dict(parse_qsl(urlsplit(following).query))["cursor"]
            yield from found

    def statuses(self, campaign: str) -> dict[str, str]:
        """Status by recipient of the campaign's messages. Raises Refused."""
        with self.read(MESSAGES):
            found = self.messages(campaign=campaign, direction="outbound")
            return {message["phone_number"]: message["status"] for message in found}

    def is_settled(self, campaign: str) -> bool:
        """Whether none of its messages is on its way. Raises Refused."""
        page = self.get(MESSAGES, campaign=campaign, status=OPEN, page_size=1)
        with self.read(MESSAGES):
            return not page["results"]

    def received(self, since: str) -> Counter[str]:
        """How often each wamid of an inbound message is stored since that moment (ISO 8601). Raises Refused."""
        with self.read(MESSAGES):
            return Counter(message["wamid"] for message in self.messages(direction="inbound", created_after=since))


def sandbox_number(installation: Installation, ledger_url: str) -> str:
    """The business number's id, once it is proven that the installation calls this sandbox. Raises Refused.

    The installation states its own WA_GRAPH_URL; the ledger is a sandbox's; both have one origin.
    """
    stated = installation.get(PROVIDER)
    with installation.read(PROVIDER):
        graph_url, number_id = str(stated["graph_url"]), str(stated["phone_number_id"])
    host = urlsplit(graph_url).hostname or ""
    if any(host == name or host.endswith(f".{name}") for name in META):
        raise Refused(
            f"{installation.access.url} sends to Meta ({graph_url}): a load test there would write to people and cost "
            "money. Point its WA_GRAPH_URL to a sandbox."
        )
    if origin(graph_url) != origin(ledger_url):
        raise Refused(
            f"{installation.access.url} sends to {graph_url}, and the ledger at {ledger_url} is of another server: "
            "it could not prove that nothing reaches people. --ledger must be the WA_GRAPH_URL of the target."
        )
    clock_offset(Sandbox(ledger_url))
    return number_id


def clock_offset(sandbox: Sandbox) -> float:
    """Seconds by which the sandbox's clock is ahead of ours. Raises Refused where there is no sandbox."""
    asked = time.time()
    try:
        health = sandbox.call("GET", "health")
        return float(health["at"]) - (asked + time.time()) / 2
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        raise Refused("--ledger is no sandbox that answers: GET /_sandbox/health has to state its time.") from None


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
