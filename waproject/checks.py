"""System checks that must pass before any process starts."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from waproject.queues import LANES
from waproject.sqs.moving import MAX_MOVES_PER_SECOND
from waproject.worker import redrive_policy

# Shorter ones can be guessed: each of ours is generated with at least this many characters.
MIN_SECRET_KEY_LENGTH = 32
# Meta's app secrets have 32 characters and its tokens more; a verify token or metrics token is chosen by hand.
MIN_SECRET_LENGTH = 8
SECRETS = ("WA_ACCESS_TOKEN", "WA_APP_SECRET", "WA_APP_SECRET_PREVIOUS", "WA_WEBHOOK_VERIFY_TOKEN", "METRICS_TOKEN")

Messages = list[checks.CheckMessage]


@checks.register()
def every_queue_has_its_dlq(app_configs: Sequence[AppConfig] | None, **_: Any) -> Messages:
    """Without a DLQ a failing task is deleted by kombu instead of kept: its message would be lost."""
    found: Messages = []
    for lane, urls in settings.SQS_QUEUES.items():
        if not urls["dlq_url"]:
            found.append(
                checks.Error(
                    f"The queue {lane!r} has no dead-letter queue.",
                    hint=f"Set SQS_{lane.upper()}_DLQ_URL to the queue that its RedrivePolicy names.",
                    id="waproject.E001",
                )
            )
        elif urls["dlq_url"] == urls["url"]:
            found.append(checks.Error(f"The queue {lane!r} is its own dead-letter queue.", id="waproject.E002"))
    return found


@checks.register(deploy=True)
def redrive_policies_are_as_planned(app_configs: Sequence[AppConfig] | None, **_: Any) -> Messages:
    """Compare redrive policies. This needs SQS requests, so only `check --deploy` does it; workers check their own."""
    return [checks.Warning(fault, id="waproject.W001") for fault in redrive_policy.faults(LANES.values())]


@checks.register(deploy=True)
def files_have_a_place(app_configs: Sequence[AppConfig] | None, **_: Any) -> Messages:
    """Warn of a media directory beside the code: it is not shared between hosts and ends with its container."""
    if settings.LOCAL or settings.MEDIA_S3_BUCKET or settings.MEDIA_DIR_GIVEN:
        return []
    hint = "Set MEDIA_S3_BUCKET, or MEDIA_DIR to a directory that web and deliver share."
    return [
        checks.Warning(
            f"Media files are stored in {settings.MEDIA_DIR}, on this host only.", hint=hint, id="waproject.W003"
        )
    ]


@checks.register()
def dead_letters_have_a_pace(app_configs: Sequence[AppConfig] | None, **_: Any) -> Messages:
    """Refuse a rate of 0, which divides by zero, and one above 500, which StartMessageMoveTask refuses."""
    if 0 < settings.DLQ_MOVES_PER_SECOND <= MAX_MOVES_PER_SECOND:
        return []
    hint = f"More than 0, at most {MAX_MOVES_PER_SECOND} messages a second."
    return [checks.Error("DLQ_MOVES_PER_SECOND is out of range.", hint=hint, id="waproject.E007")]


@checks.register()
def production_is_closed(app_configs: Sequence[AppConfig] | None, **_: Any) -> Messages:
    """Refuse DEBUG, which shows settings and tracebacks, open host lists, which allow forged links, and short keys."""
    if settings.LOCAL:
        return []
    found: Messages = []
    if settings.DEBUG:
        found.append(checks.Error("DEBUG is on in production.", hint="Unset DJANGO_DEBUG.", id="waproject.E004"))
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        found.append(
            checks.Error(
                "DJANGO_ALLOWED_HOSTS must name the hosts of this deployment.",
                hint="DJANGO_ALLOWED_HOSTS=wa.example.com",
                id="waproject.E005",
            )
        )
    if len(settings.SECRET_KEY) < MIN_SECRET_KEY_LENGTH:
        found.append(
            checks.Error(f"DJANGO_SECRET_KEY is shorter than {MIN_SECRET_KEY_LENGTH} characters.", id="waproject.E006")
        )
    found += [
        checks.Error(
            f"{name} is shorter than {MIN_SECRET_LENGTH} characters.",
            hint=f"Set {name} to a random value, such as the output of `openssl rand -hex 32`."
            if name in {"WA_WEBHOOK_VERIFY_TOKEN", "METRICS_TOKEN"}
            else f"Copy {name} from Meta's app dashboard.",
            id="waproject.E008",
        )
        for name, value in _secrets().items()
        if 0 < len(value) < MIN_SECRET_LENGTH
    ]
    return found


def _secrets() -> dict[str, str]:
    """Those of SECRETS, and the tokens of further accounts, by the names of their variables."""
    return {**{name: getattr(settings, name) for name in SECRETS}, **settings.WA_ACCESS_TOKENS}


def refuse_to_start_with_errors() -> None:
    """Run the system checks, for processes where Django does not. Raises ImproperlyConfigured, one line an error."""
    errors = [message for message in checks.run_checks() if message.level >= checks.ERROR]
    if errors:
        raise ImproperlyConfigured("\n".join(map(_line, errors)))


def _line(error: checks.CheckMessage) -> str:
    """What is wrong and what to do, in one sentence."""
    message, hint = (" ".join(str(text or "").split()).rstrip(".") for text in (error.msg, error.hint))
    if hint[1:2].islower():
        hint = hint[0].lower() + hint[1:]
    return f"{message}{': ' if hint else ''}{hint}."
