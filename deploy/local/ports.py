"""The ports of the local pipeline, and the check that they are free."""

import errno
import re
import socket
from collections.abc import Mapping

from deploy.local import LocalError

DEFAULTS = {"PORT": 8000, "SANDBOX_PORT": 8001, "FLOWER_PORT": 5555, "SQS_PORT": 4566, "POSTGRES_PORT": 5433}
HIGHEST = 65535


def read_ports(caller: Mapping[str, str]) -> dict[str, int]:
    """Each variable's port. Raises LocalError for an invalid port, or the same port twice."""
    ports = {name: _number(name, caller.get(name) or str(default)) for name, default in DEFAULTS.items()}
    seen: dict[int, str] = {}
    for name, port in ports.items():
        if port in seen:
            raise LocalError(f"{seen[port]} and {name} are both {port}: give each its own port.")
        seen[port] = name
    return ports


def refuse_taken(ports: Mapping[str, int]) -> None:
    """Raise LocalError for the first variable whose port cannot be opened on 127.0.0.1."""
    for name, port in ports.items():
        reason = _why_not(port)
        if reason:
            raise LocalError(f"Port {port} ({name}) {reason}: free it, or choose another one: {name}=<port> make run.")


def is_open(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _number(name: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= HIGHEST:
        raise LocalError(f"{name}={text!r} is not a port: use a number from 1 to {HIGHEST}.")
    return int(text)


def _why_not(port: int) -> str:
    # Some systems let a socket bind 127.0.0.1 beside a listener on all addresses, so check both ways.
    if is_open(port):
        return "is already in use"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port whose last connections are in TIME_WAIT is free for a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return "is already in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
    return ""
