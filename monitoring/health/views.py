"""Health endpoints for load balancers, supervisors and uptime monitors, answered from cached checks.

Each address is one question, and 503 its "no". `ADDRESSES` says which checks it is made of:

    /health/live       does this process answer?                      touches nothing
    /health/ready      can it take anything?                          503: neither SQS nor the database is there
    /messaging/health  can a message be accepted?                     503: the database is away
    /health            is it all right?                               503: the database is away
    /health/sqs        does SQS answer, for all queues?               503: it does not
    /health/workers    does a process of each expected kind live?     503: of one kind none does, or nobody can tell

A webhook needs either SQS or the database, so the load balancer must not be told to withdraw web processes when only
one of them is away: all would be withdrawn at once, and nothing be taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.cached_check import Probe, Seen
from monitoring.health.details import may_see_details
from monitoring.health.heartbeat_check import DEADLINE_S, HeartbeatProbe
from monitoring.health.processes import Workers
from monitoring.queue_depth import counts, lane_depths
from waproject.sqs.control import Depth

DATABASE_EVERY_S = 2.0
# Six requests to SQS each time, and each costs.
SQS_EVERY_S = 10.0
# To connect, and again to answer.
SQS_TIMEOUT_S = 1.0

View = Callable[[HttpRequest], HttpResponse]
Depths = dict[str, tuple[Depth, Depth]]


class Status(StrEnum):
    """ok: as it should be. degraded: it works, and not as it should. down: a 503."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Address:
    """`checks`: what is looked at; down when all of `needs` are, degraded when anything else is not ok."""

    checks: tuple[str, ...]
    needs: tuple[str, ...]

    def judge(self, found: Mapping[str, Status]) -> Status:
        """Its status, by those of the checks."""
        if all(found[check] == Status.DOWN for check in self.needs):
            return Status.DOWN
        return Status.OK if all(found[check] == Status.OK for check in self.checks) else Status.DEGRADED


ADDRESSES = {
    "/health": Address(("database", "sqs", "workers"), ("database",)),
    "/health/ready": Address(("database", "sqs"), ("database", "sqs")),
    "/health/sqs": Address(("sqs",), ("sqs",)),
    "/health/workers": Address(("workers",), ("workers",)),
    "/messaging/health": Address(("database", "sqs"), ("database",)),
}

_heartbeats = HeartbeatProbe()
_database = Probe("database", _heartbeats, every=DATABASE_EVERY_S, deadline=DEADLINE_S, close=_heartbeats.close)
_sqs = Probe("sqs", partial(lane_depths, SQS_TIMEOUT_S), every=SQS_EVERY_S, deadline=2 * SQS_TIMEOUT_S)


class HealthMiddleware:
    """Answers the addresses of health before hosts, https and sessions are looked at.

    A load balancer calls a process by its IP address and without TLS: a 400 for the host, or a redirect, is no health.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        return VIEWS.get(request.path_info, self.get_response)(request)


def stop() -> None:
    """End the checks of this process, and forget what they found."""
    _database.stop()
    _sqs.stop()


def workers_status(workers: Workers | None) -> Status:
    """None: nobody can tell. A process that is gone while others of its kind live is no outage."""
    if workers is None or workers.missing:
        return Status.DOWN
    return Status.DEGRADED if workers.gone else Status.OK


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 while this process answers; it touches nothing else."""
    return JsonResponse({"status": Status.OK})


def _view(address: Address) -> View:
    @never_cache
    @require_safe
    def view(request: HttpRequest) -> JsonResponse:
        return _answer(request, address)

    return view


def _answer(request: HttpRequest, address: Address) -> JsonResponse:
    # Both begin before one is waited for.
    _database.want()
    _sqs.want()
    database, sqs = _database.seen(), _sqs.seen()
    found = {
        "database": Status.DOWN if database.error else Status.OK,
        "sqs": Status.DOWN if sqs.error else Status.OK,
        "workers": workers_status(database.found),
    }
    status = address.judge(found)
    ages = [sqs.age_s if check == "sqs" else database.age_s for check in address.checks]
    answer: dict[str, Any] = {"status": status, "age_s": round(max(ages), 1)}
    if may_see_details(request, database_answers=not database.error):
        told = {"database": _error(database), "sqs": _of_sqs(sqs), "workers": _of_workers(database)}
        answer["checks"] = {check: {"status": found[check], **told[check]} for check in address.checks}
    return JsonResponse(answer, status=503 if status == Status.DOWN else 200)


def _error(seen: Seen[Any]) -> dict[str, Any]:
    return {"age_s": round(seen.age_s, 1)} | ({"error": seen.error} if seen.error else {})


def _of_sqs(seen: Seen[Depths]) -> dict[str, Any]:
    return _error(seen) | {"queues": {lane: counts(*depths) for lane, depths in (seen.found or {}).items()}}


def _of_workers(seen: Seen[Workers]) -> dict[str, Any]:
    if seen.found is None:
        return _error(seen)
    return _error(seen) | {
        "missing": seen.found.missing,
        "processes": [asdict(process) for process in seen.found.processes],
    }


VIEWS: dict[str, View] = {"/health/live": live, **{path: _view(address) for path, address in ADDRESSES.items()}}
