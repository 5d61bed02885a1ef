"""Calls of the client and what a server does to them."""

import socket
import struct
import traceback
from itertools import cycle
from typing import Any

import pytest

from messaging.whatsapp.client import CloudApi
from tests.messaging.whatsapp.wire import Behaviour, Server
from tests.waiting import PATIENCE_S

TOKEN = "EAAGsecret"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
BODY = {"messaging_product": "whatsapp", "to": "16505551234", "type": "text", "text": {"body": "Grüße"}}


def failure_of(api: CloudApi, **changes: Any) -> Any:
    with pytest.raises(Exception) as caught:
        api.send("106", BODY | changes)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(vars(caught.value))
    assert TOKEN not in shown
    assert caught.value.__context__ is None
    return caught.value


def hang(connection: socket.socket, server: Server) -> None:
    server.over.wait(PATIENCE_S)


def reset(connection: socket.socket, server: Server) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(connection: socket.socket, server: Server) -> None:
    pass


def say(*parts: bytes) -> Behaviour:
    """Sends this and closes."""
    return lambda connection, _: connection.sendall(b"".join(parts))


def hang_in_body(connection: socket.socket, server: Server) -> None:
    connection.sendall(HEAD)
    hang(connection, server)


def trickle(*parts: bytes) -> Behaviour:
    """Sends the first part at once, the second byte by byte, again and again."""

    def act(connection: socket.socket, server: Server) -> None:
        connection.sendall(parts[0])
        for byte in cycle(parts[1]):
            if server.over.wait(0.05):
                return
            connection.sendall(bytes([byte]))

    return act
