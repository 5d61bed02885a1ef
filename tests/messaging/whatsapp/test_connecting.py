"""The time of each address of a host, of one budget."""

import socket

import pytest

from messaging.whatsapp.connecting import connect_to_first


@pytest.mark.parametrize(
    ("count", "each_s", "total_s", "tried_s"),
    [
        (1, 5.0, 7.5, [5.0]),
        (2, 5.0, 7.5, [3.75, 3.75]),
        (3, 5.0, 7.5, [2.5, 2.5, 2.5]),
        (9, 5.0, 2.5, [1.0, 1.0, 0.5]),
        (2, 5.0, 0.5, [0.5]),
        (2, 5.0, 0.0, []),
        (2, 5.0, -1.0, []),
    ],
)
def test_the_addresses_share_the_time(
    count: int, each_s: float, total_s: float, tried_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, tried = [100.0], list[float]()

    def connect(sock: socket.socket, _: object) -> None:
        tried.append(sock.gettimeout() or 0.0)
        now[0] += tried[-1]
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", connect)
    addresses = [(socket.AF_INET, (f"192.0.2.{n}", 443)) for n in range(count)]
    with pytest.raises(TimeoutError):
        connect_to_first(addresses, each_s, total_s, clock=lambda: now[0])
    assert tried == pytest.approx(tried_s)


def test_what_a_refused_connection_leaves_is_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float | None] = []

    def connect(sock: socket.socket, address: tuple[str, int]) -> None:
        tried.append(sock.gettimeout())
        if address[0] == "192.0.2.0":
            raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    addresses = [(socket.AF_INET, (f"192.0.2.{n}", 443)) for n in range(2)]
    sock = connect_to_first(addresses, 5.0, 6.0, clock=lambda: 100.0)
    assert (tried, sock.gettimeout()) == ([3.0, 5.0], 5.0)
    sock.close()
