"""Error reports to Sentry where SENTRY_DSN is set: where our code failed, and nothing of what it worked on."""

from collections.abc import Mapping
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from waproject.logs.format import process_name
from waproject.logs.masking import mask, masked

# Of an event; whatever else a version of the SDK adds is left out.
KEPT = (
    "event_id", "timestamp", "level", "platform", "logger", "environment", "release", "server_name", "sdk", "type",
)  # fmt: skip
FRAME = ("filename", "function", "module", "lineno", "in_app")
# Our own ids and counts, which a log line may carry beside its words.
EXTRA = ("message_id", "task", "task_id", "request_id", "outcome")
CONTEXTS = ("runtime", "trace")


def set_up(dsn: str, environment: str, release: str, transport: type[Transport] | None = None) -> None:
    """Report exceptions that nothing catches, and log lines from ERROR on; no request, no local variable, no trace."""
    sentry_sdk.init(
        dsn,
        environment=environment,
        release=release,
        transport=transport,
        integrations=[DjangoIntegration(), CeleryIntegration(propagate_traces=False), LoggingIntegration(level=None)],
        auto_enabling_integrations=False,
        send_default_pii=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        # Nothing goes to Meta or to subscribers, and nothing but events to Sentry.
        trace_propagation_targets=[],
        auto_session_tracking=False,
        send_client_reports=False,
        include_local_variables=False,
        include_source_context=False,
        before_send=scrubbed,  # type: ignore[arg-type]  # an event is a dictionary
    )


def scrubbed(event: Mapping[str, Any], hint: Any = None) -> dict[str, Any]:
    """A copy of an event without exception texts, which may quote a message: types and places remain.

    Of a log line that is its template.
    """
    found: dict[str, Any] = {name: masked(event[name]) for name in KEPT if name != "timestamp" and event.get(name)}
    if "timestamp" in event:
        found["timestamp"] = event["timestamp"]
    found["tags"] = {"process": process_name() or "web"}
    if event.get("transaction"):
        found["transaction"] = mask(str(event["transaction"]))
    if template := (event.get("logentry") or {}).get("message"):
        found["logentry"] = {"message": mask(str(template))}
    if values := (event.get("exception") or {}).get("values"):
        found["exception"] = {"values": [_exception(value) for value in values]}
    found["extra"] = {name: masked(value) for name, value in (event.get("extra") or {}).items() if name in EXTRA}
    found["contexts"] = {name: value for name, value in (event.get("contexts") or {}).items() if name in CONTEXTS}
    return found


def _exception(value: Mapping[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames") or []
    places = [{name: frame[name] for name in FRAME if name in frame} for frame in frames]
    return {"type": value.get("type"), "module": value.get("module"), "stacktrace": {"frames": places}}
