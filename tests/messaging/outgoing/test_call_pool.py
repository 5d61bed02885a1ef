"""The call pool of a worker: parallel calls, outcomes recorded in bulk, none lost."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.utils import timezone

from messaging.models import Message, MessageEvent, Portfolio, Priority, WhatsAppId
from messaging.outgoing import call_pool as module
from messaging.outgoing.call_pool import CallPool
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.outcomes import record
from messaging.outgoing.recovery import sweep_expired
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import OutcomeUnknown, Rejected
from testkit.no_new_threads import no_new_threads
from tests.messaging.factories import released
from tests.messaging.slow_statement import take_too_long
from tests.messaging.whatsapp.wire import Server
from tests.waiting import PATIENCE_S, eventually
from waproject import tracing

pytestmark = pytest.mark.django_db(transaction=True)


class Meta:
    """A fake Cloud API: gives the answer of `answer`, and keeps the bodies."""

    def __init__(self, answer: Callable[[Any], Accepted] | None = None) -> None:
        self.bodies: list[Any] = []
        self.answer = answer or (lambda body: Accepted(f"wamid.{body['to']}", None, None, None))

    def send(self, phone_number_id: str, body: Any) -> Accepted:
        """One call."""
        self.bodies.append(body)
        return self.answer(body)


def run(meta: Meta, rows: list[Claimed]) -> dict[str, str]:
    """Send the rows and return each status by recipient."""
    pool = CallPool(lambda _: meta, max_calls=10)  # type: ignore[arg-type,return-value]
    for row in rows:
        pool.send(row)
    assert pool.close(10)
    return dict(Message.objects.values_list("peer", "status"))


def claimed(count: int = 1) -> list[Claimed]:
    batch = released(count)
    return claim([batch])


def fail(error: Exception) -> Callable[[Any], Accepted]:
    def answer(body: Any) -> Accepted:
        raise error

    return answer


def test_what_meta_accepts_is_recorded() -> None:
    assert set(run(Meta(), claimed(30)).values()) == {"accepted"}


def test_each_call_carries_our_own_id() -> None:
    meta, rows = Meta(), claimed(3)
    run(meta, rows)
    sent = {body["biz_opaque_callback_data"] for body in meta.bodies}
    assert sent == {str(row.message_id) for row in rows}


def test_each_call_uses_metas_spelling_of_the_recipient() -> None:
    (row,) = claimed()
    meta = Meta()
    run(meta, [replace(row, peer="525512340918", sent_to="5215512340918")])
    assert [body["to"] for body in meta.bodies] == ["5215512340918"]


def test_a_call_belongs_to_the_trace_of_its_message() -> None:
    begun: list[tuple[str, list[str | None]]] = []

    class Tracer:
        def current(self) -> str | None:
            return None

        def span(self, name: str, parents: Iterable[str | None], _: object) -> AbstractContextManager[None]:
            begun.append((name, list(parents)))
            return nullcontext()

    (row,) = claimed()
    tracing.install(Tracer())
    try:
        run(Meta(), [replace(row, traceparent="00-1-2-01")])
    finally:
        tracing.install(None)
    assert ("call the Cloud API", ["00-1-2-01"]) in begun


def test_a_span_that_fails_at_its_end_loses_no_outcome() -> None:
    @contextmanager
    def span() -> Iterator[None]:
        yield
        raise ValueError("the span cannot end")

    class Tracer:
        def current(self) -> str | None:
            return None

        def span(self, name: str, _parents: Iterable[str | None], _: object) -> AbstractContextManager[None]:
            return span() if name == "call the Cloud API" else nullcontext()

    tracing.install(Tracer())
    try:
        assert set(run(Meta(), claimed(3)).values()) == {"accepted"}
    finally:
        tracing.install(None)


def test_calls_run_in_parallel() -> None:
    together = threading.Barrier(5, timeout=PATIENCE_S)

    def answer(body: Any) -> Accepted:
        together.wait()
        return Accepted(f"wamid.{body['to']}", None, None, None)

    assert set(run(Meta(answer), claimed(5)).values()) == {"accepted"}


def test_a_worker_without_a_thread_left_in_its_system_makes_its_calls_one_after_another() -> None:
    meta, rows = Meta(), claimed(5)
    pool = CallPool(lambda _: meta, max_calls=10)  # type: ignore[arg-type,return-value]
    with no_new_threads():
        for row in rows:
            pool.send(row)
        assert eventually(lambda: len(meta.bodies) == 5)
    assert pool.close(10)
    assert set(Message.objects.values_list("status", flat=True)) == {"accepted"}


def test_an_urgent_call_starts_before_late_ones_of_its_number() -> None:
    meta = Meta()
    *others, urgent = [replace(row, call_at=0.0, rate=10) for row in claimed(10)]
    run(meta, [*others, replace(urgent, priority=Priority.HIGH)])
    place = [body["biz_opaque_callback_data"] for body in meta.bodies].index(str(urgent.message_id))
    assert place <= 2


def test_late_calls_of_a_number_keep_their_space() -> None:
    starts: list[float] = []

    def answer(body: Any) -> Accepted:
        starts.append(time.monotonic())
        return Accepted(f"wamid.{body['to']}", None, None, None)

    run(Meta(answer), [replace(row, call_at=0.0, rate=10) for row in claimed(10)])
    # The first two may start together: the second was due one space ago.
    assert max(starts) - min(starts) >= 8 * 0.1 - 0.05


def test_a_row_whose_lease_leaves_no_time_for_a_call_is_not_sent() -> None:
    meta, (row,) = Meta(), claimed()
    state = run(meta, [replace(row, lease_until=timezone.now() + timedelta(seconds=5))])
    assert (meta.bodies, set(state.values())) == ([], {"pending"})


def test_a_message_that_expires_while_it_waits_for_its_call_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    meta, batch = Meta(), released()
    Message.objects.update(expires_at=timezone.now() + timedelta(seconds=10))
    rows = claim([batch])
    later = SimpleNamespace(now=lambda: timezone.now() + timedelta(seconds=11))
    monkeypatch.setattr(module, "timezone", later)
    states = set(run(meta, rows).values())
    Message.objects.update(expires_at=timezone.now())
    sweep_expired()
    message = Message.objects.get()
    assert (meta.bodies, states, message.status, message.attempts) == ([], {"pending"}, "expired", 0)
    assert not message.attempt_set.exists()


def test_content_that_cannot_be_sent_fails_without_a_call() -> None:
    meta, (row,) = Meta(), claimed()
    state = run(meta, [replace(row, content={"content": ""})])
    assert (meta.bodies, set(state.values())) == ([], {"failed"})


def test_a_bug_during_the_call_makes_the_outcome_unknown() -> None:
    assert set(run(Meta(fail(ZeroDivisionError())), claimed()).values()) == {"unknown"}


def test_an_error_affects_its_own_row_only() -> None:
    def answer(body: Any) -> Accepted:
        if body["to"] == "15550000001":
            raise Rejected(code=131026, title="undeliverable")
        return Accepted(f"wamid.{body['to']}", None, None, None)

    states = run(Meta(answer), claimed(3))
    assert states == {"15550000000": "accepted", "15550000001": "failed", "15550000002": "accepted"}


def test_an_outcome_is_kept_until_the_database_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = iter([OperationalError("away"), OperationalError("away")])

    def unreliable(outcomes: Any) -> Any:
        if error := next(tries, None):
            raise error
        return record(outcomes)

    monkeypatch.setattr(module, "record", unreliable)
    assert set(run(Meta(), claimed(3)).values()) == {"accepted"}


def test_an_outcome_that_cannot_be_recorded_does_not_affect_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def choosy(outcomes: Any) -> Any:
        if any(outcome.claimed.peer == "15550000001" for outcome in outcomes):
            raise ValueError("bad row")
        return record(outcomes)

    monkeypatch.setattr(module, "record", choosy)
    states = run(Meta(), claimed(3))
    assert states == {"15550000000": "accepted", "15550000001": "sending", "15550000002": "accepted"}


def give_up_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound the statements of the pool, which takes connections of its own; the test has its connection already."""
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "options", "-c statement_timeout=1000")


def test_an_outcome_whose_row_is_locked_does_not_keep_the_others_from_being_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOCKED_RETRY_S", 0.1)
    rows = claimed(3)
    give_up_after_a_second(monkeypatch)
    pool = CallPool(lambda _: Meta(), max_calls=10)  # type: ignore[arg-type,return-value]
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=rows[1].message_id)
        for row in rows:
            pool.send(row)
        assert eventually(lambda: Message.objects.filter(status="accepted").count() == 2)
    assert pool.close(10)
    assert set(Message.objects.values_list("status", flat=True)) == {"accepted"}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda _: Accepted("wamid.X", "5215512340918", None, None), "accepted"),
        (fail(Rejected(code=131051, title="unsupported")), "failed"),
    ],
    ids=["accepted", "rejected"],
)
def test_an_outcome_whose_consequences_fail_is_recorded_once(
    answer: Callable[[Any], Accepted], status: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (row,) = claimed()
    give_up_after_a_second(monkeypatch)
    with transaction.atomic():
        list(Portfolio.objects.select_for_update())
        WhatsAppId.objects.create(phone=row.peer, wa_id=row.peer, peer=row.peer)
        states = run(Meta(answer), [row])
    trail = MessageEvent.objects.filter(message_id=row.message_id, status=status)
    assert (states, trail.count()) == ({row.peer: status}, 1)
    assert "after an outcome was recorded" in caplog.text


def test_an_outcome_whose_row_stays_locked_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RECORD_RETRY", timedelta(0))
    rows = claimed(2)
    give_up_after_a_second(monkeypatch)
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=rows[0].message_id)
        assert set(run(Meta(), rows).values()) == {"sending", "accepted"}
    assert "an outcome was not recorded: LockNotAvailable" in caplog.text


def test_the_database_may_go_away_while_outcomes_wait_for_locked_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def go_away() -> None:
        raise OperationalError("away")

    failures: list[Callable[[], None]] = [take_too_long, go_away]

    def unreliable(outcomes: Any) -> Any:
        if failures:
            failures.pop(0)()
        return record(outcomes)

    monkeypatch.setattr(module, "record", unreliable)
    monkeypatch.setattr(module, "LOCKED_RETRY_S", 0.1)
    assert set(run(Meta(), claimed(3)).values()) == {"accepted"}


def test_draining_ends_at_its_timeout() -> None:
    never = threading.Event()

    def answer(body: Any) -> Accepted:
        never.wait(5)
        raise OutcomeUnknown

    pool = CallPool(lambda _: Meta(answer), max_calls=1)  # type: ignore[arg-type,return-value]
    pool.send(claimed()[0])
    assert not pool.drain(0.2)
    never.set()
    assert pool.close(10)


def test_calls_that_have_not_started_at_a_shutdown_are_pending_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hung, release = threading.Event(), threading.Event()

    def answer(body: Any) -> Accepted:
        hung.set()
        release.wait(PATIENCE_S)
        raise OutcomeUnknown

    monkeypatch.setattr(module, "RETURN_S", 0.1)
    pool = CallPool(lambda _: Meta(answer), max_calls=1)  # type: ignore[arg-type,return-value]
    first, second, late = claimed(3)
    pool.send(first)
    assert hung.wait(PATIENCE_S)
    pool.send(second)
    assert not pool.close(0.2)
    # A task that was still waiting for a free call.
    pool.send(late)
    assert eventually(lambda: status_of(second) == status_of(late) == "pending")
    assert status_of(first) == "sending"
    release.set()
    assert pool.close(PATIENCE_S)


def status_of(row: Claimed) -> str:
    return Message.objects.get(pk=row.message_id).status


@pytest.fixture
def graph(settings: Any) -> Iterator[Server]:
    """A server that accepts each message, and two tokens."""
    server = Server()
    settings.WA_GRAPH_URL = server.url
    settings.WA_ACCESS_TOKEN, settings.WA_ACCESS_TOKENS = "of-the-installation", {"WA_ACCESS_TOKEN_SHOP": "of-the-shop"}
    yield server
    server.close()


@pytest.mark.enable_socket
def test_each_message_goes_with_the_token_of_its_account_over_one_client_a_token(graph: Server) -> None:
    api_of = module._clients(max_calls=2)
    names = ["WA_ACCESS_TOKEN", "WA_ACCESS_TOKEN_SHOP", "WA_ACCESS_TOKEN"]
    clients = [api_of(name) for name in names]
    for client in clients:
        client.send("1", {"to": "16505551234"})
    for client in clients:
        client.close()
    sent = [head.lower().partition(b"authorization: bearer ")[2].split(b"\r\n")[0] for head, _ in graph.requests]
    assert sent == [b"of-the-installation", b"of-the-shop", b"of-the-installation"]
    assert (clients[0] is clients[2], len(set(map(id, clients)))) == (True, 2)


@pytest.mark.parametrize(("name", "value"), [("WA_ACCESS_TOKEN", "a\nb"), ("WA_GRAPH_URL", "ftp://127.0.0.1")])
def test_an_unusable_token_or_url_ends_the_process_at_its_start(name: str, value: str, settings: Any) -> None:
    setattr(settings, name, value)
    with pytest.raises(ValueError, match="token" if "TOKEN" in name else "URL"):
        module._clients(max_calls=2)


def test_a_number_whose_rate_was_set_to_0_after_its_release_does_not_stop_the_calls_of_others() -> None:
    first, second = claimed(2)
    assert set(run(Meta(), [replace(first, rate=0), replace(second, number_id=0)]).values()) == {"accepted"}
