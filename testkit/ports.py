"""Free TCP ports of 127.0.0.1 for servers that are started later."""

import random
import socket
from collections.abc import Iterable
from pathlib import Path

# The range of ports that clients get. One that is free now may be a client's when the server starts.
_CLIENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_000
_TRIES = 200


def free_port() -> int:
    """A port that nothing listens on, and that no client gets."""
    highest = _first_client_port() - 1
    for _ in range(_TRIES if highest > _LOWEST else 0):
        port = random.randint(_LOWEST, highest)  # noqa: S311 - not a secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {_LOWEST} and {highest}")


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A different free port for each name."""
    ports: dict[str, int] = {}
    for name in names:
        while (port := free_port()) in ports.values():
            pass
        ports[name] = port
    return ports


def _first_client_port() -> int:
    try:
        return int(_CLIENT_PORTS.read_text().split()[0])
    except OSError:  # another system than Linux: 49152 is IANA's
        return 49_152
