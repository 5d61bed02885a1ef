"""SSRF guard: requests to subscriber endpoints reach no private network unless a setting allows it.

A connection resolves its host once and connects to a checked address, which prevents DNS rebinding.
"""

import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillResolving
from dataclasses import dataclass
from urllib.parse import urlsplit

from messaging.whatsapp.connecting import connect_to_first

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_LENGTH = 2048
# The global unicast range (RFC 4291), and the prefix of NAT64 (RFC 6052).
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4_BITS = 0xFFFFFFFF
# Not public, whatever the `is_global` of the running Python says: Azure's platform address, the dummy address of
# RFC 7600, the deprecated 6to4 relay anycast (RFC 7526), documentation (RFC 9637).
_NEVER_PUBLIC = tuple(
    ipaddress.ip_network(network) for network in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)
# The longest time that an unresponsive name server delays the creation of a subscription.
RESOLVE_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The allowed destinations: whether public addresses, which other networks, and whether without TLS."""

    networks: tuple[Network, ...] = ()
    public: bool = True
    http: bool = False


class AddressNotAllowed(Exception):
    """The URL or address is not allowed; the text gives the reason for its owner."""


class Unreachable(Exception):
    """No connection could be made; the text says why."""


def check_url(url: str, policy: NetworkPolicy) -> None:
    """Raise AddressNotAllowed for a URL that is wrong in itself; the host name is not resolved."""
    if len(url) > URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressNotAllowed(f"A URL has at most {URL_LENGTH} printable ASCII characters and no blanks.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressNotAllowed("This is not a URL.") from None
    if parts.scheme not in {"https", "http"} or not host or port == 0 or "\\" in url:
        raise AddressNotAllowed("This is not a URL: it must begin with https:// and a host.")
    if parts.scheme == "http" and not policy.http:
        raise AddressNotAllowed("Only https:// is allowed: deliveries contain your users' messages.")
    if parts.username is not None or parts.password is not None:
        raise AddressNotAllowed("Leave user and password out: deliveries are signed.")
    if parts.fragment:
        raise AddressNotAllowed("Leave the fragment (#…) out.")
    literal = _literal_address(host)
    if literal is not None and not allowed(literal, policy):
        raise AddressNotAllowed(_refusal(literal, policy))


def check_destination(url: str, policy: NetworkPolicy) -> None:
    """Raise AddressNotAllowed for a URL that is never allowed, by itself or by the addresses of its host.

    A public host name that does not resolve is accepted: its DNS record may follow.
    """
    check_url(url, policy)
    host = urlsplit(url).hostname or ""
    if _literal_address(host) is not None:
        return
    resolver = ThreadPoolExecutor(1, thread_name_prefix="resolve")
    try:
        found = resolver.submit(_resolve, host).result(RESOLVE_TIMEOUT_S)
    except (Unreachable, StillResolving):
        if policy.public:
            return
        raise AddressNotAllowed(
            "The host name does not resolve, and a local pipeline reaches only this machine."
        ) from None
    finally:
        resolver.shutdown(wait=False)
    for _, address in found:
        if not allowed(address, policy):
            raise AddressNotAllowed(_refusal(address, policy))


def allowed(address: Address, policy: NetworkPolicy) -> bool:
    """Whether a connection to the address is allowed. An IPv4 address embedded in an IPv6 one must be allowed too."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return allowed(address.ipv4_mapped, policy)
    if any(address.version == network.version and address in network for network in policy.networks):
        return True
    if not policy.public or not _is_public(address):
        return False
    wrapped = _embedded_ipv4(address)
    return wrapped is None or allowed(wrapped, policy)


def open_socket(
    host: str, port: int, timeout: float, policy: NetworkPolicy, time_left: Callable[[], float] | None = None
) -> socket.socket:
    """A TCP connection to a checked address of this host.

    `timeout`: seconds for one address at most; `time_left()`: for all, once the host is resolved; None: the same.

    Raises AddressNotAllowed if any of its addresses is not allowed, Unreachable if none answers.
    """
    found = _resolve(host)
    for _, address in found:
        if not allowed(address, policy):
            raise AddressNotAllowed(_refusal(address, policy))
    if not found:
        raise Unreachable("the host name has no address")
    addresses = [(family, (str(address), port)) for family, address in found]
    try:
        return connect_to_first(addresses, timeout, time_left() if time_left else timeout)
    except OSError as error:
        raise Unreachable(_describe(error)) from None


def _resolve(host: str) -> list[tuple[socket.AddressFamily, Address]]:
    try:
        infos = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("the host name cannot be resolved") from None
    found = [(info[0], ipaddress.ip_address(str(info[4][0]).partition("%")[0])) for info in infos]
    return list(dict.fromkeys(found))


def _literal_address(host: str) -> Address | None:
    if host == "localhost" or host.endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if any(address.version == network.version and address in network for network in _NEVER_PUBLIC):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    return address in _NAT64 or (address in _UNICAST and address.is_global)


def _embedded_ipv4(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    return address.sixtofour or (address.teredo[1] if address.teredo else None)


def _refusal(address: Address, policy: NetworkPolicy) -> str:
    if not policy.public:
        return f"{address} is not on this machine: a local pipeline reaches only this machine."
    return f"{address} is an address of a private network, which is not allowed."


def _describe(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "the connection timed out"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return "the host is unreachable"
