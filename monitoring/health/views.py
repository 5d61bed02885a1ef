"""Health endpoints for load balancers, supervisors and uptime monitors, answered from cached checks.

Each endpoint answers one question, and 503 is "no". `ENDPOINTS` lists its checks:

    /health/live       does this process answer?                      checks nothing else
    /health/ready      can it accept webhooks?                        503: SQS and the database are both unreachable
    /messaging/health  can it accept a message?                       503: the database is unreachable
    /health            is the whole pipeline healthy?                 503: the database is unreachable
    /health/sqs        does SQS answer, for all queues?               503: it does not
    /health/workers    does a process of each expected kind work?     503: a kind has none, or the state is unknown

A webhook needs SQS or the database. So readiness must not fail while only one of them is unreachable: the load balancer
would withdraw all web processes at once, and no webhook would be accepted.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.health.details import may_see_details
from monitoring.health.heartbeat_check import DEADLINE_S, HeartbeatCheck
from monitoring.health.processes import ProcessStatus
from monitoring.queue_depth import counts, lane_depths
from waproject.cached_check import CachedCheck, CheckResult
from waproject.sqs.control import Depth

DATABASE_EVERY_S = 2.0
# Six requests to SQS each time, and AWS charges for each.
SQS_EVERY_S = 10.0
# For the connection, and again for the answer.
SQS_TIMEOUT_S = 1.0

View = Callable[[HttpRequest], HttpResponse]
Depths = dict[str, tuple[Depth, Depth]]


class Status(StrEnum):
    """ok: healthy. degraded: working, with a fault. down: answers 503."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Down if all checks in `needs` are down; degraded if any of `checks` is not ok."""

    checks: tuple[str, ...]
    needs: tuple[str, ...]

    def status(self, found: Mapping[str, Status]) -> Status:
        """The endpoint's status, from those of its checks."""
        if all(found[check] == Status.DOWN for check in self.needs):
            return Status.DOWN
        return Status.OK if all(found[check] == Status.OK for check in self.checks) else Status.DEGRADED


ENDPOINTS = {
    "/health": Endpoint(("database", "sqs", "workers"), ("database",)),
    "/health/ready": Endpoint(("database", "sqs"), ("database", "sqs")),
    "/health/sqs": Endpoint(("sqs",), ("sqs",)),
    "/health/workers": Endpoint(("workers",), ("workers",)),
    "/messaging/health": Endpoint(("database", "sqs"), ("database",)),
}

_heartbeats = HeartbeatCheck()
_database = CachedCheck("database", _heartbeats, every=DATABASE_EVERY_S, deadline=DEADLINE_S, close=_heartbeats.close)
_sqs = CachedCheck("sqs", partial(lane_depths, SQS_TIMEOUT_S), every=SQS_EVERY_S, deadline=2 * SQS_TIMEOUT_S)


class HealthMiddleware:
    """Answers the health endpoints before the host, HTTPS and the session are checked.

    A load balancer calls a process by its IP address and without TLS; a 400 for the host or a redirect would fail it.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        return VIEWS.get(request.path_info, self.get_response)(request)


def stop() -> None:
    """Stop the checks of this process and drop their results."""
    _database.stop()
    _sqs.stop()


def workers_status(processes: ProcessStatus | None) -> Status:
    """None, an unknown status, is down. A stalled or gone process is not an outage while others of its kind work."""
    if processes is None or processes.missing:
        return Status.DOWN
    return Status.DEGRADED if processes.faulty else Status.OK


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 while this process answers; it checks nothing else."""
    return JsonResponse({"status": Status.OK})


def _view(endpoint: Endpoint) -> View:
    @never_cache
    @require_safe
    def view(request: HttpRequest) -> JsonResponse:
        return _answer(request, endpoint)

    return view


def _answer(request: HttpRequest, endpoint: Endpoint) -> JsonResponse:
    # Start both checks before waiting for one.
    _database.start()
    _sqs.start()
    database, sqs = _database.result(), _sqs.result()
    found = {
        "database": Status.DOWN if database.error else Status.OK,
        "sqs": Status.DOWN if sqs.error else Status.OK,
        "workers": workers_status(database.value),
    }
    status = endpoint.status(found)
    ages = [sqs.age_s if check == "sqs" else database.age_s for check in endpoint.checks]
    answer: dict[str, Any] = {"status": status, "age_s": round(max(ages), 1)}
    if may_see_details(request, database_answers=not database.error):
        details = {"database": _error(database), "sqs": _sqs_details(sqs), "workers": _workers_details(database)}
        answer["checks"] = {check: {"status": found[check], **details[check]} for check in endpoint.checks}
    return JsonResponse(answer, status=503 if status == Status.DOWN else 200)


def _error(result: CheckResult[Any]) -> dict[str, Any]:
    return {"age_s": round(result.age_s, 1)} | ({"error": result.error} if result.error else {})


def _sqs_details(result: CheckResult[Depths]) -> dict[str, Any]:
    return _error(result) | {"queues": {lane: counts(*depths) for lane, depths in (result.value or {}).items()}}


def _workers_details(result: CheckResult[ProcessStatus]) -> dict[str, Any]:
    if result.value is None:
        return _error(result)
    return _error(result) | {
        "missing": result.value.missing,
        "processes": [asdict(process) for process in result.value.processes],
    }


VIEWS: dict[str, View] = {"/health/live": live, **{path: _view(endpoint) for path, endpoint in ENDPOINTS.items()}}
