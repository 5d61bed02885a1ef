"""Connecting to the addresses of a host, one after the other, within one budget."""

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

# A SYN that is lost is sent again after a second: an address gets that long while the budget lasts.
LEAST_S = 1.0
SocketOptions = Sequence[tuple[int, int, int | bytes]]


def connect_to_first(
    addresses: Sequence[tuple[socket.AddressFamily, tuple[Any, ...]]],
    each_s: float,
    total_s: float,
    options: SocketOptions = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
    clock: Callable[[], float] = time.monotonic,
) -> socket.socket:
    """A socket to the first address that answers, with the time that is left as its timeout, at most `each_s`.

    `each_s`: the longest time for one address; `total_s`: for all, shared by those that are left. In seconds.
    Raises OSError, TimeoutError when the time is over.
    """
    ends_at = clock() + total_s
    failure: OSError = TimeoutError("connecting took too long")
    for tried, (family, address) in enumerate(addresses):
        left = ends_at - clock()
        if left <= 0:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(min(each_s, left, max(LEAST_S, left / (len(addresses) - tried))))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            # For the TLS handshake.
            sock.settimeout(min(each_s, max(LEAST_S, ends_at - clock())))
            return sock
    raise failure
