"""Health endpoints: correct and quick during every outage."""

import os
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from monitoring.health import views
from monitoring.health.details import MAX_CONCURRENT
from monitoring.health.processes import status_at
from monitoring.health.views import ENDPOINTS, Status, workers_status
from monitoring.models import Heartbeat
from testkit.no_new_threads import no_new_threads
from testkit.ports import free_port
from testkit.silent_proxy import SilentProxy
from tests.waiting import eventually
from waproject.cached_check import CachedCheck, CheckResult
from waproject.sqs import control
from waproject.sqs.control import Depth

OK, DEGRADED, DOWN = Status.OK, Status.DEGRADED, Status.DOWN
# While a server hangs, answers come from cached results. The limit allows for a busy machine; waiting for the server
# itself would take 20 s at least.
QUICK_S = 60.0
# For an answer that is asked for once: a check on a busy machine may take longer than its second.
waits_for_checks = pytest.mark.usefixtures("long_health_deadlines")
KINDS = ("incoming", "outgoing", "analytics", "dispatcher", "deliver", "beat", "monitor")


def heartbeats(*kinds: str) -> list[Heartbeat]:
    now = timezone.now()
    return [Heartbeat(kind=kind, name=kind, host="a", pid=7, started_at=now, seen_at=now) for kind in kinds]


# database, sqs, workers; then health, ready, sqs, workers, messaging
JUDGED = [
    ((OK, OK, OK), (OK, OK, OK, OK, OK)),
    ((OK, DOWN, OK), (DEGRADED, DEGRADED, DOWN, OK, DEGRADED)),
    ((DOWN, OK, DOWN), (DOWN, DEGRADED, OK, DOWN, DOWN)),
    ((DOWN, DOWN, DOWN), (DOWN, DOWN, DOWN, DOWN, DOWN)),
    ((OK, OK, DOWN), (DEGRADED, OK, OK, DOWN, OK)),
    ((OK, OK, DEGRADED), (DEGRADED, OK, OK, DEGRADED, OK)),
]


@pytest.mark.parametrize(("found", "said"), JUDGED)
def test_each_endpoint_derives_its_status_from_its_checks(found: tuple[Status, ...], said: tuple[Status, ...]) -> None:
    checks = dict(zip(("database", "sqs", "workers"), found, strict=True))
    paths = ("/health", "/health/ready", "/health/sqs", "/health/workers", "/messaging/health")
    assert tuple(ENDPOINTS[path].status(checks) for path in paths) == said


@pytest.mark.parametrize(
    ("kinds", "status"), [(KINDS, OK), (KINDS[1:], DOWN), ((), DOWN)], ids=["all", "one missing", "none"]
)
def test_workers_are_down_when_a_kind_is_missing(kinds: tuple[str, ...], status: Status) -> None:
    assert workers_status(status_at(timezone.now(), heartbeats(*kinds), KINDS)) == status


def test_workers_are_degraded_while_one_of_a_kind_is_stalled_and_down_without_another() -> None:
    now = timezone.now()
    rows = heartbeats(*KINDS, "incoming")
    rows[0].stalled_since = now
    assert workers_status(status_at(now, rows, KINDS)) == DEGRADED
    assert workers_status(status_at(now, rows[:-1], KINDS)) == DOWN


def test_workers_are_down_if_their_state_is_unknown() -> None:
    assert workers_status(None) == DOWN


class Given(CachedCheck[Any]):
    """A check with a given result."""

    def __init__(self, result: CheckResult[Any]) -> None:
        self._given = result

    def start(self) -> None:
        """Nothing is to be started."""

    def stop(self, timeout: float | None = None) -> None:
        """Nothing is to be stopped."""

    def result(self) -> CheckResult[Any]:
        return self._given


@pytest.fixture
def answers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The body of an answer with its details, where the checks have these results, 12.34 s and 5.67 s old."""
    settings.METRICS_TOKEN = "only-for-prometheus"
    monkeypatch.setattr("waproject.cached_check.time", SimpleNamespace(monotonic=lambda: 112.34))

    def answer(path: str, database: dict[str, Any], sqs: dict[str, Any]) -> Any:
        monkeypatch.setattr(views, "_database", Given(CheckResult(100.0, **database)))
        monkeypatch.setattr(views, "_sqs", Given(CheckResult(106.67, **sqs)))
        return Client().get(path, headers={"Authorization": "Bearer only-for-prometheus"}).json()

    return answer


def test_an_answer_is_as_old_as_the_oldest_check_that_it_needs(answers: Callable[..., Any]) -> None:
    status = status_at(timezone.now(), [], ())
    ages = {path: answers(path, {"value": status}, {"value": {}})["age_s"] for path in ENDPOINTS}
    assert ages == {
        "/health": 12.3, "/health/ready": 12.3, "/health/sqs": 5.7, "/health/workers": 12.3, "/messaging/health": 12.3,
    }  # fmt: skip


def test_the_details_are_those_of_each_check(answers: Callable[..., Any]) -> None:
    now = timezone.now()
    (row,) = heartbeats("incoming")
    status = status_at(now, [row], ["incoming", "outgoing"])
    depths = {"incoming": (Depth(3, 2, 1), Depth(4, 0, 0))}
    assert answers("/health", {"value": status}, {"value": depths}) == {
        "status": "degraded",
        "age_s": 12.3,
        "checks": {
            "database": {"status": "ok", "age_s": 12.3},
            "sqs": {
                "status": "ok",
                "age_s": 5.7,
                "queues": {"incoming": {"waiting": 3, "in_flight": 2, "delayed": 1, "dlq": 4}},
            },
            "workers": {
                "status": "down",
                "age_s": 12.3,
                "missing": ["outgoing"],
                "processes": [
                    {
                        "kind": "incoming",
                        "name": "incoming",
                        "pid": 7,
                        "state": "alive",
                        "started_at": DjangoJSONEncoder().default(row.started_at),
                        "age_s": (now - row.seen_at).total_seconds(),
                        "crashes": 0,
                        "crashed_at": None,
                        "stalled_since": None,
                    }
                ],
            },
        },
    }


def test_the_details_of_a_check_without_a_result_are_its_error(answers: Callable[..., Any]) -> None:
    checks = answers("/health", {"error": "OperationalError"}, {"error": "AccessDenied"})["checks"]
    assert checks == {
        "database": {"status": "down", "age_s": 12.3, "error": "OperationalError"},
        "sqs": {"status": "down", "age_s": 5.7, "error": "AccessDenied", "queues": {}},
        "workers": {"status": "down", "age_s": 12.3, "error": "OperationalError"},
    }


def test_live_starts_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CachedCheck, "start", lambda _: pytest.fail("a check started"))
    assert Client().get("/health/live").json() == {"status": "ok"}


@waits_for_checks
def test_details_are_seen_again_once_the_host_has_a_free_thread(running: None, api: APIClient) -> None:
    assert "checks" in api.get("/health").json()
    with no_new_threads():
        for _ in range(1 + MAX_CONCURRENT):
            assert "checks" not in api.get("/health").json()
    assert "checks" in api.get("/health").json()


@pytest.mark.parametrize("path", views.VIEWS)
def test_only_get_and_head_are_allowed(path: str) -> None:
    assert Client().post(path).status_code == 405


@waits_for_checks
@pytest.mark.django_db
def test_a_request_makes_no_query_itself(sqs: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert Client().get("/health").json()["status"] == "degraded"
    assert len(queries) == 0


@pytest.mark.parametrize("path", views.VIEWS)
def test_a_load_balancer_may_call_by_ip_address_and_without_tls(path: str, settings: Any, sqs: Any, db: None) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["wa.example.com"]
    assert Client().get(path, headers={"Host": "10.0.0.5:8000"}).status_code in {200, 503}


def test_other_paths_still_check_the_host(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["wa.example.com"]
    assert Client().get("/health/other", headers={"Host": "10.0.0.5"}).status_code == 400


@pytest.fixture
def running(transactional_db: None, sqs: Any) -> None:
    """Heartbeats of all expected processes."""
    Heartbeat.objects.bulk_create(heartbeats(*KINDS))


def get(path: str, client: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
    """The status code and the body of an answer, which must come quickly."""
    started = time.monotonic()
    answer = (client or Client()).get(path, headers=headers or None)
    assert time.monotonic() - started < QUICK_S
    return answer.status_code, answer.json()


def becomes(path: str, code: int, status: str) -> bool:
    """Whether the endpoint answers so within a few seconds."""
    return eventually(lambda: (found := get(path))[0] == code and found[1]["status"] == status)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_is_ok_while_all_checks_pass(path: str, running: None) -> None:
    assert becomes(path, 200, "ok")


def test_anonymous_callers_see_the_status_and_its_age(running: None) -> None:
    assert set(get("/health")[1]) == {"status", "age_s"}


@waits_for_checks
def test_a_wrong_key_gets_an_answer_without_details(running: None) -> None:
    code, answer = get("/health", Authorization="Bearer wak_wrong")
    assert (code, set(answer)) == (200, {"status", "age_s"})


@waits_for_checks
def test_an_api_key_may_see_the_details(running: None, api: APIClient) -> None:
    checks = api.get("/health").json()["checks"]
    assert {process["kind"] for process in checks["workers"]["processes"]} == set(KINDS)
    assert checks["sqs"]["queues"]["incoming"] == {"waiting": 0, "in_flight": 0, "delayed": 0, "dlq": 0}


@waits_for_checks
def test_staff_see_the_details(running: None) -> None:
    client = Client()
    client.force_login(User.objects.create(username="ann", is_staff=True))
    assert set(get("/messaging/health", client)[1]["checks"]) == {"database", "sqs"}


def test_other_users_see_no_details(running: None) -> None:
    client = Client()
    client.force_login(User.objects.create(username="bob"))
    assert "checks" not in get("/health", client)[1]


@waits_for_checks
def test_the_metrics_token_opens_the_details_without_the_database(settings: Any, database_away: None, sqs: Any) -> None:
    settings.METRICS_TOKEN = "only-for-prometheus"
    code, answer = get("/health", Authorization="Bearer only-for-prometheus")
    assert (code, answer["checks"]["database"]["status"]) == (503, "down")
    assert answer["checks"]["database"]["error"] == "OperationalError"


@waits_for_checks
def test_a_missing_worker_is_named(running: None, api: APIClient) -> None:
    Heartbeat.objects.filter(kind="incoming").delete()
    assert becomes("/health/workers", 503, "down")
    assert api.get("/health/workers").json()["checks"]["workers"]["missing"] == ["incoming"]


@waits_for_checks
def test_web_processes_stay_ready_while_the_database_is_unreachable(running: None, database_away: None) -> None:
    code, answer = get("/health/ready")
    assert (code, answer["status"]) == (200, "degraded")
    assert get("/messaging/health")[0] == 503


@pytest.fixture
def sqs_refuses(sqs_away: None) -> Iterator[None]:
    control.client.cache_clear()
    yield
    control.client.cache_clear()


@waits_for_checks
def test_web_processes_stay_ready_while_sqs_refuses(running: None, sqs_refuses: None) -> None:
    assert (get("/health/ready")[0], get("/health/sqs")[0]) == (200, 503)


def test_a_process_without_sqs_and_database_is_not_ready(sqs_refuses: None, database_away: None) -> None:
    assert get("/health/ready")[0] == 503


@pytest.fixture
def postgresql_proxy(running: None, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentProxy]:
    """A proxy between the tests and the database."""
    proxy = SilentProxy(int(connection.settings_dict["PORT"]))
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", proxy.port)
        yield proxy
        proxy.close()
        connection.close()


def test_a_hanging_database_is_down_and_delays_no_answer(postgresql_proxy: SilentProxy) -> None:
    assert becomes("/health", 200, "ok")
    postgresql_proxy.forwards.clear()
    assert becomes("/health", 503, "down")
    assert [get(path)[0] for path in ("/health/ready", "/health/workers", "/messaging/health")] == [200, 503, 503]
    postgresql_proxy.forwards.set()
    assert becomes("/health", 200, "ok")


def test_a_hanging_database_delays_no_request_with_an_api_key(postgresql_proxy: SilentProxy, api_key: str) -> None:
    assert "checks" in get("/health", Authorization=f"Bearer {api_key}")[1]
    postgresql_proxy.forwards.clear()
    assert all(get("/health", Authorization=f"Bearer {api_key}") for _ in range(6))


def test_a_hanging_sqs_delays_no_answer(running: None, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = SilentProxy(urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"]).port or free_port())
    proxy.forwards.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{proxy.port}")
    control.client.cache_clear()
    assert becomes("/health/sqs", 503, "down")
    assert get("/health/ready")[0] == 200
    control.client.cache_clear()
    proxy.close()


@waits_for_checks
def test_the_details_name_the_error_of_sqs(settings: Any, running: None, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = "only-for-prometheus"
    incoming = settings.SQS_QUEUES["incoming"]
    monkeypatch.setitem(incoming, "url", f"{incoming['url']}-of-another-account")
    _, answer = get("/health/sqs", Authorization="Bearer only-for-prometheus")
    assert "NonExistentQueue" in answer["checks"]["sqs"]["error"]
