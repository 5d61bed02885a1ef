"""Fixtures: a real PostgreSQL and a real SQS server for the whole run, started on first use."""

import fcntl
import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import psycopg2
import pytest
import pytest_socket
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase
from kombu import pools
from rest_framework.test import APIClient

from deploy.local.postgres import SETTINGS, Postgres
from deploy.local.sqs import Sqs
from testkit.ports import free_port
from testkit.processes import Process
from tests import warm_python
from tests.environment import DATABASE_PASSWORD, SHARED_DIR, VAR_DIR
from tests.pages import browser, open_page
from tests.servers.kept_cluster import forget_others, kept_cluster
from tests.tables.empty_tables import empty_tables
from tests.waiting import PATIENCE_S
from waproject.celery import app as celery_app
from waproject.queues import LANES
from waproject.sqs import control, publisher

__all__ = ["browser", "open_page"]
# The tests' database need not outlive a power cut.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
TEST_DATABASE = "test_waproject"
# The tests that may start processes of the project: those that `make test` leaves out.
STARTING_MARKS = ("slow", "rollout", "bench", "chaos")
# Long enough for one request on a machine whose cores are all busy.
BUSY_S = 20.0


def pytest_configure() -> None:
    """Leave out what takes time and shows nothing.

    That is slow password hashes, a list of all static files for each client, the truncation of empty tables, the import
    of packages by each process, and Hypothesis' bounds on time, which a machine whose cores are all busy exceeds.
    """
    hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("busy")
    settings.PASSWORD_HASHERS = ["tests.quick_hasher.QuickHasher"]
    settings.WHITENOISE_AUTOREFRESH = True
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]
    Process.start_process = warm_python.Popen


def pytest_unconfigure() -> None:
    """Delete the files of this process; those of all go last, with the process that started the run."""
    shutil.rmtree(VAR_DIR, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without the garbage collector, which would go through some 14,000 tests again and again, for nothing.

    The first worker compiles the modules for all, which takes half of its time in a new checkout.
    """
    gc.disable()
    try:
        with _first() as first:
            if first:
                return (yield)
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@contextmanager
def _first() -> Iterator[bool]:
    """Whether no other process of this run was here before; the others wait for it."""
    SHARED_DIR.mkdir(exist_ok=True)
    with (SHARED_DIR / "first").open("a+") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        mark.seek(0)
        is_first = not mark.read()
        mark.write("x")
        mark.flush()
        yield is_first


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with a browser is slow; each slow test says why."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow("starts Chromium"))
        for mark in item.iter_markers("slow"):
            assert mark.args, f"{item.nodeid} does not say why it is slow"


# What follows is for each of some 14,000 tests: hooks, which cost less than fixtures.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """No test reaches beyond this machine, or knows what another one left in the memory of this process."""
    warm_python.Popen.allowed = any(item.get_closest_marker(mark) for mark in STARTING_MARKS)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)
    publisher.reset_shared()  # the breaker is closed
    _forget_caches()


def _forget_caches() -> None:
    """Let each test ask its own database for keys, sending numbers, holds and tokens; nobody subscribes yet."""
    from messaging.accepting.sending_numbers import clear_number_cache
    from messaging.accepting.waiting_warnings import clear_hold_cache
    from messaging.access import clear_key_cache
    from messaging.accounts.tokens import clear_token_cache
    from messaging.message_templates.catalogue import clear_template_cache
    from messaging.subscriptions import outbox
    from waproject.web.rejected_webhooks import take_rejection

    clear_key_cache()
    clear_number_cache()
    clear_hold_cache()
    clear_token_cache()
    clear_template_cache()
    take_rejection()
    outbox.CACHED_S = 3600.0  # the database is not asked for subscriptions until the test makes one
    outbox.outbox.cache([])


def pytest_runtest_teardown() -> None:
    """End the health checks, which would leave connections to the database behind, and with them their results."""
    from monitoring.health import views

    views.stop()


@pytest.fixture(scope="session")
def migrated_cluster(django_db_blocker: Any) -> Path:
    """The data of a PostgreSQL server with the tests' database, migrated once for all workers and later runs."""
    cluster = kept_cluster()
    cluster.parent.mkdir(parents=True, exist_ok=True)
    with (cluster.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        forget_others(cluster)
        if not cluster.exists():
            server = _postgres()
            server.start(PATIENCE_S)
            with django_db_blocker.unblock():
                connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
                connection.close()
            _copy_database(server)
            server.stop(PATIENCE_S)
            _copy(server.data_dir, cluster)
    return cluster


@pytest.fixture(scope="session")
def migrate(migrated_cluster: Path) -> Callable[[Postgres], None]:
    """Gives a server that has no data yet that of the run, instead of migrations of its own."""
    return lambda server: _copy(migrated_cluster, server.data_dir)


@pytest.fixture(scope="session")
def postgres(migrated_cluster: Path) -> Iterator[Postgres]:
    """PostgreSQL at DATABASE_URL."""
    server = _postgres()
    if not server.data_dir.exists():
        _copy(migrated_cluster, server.data_dir)
    server.start(PATIENCE_S)
    yield server
    server.stop()
    shutil.rmtree(server.data_dir, ignore_errors=True)


def _postgres() -> Postgres:
    port = urlsplit(os.environ["DATABASE_URL"]).port or 0
    return Postgres(VAR_DIR / "postgres", port, DATABASE_PASSWORD, settings={**SETTINGS, **FORGETFUL})


def _copy_database(server: Postgres) -> None:
    """Make the database that other servers with this cluster's data use: a copy of the tests' own."""
    with closing(psycopg2.connect(f"{server.url.rpartition('/')[0]}/postgres")) as admin, admin.cursor() as cursor:
        admin.autocommit = True
        cursor.execute(f"DROP DATABASE {server.database}")
        cursor.execute(f"CREATE DATABASE {server.database} TEMPLATE {TEST_DATABASE}")


def _copy(cluster: Path, to: Path) -> None:
    """With owners and permissions, which PostgreSQL checks."""
    draft = to.with_name(f"{to.name}.new")
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
    subprocess.run(["cp", "-a", str(cluster), str(draft)], check=True)
    draft.rename(to)


@pytest.fixture(scope="session")
def django_db_setup(postgres: Postgres) -> None:
    """The test database of that server, instead of pytest-django's own."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = TEST_DATABASE


@pytest.fixture(scope="session")
def sqs_server() -> Iterator[Sqs]:
    """The SQS server at AWS_ENDPOINT_URL_SQS, with the six queues."""
    server = Sqs(VAR_DIR / "sqs", urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"]).port or 0)
    server.start(PATIENCE_S)
    call_command("create_queues")
    yield server
    server.stop()


@pytest.fixture
def sqs(sqs_server: Sqs) -> Any:
    """A client of that server, its queues empty."""
    client = control.client("us-east-1")
    for lane in LANES.values():
        client.purge_queue(QueueUrl=lane.url)
        client.purge_queue(QueueUrl=lane.dlq_url)
    return client


@pytest.fixture
def api_key(db: None) -> str:
    """A key of the client "shop"."""
    from messaging.models import ApiClient, ApiKey

    return ApiKey.issue(ApiClient.objects.create(name="shop"))[1]


@pytest.fixture
def api(api_key: str) -> APIClient:
    """The API, called with that key."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key}")
    return client


@pytest.fixture
def anonymous() -> Client:
    """Somebody without a key, to whom a 500 is an answer and not an exception of the test."""
    return Client(raise_request_exception=False)


@pytest.fixture
def long_health_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A health check may take 20 seconds instead of one, so that a busy machine is not reported as an outage."""
    from monitoring.health import heartbeat_check, views
    from monitoring.queue_depth import lane_depths

    monkeypatch.setattr(heartbeat_check, "DEADLINE_S", BUSY_S)
    monkeypatch.setattr(views._database, "_deadline", BUSY_S)
    monkeypatch.setattr(views._sqs, "_deadline", 2 * BUSY_S)
    monkeypatch.setattr(views._sqs, "_check", partial(lane_depths, BUSY_S))


@pytest.fixture
def sqs_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Publishing goes to a port where nothing listens."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")
    _forget_connections()
    yield
    monkeypatch.undo()
    _forget_connections()


def _forget_connections() -> None:
    """Let Celery connect anew, as it does after a fork, and boto3 too."""
    publisher.reset_shared()
    control.client.cache_clear()
    celery_app._after_fork()  # type: ignore[attr-defined]
    pools.reset()


@pytest.fixture
def database_away(settings: Any, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[None]:
    """The database's address answers nothing."""
    with django_db_blocker.unblock(), monkeypatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "PORT", free_port())
        yield
        connection.close()
