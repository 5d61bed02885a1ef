"""The verdict of the transport's scenarios, and their load."""

from pathlib import Path

import pytest

from chaos.transport import malformed
from chaos.transport.load import Load
from chaos.transport.witness import Tally, compare, executions
from testkit.sqs_server import SqsServer
from waproject.sqs.wire import Client

KILLED, ALIVE = frozenset({7, 8}), frozenset({9})


@pytest.mark.parametrize(
    ("ran", "left", "in_flight", "counted"),
    [
        ({1: [ALIVE]}, 0, 0, (0, 0, 0)),
        ({}, 0, 0, (1, 0, 0)),
        ({}, 1, 0, (0, 0, 1)),
        ({1: [ALIVE, ALIVE]}, 0, 5, (0, 1, 0)),
        ({1: [KILLED, ALIVE]}, 0, 5, (0, 0, 0)),
        ({1: [KILLED, ALIVE, ALIVE]}, 0, 5, (0, 1, 0)),
        ({1: [KILLED, ALIVE]}, 0, 0, (0, 1, 0)),
        ({1: [ALIVE], 2: [ALIVE, ALIVE]}, 0, 0, (0, 1, 0)),
    ],
)
def test_lost_doubled_and_unsettled_tasks_are_counted(
    ran: dict[int, list[frozenset[int]]], left: int, in_flight: int, counted: tuple[int, int, int]
) -> None:
    assert compare({1}, ran, left, {7}, in_flight) == counted


def test_records_are_read_by_number_without_a_half_written_line(tmp_path: Path) -> None:
    (tmp_path / "witness").write_text("1 7 8\n2 9 9\n1 9 9\n3 9")
    assert executions(tmp_path / "witness") == {1: [KILLED, ALIVE], 2: [ALIVE]}


@pytest.mark.parametrize(("pid", "count"), [(7, 2), (8, 1), (9, 1), (1, 0)])
def test_the_runs_of_a_process_are_counted_once_each(tmp_path: Path, pid: int, count: int) -> None:
    (tmp_path / "begun").write_text("1 7 8\n2 7 7\n1 9 9\n3 9")
    assert Tally(tmp_path / "begun").of(pid) == count


def test_runs_count_on_from_the_last_reading_once_their_line_is_whole(tmp_path: Path) -> None:
    (tmp_path / "begun").write_text("1 7 8\n2 7")
    tally = Tally(tmp_path / "begun")
    counts = [tally.of(7)]
    with (tmp_path / "begun").open("a") as record:
        record.write(" 8\n3 7 8\n")
    assert [*counts, tally.of(7)] == [1, 3]


def test_every_kind_of_malformed_body_is_counted() -> None:
    assert malformed.count(3) == 3 * len(malformed.bodies("chaos.alone"))


class BrokenClient(Client):
    """Raises an unexpected exception."""

    def call(self, *_: object) -> dict[str, object]:
        """Fail."""
        raise ZeroDivisionError


def test_an_exception_in_the_load_fails_the_scenario() -> None:
    load = Load(BrokenClient("us-east-1", "http://127.0.0.1:1"), "http://127.0.0.1:1/0/q", 100, 0.1)
    load.start()
    with pytest.raises(ZeroDivisionError):
        load.wait()


def test_the_load_ends_once_sqs_has_taken_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with SqsServer() as server:
        load = Load(Client("us-east-1", server.endpoint), server.create_queue("q"), 100, 0.1)
        load.start()
        load.wait()
        assert (len(load.accepted), server.counts()["queues"]["q"]["waiting"]) == (100, 100)
