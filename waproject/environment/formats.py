"""The forms of settings, each with the description that completes "VARIABLE is not …"."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# The largest number where nothing smaller is the limit: PostgreSQL takes it as milliseconds, and the time that lies so
# many seconds ahead exists. A larger one would fail in each use, not at the start.
LARGEST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Format:
    """The pattern of a whole value, and its description."""

    pattern: str
    description: str

    def fits(self, text: str) -> bool:
        """Whether a value has this form."""
        return re.fullmatch(self.pattern, text) is not None


# A space or line break at the end of a secret is a common accident of copying, and an HTTP header cannot hold one.
SECRET = Format(r"[!-~]+", "a secret without spaces and line breaks")
REGION = Format(r"[a-z0-9-]+", "an AWS region such as eu-central-1")
KMS_KEY = Format(r"arn:aws[\w-]*:kms:[\w-]+:\d{12}:(key|alias)/\S+", "the ARN of a KMS key")
BUCKET = Format(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket")
PREFIX = Format(r"[!-~]*", "a prefix of S3 keys")
WORKER_NAME = Format(r"[\w.-]+", "a name of letters, digits, '.', '_' and '-'")
# SQS has the queue's name last; a FIFO queue's ends with .fifo, and the lanes are standard queues.
QUEUE = Format(r"(/[\w-]+)*/[\w-]{1,80}", "the URL of a standard SQS queue")
E_MAIL = Format(r"([^<>]*<)?[^\s<>@]+@[^\s<>@]+>?", "an e-mail address such as ops@example.com")
GRAPH_VERSION = Format(r"v\d+\.\d+", "a version such as v25.0")
META_ID = Format(r"\d+", "an id of Meta, which has digits only")
CURRENCY = Format(r"[A-Za-z]{3}", "a currency such as USD")
# Languages with built-in words in messaging/whatsapp/consent_words.py; a test compares.
CONSENT_LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt", "id", "hi", "ar")
HOST = Format(
    r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9a-fA-F:.]+\]|\*", "a list of host names such as wa.example.com"
)
ORIGIN = Format(r"https?://[^\s/]+", "a list of origins such as https://wa.example.com")
BIND_ADDRESS = Format(r"[\w.:\[\]-]+", "an address to listen on such as 0.0.0.0")


def is_address(url: str) -> bool:
    """Whether this is an http(s) URL with a host, a valid port if any, and no space."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        return named and url.isprintable() and " " not in url
    except ValueError:
        return False


def time_zone(text: str) -> str:
    """The name of a time zone. Raises ValueError."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(str(error)) from None
    return text


def code_waits(text: str) -> dict[int, float]:
    """`131049=86400,2=30`: seconds by Meta's error code. Raises ValueError."""
    return {int(code): seconds(wait) for code, wait in (entry.split("=", 1) for entry in text.split(",") if entry)}


def account_zones(text: str) -> dict[str, ZoneInfo]:
    """`102290129340398=America/New_York`: a time zone by WABA id. Raises ValueError."""
    return {
        waba_id.strip(): ZoneInfo(time_zone(zone.strip()))
        for waba_id, zone in (entry.split("=", 1) for entry in text.split(",") if entry.strip())
    }


def seconds(text: str) -> float:
    """A number from 0 to LARGEST. Raises ValueError."""
    found = float(text)
    if not 0 <= found <= LARGEST:
        raise ValueError("out of range")
    return found


def back_off(text: str) -> list[float]:
    """`2,8,30`: seconds. Raises ValueError."""
    return [seconds(entry) for entry in text.split(",")]


def address(text: str) -> str:
    """An http(s) URL without a slash at the end. Raises ValueError."""
    if not is_address(text):
        raise ValueError("no address")
    return text.rstrip("/")
