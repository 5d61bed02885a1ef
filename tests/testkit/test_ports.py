"""Ports for servers that are started later."""

import random
import socket

import pytest

from testkit import ports


def test_no_client_of_this_machine_gets_the_port() -> None:
    first = ports._first_client_port()
    assert all(ports.free_port() < first for _ in range(50))


def test_a_port_that_is_listened_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        port = ports.free_port()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        answers = iter([port, port, port + 1])
        monkeypatch.setattr(random, "randint", lambda *_: next(answers, ports._LOWEST))
        assert ports.free_port() != port


def test_each_name_has_its_own_port() -> None:
    assert len(set(ports.free_ports(map(str, range(100))).values())) == 100
