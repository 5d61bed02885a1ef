"""SSRF guard: requests to subscriber endpoints reach no private network unless a setting allows it.

A connection resolves its name once and goes to an address that was checked, so DNS rebinding gains nothing.
"""

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillResolving
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_LENGTH = 2048
# All that is assigned for unicast on the internet (RFC 4291), and IPv4 behind a gateway (RFC 6052).
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4_BITS = 0xFFFFFFFF
# Not public, whatever the `is_global` of the running Python says: Azure's platform address, the dummy address of
# RFC 7600, the deprecated 6to4 relay anycast (RFC 7526), documentation (RFC 9637).
_NEVER = tuple(
    ipaddress.ip_network(network) for network in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)
# A name server that does not answer holds up the creation of a subscription no longer.
RESOLVE_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be reached: public addresses or not, these networks in any case, and whether without TLS."""

    networks: tuple[Network, ...] = ()
    public: bool = True
    http: bool = False


class NotAllowed(Exception):
    """A URL or an address that no request may go to; the text says why, in a sentence for its owner."""


class Unreachable(Exception):
    """No connection came about; the text says why."""


def check_url(url: str, reach: Reach) -> None:
    """Raise NotAllowed for what can be told from the URL alone; a name is not resolved."""
    if len(url) > URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise NotAllowed(f"A URL has at most {URL_LENGTH} printable ASCII characters and no blanks.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAllowed("This is not a URL.") from None
    if parts.scheme not in {"https", "http"} or not host or port == 0 or "\\" in url:
        raise NotAllowed("This is not a URL: it begins with https:// and a host.")
    if parts.scheme == "http" and not reach.http:
        raise NotAllowed("Only https:// is allowed: deliveries hold what your users write.")
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("Leave user and password out: deliveries are signed.")
    if parts.fragment:
        raise NotAllowed("Leave the fragment (#…) out.")
    literal = _literal(host)
    if literal is not None and not allowed(literal, reach):
        raise NotAllowed(_refusal(literal, reach))


def check_destination(url: str, reach: Reach) -> None:
    """Raise NotAllowed for a URL that can never be reached from here, by its form or by what its name resolves to.

    On the internet a name that does not resolve is accepted: its record may follow.
    """
    check_url(url, reach)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if _literal(host) is not None:
        return
    resolver = ThreadPoolExecutor(1, thread_name_prefix="resolve")
    try:
        found = resolver.submit(_resolve, host, port).result(RESOLVE_TIMEOUT_S)
    except (Unreachable, StillResolving):
        if reach.public:
            return
        raise NotAllowed("Its name does not resolve, and a local pipeline reaches only this machine.") from None
    finally:
        resolver.shutdown(wait=False)
    for _, address in found:
        if not allowed(address, reach):
            raise NotAllowed(_refusal(address, reach))


def allowed(address: Address, reach: Reach) -> bool:
    """Whether a connection to it is allowed. The IPv4 address inside an IPv6 one must be allowed as well."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return allowed(address.ipv4_mapped, reach)
    if any(address.version == network.version and address in network for network in reach.networks):
        return True
    if not reach.public or not _is_public(address):
        return False
    wrapped = _wrapped(address)
    return wrapped is None or allowed(wrapped, reach)


def open_socket(host: str, port: int, timeout: float, reach: Reach) -> socket.socket:
    """A TCP connection to an address of this host that was checked; `timeout` in seconds for each address.

    Raises NotAllowed when any of its addresses may not be reached, Unreachable when none answers.
    """
    found = _resolve(host, port)
    for _, address in found:
        if not allowed(address, reach):
            raise NotAllowed(_refusal(address, reach))
    why = "its name has no address"
    for family, address in found:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect((str(address), port))
        except OSError as error:
            sock.close()
            why = _words(error)
        else:
            return sock
    raise Unreachable(why)


def _resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, Address]]:
    try:
        infos = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("its name cannot be resolved") from None
    found = [(info[0], ipaddress.ip_address(str(info[4][0]).partition("%")[0])) for info in infos]
    return list(dict.fromkeys(found))


def _literal(host: str) -> Address | None:
    if host == "localhost" or host.endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if any(address.version == network.version and address in network for network in _NEVER):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    return address in _NAT64 or (address in _UNICAST and address.is_global)


def _wrapped(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    return address.sixtofour or (address.teredo[1] if address.teredo else None)


def _refusal(address: Address, reach: Reach) -> str:
    if not reach.public:
        return f"{address} is not on this machine: a local pipeline reaches nothing else."
    return f"{address} is an address of a private network, which is not allowed."


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it did not take the connection in time"
    if isinstance(error, ConnectionRefusedError):
        return "it refused the connection"
    return "there is no way to it"
