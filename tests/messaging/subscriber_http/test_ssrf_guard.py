"""Where a subscription's requests may go."""

import ipaddress
import socket
from typing import Any

import pytest

from messaging.subscriber_http.ssrf_guard import (
    AddressNotAllowed,
    NetworkPolicy,
    Unreachable,
    allowed,
    check_destination,
    check_url,
    open_socket,
)

EVERYWHERE = NetworkPolicy()
INSIDE = NetworkPolicy((ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")))
LOCAL = NetworkPolicy((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")), public=False, http=True)

REFUSED = {
    "loopback": "127.0.0.1",
    "all of 127/8": "127.9.9.9",
    "this host": "0.0.0.0",  # noqa: S104 - an address that is refused
    "private 10/8": "10.0.0.1",
    "private 172.16/12": "172.31.255.255",
    "private 192.168/16": "192.168.1.1",
    "link-local": "169.254.1.1",
    "metadata of AWS, Google and Azure": "169.254.169.254",
    "metadata of Alibaba, in CGNAT": "100.100.100.200",
    "carrier-grade NAT": "100.64.0.1",
    "benchmarks": "198.18.0.1",
    "documentation": "192.0.2.1",
    "multicast": "224.0.0.1",
    "multicast beyond the local one": "239.1.2.3",
    "multicast that is routed": "233.252.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "IPv6 unspecified": "::",
    "IPv6 link-local": "fe80::1",
    "IPv6 site-local": "fec0::1",
    "IPv6 unique local": "fd00::1",
    "metadata of AWS over IPv6": "fd00:ec2::254",
    "IPv6 multicast": "ff02::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, the newer one": "3fff::1",
    "metadata of Azure": "168.63.129.16",
    "the dummy address of IPv4 over IPv6": "192.0.0.8",
    "6to4 relay anycast": "192.88.99.1",
    "mapped metadata of Azure": "::ffff:168.63.129.16",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped metadata": "::ffff:169.254.169.254",
    "compatible private": "::10.0.0.1",
    "translated": "::ffff:0:10.0.0.1",
    "6to4 of a private one": "2002:0a00:0001::1",
    "6to4 of metadata": "2002:a9fe:a9fe::1",
    "NAT64 of a private one": "64:ff9b::10.0.0.1",
    "NAT64 of loopback": "64:ff9b::127.0.0.1",
    "local-use NAT64": "64:ff9b:1::8.8.8.8",
    "Teredo of a private one": "2001:0:53aa:64c:0:0:f5ff:fffe",
    "discard": "100::1",
    "never assigned": "5000::1",
}
OPEN = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_a_private_address_is_refused(address: str) -> None:
    assert not allowed(ipaddress.ip_address(address), EVERYWHERE)


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_allowed(address: str) -> None:
    assert allowed(ipaddress.ip_address(address), EVERYWHERE)


@pytest.mark.parametrize(
    ("address", "may"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("fd00::1", True), ("192.168.1.1", False), ("8.8.8.8", True)],
)
def test_a_setting_allows_one_network_and_no_other(address: str, may: bool) -> None:
    assert allowed(ipaddress.ip_address(address), INSIDE) is may


@pytest.mark.parametrize(("address", "may"), [("127.0.0.1", True), ("::1", True), ("8.8.8.8", False)])
def test_a_local_pipeline_reaches_only_this_machine(address: str, may: bool) -> None:
    assert allowed(ipaddress.ip_address(address), LOCAL) is may


BAD_URLS = [
    "",
    "example.com/hook",
    "ftp://example.com/",
    "file:///etc/passwd",
    "https://",
    "https:///hook",
    "https://user:password@example.com/",
    "https://user@example.com/",
    "https://example.com/#part",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/\r\nHost: other",
    "https://ex\u00e4mple.com/",
    "https://[::1/",
    "https://example.com/" + "a" * 2048,
    "http://example.com/",
    "https://127.0.0.1/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost/",
    "https://api.localhost:8443/",
    "https://169.254.169.254/latest/meta-data/",
    "gopher://10.0.0.1/",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_invalid_url_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(AddressNotAllowed, match=r"\.$"):
        check_url(url, EVERYWHERE)


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/"])
def test_a_public_url_is_accepted(url: str) -> None:
    check_url(url, EVERYWHERE)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hook", "http://localhost:9000", "http://[::1]:9000/"])
def test_a_url_of_this_machine_is_accepted_locally(url: str) -> None:
    check_url(url, LOCAL)


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Each name has these addresses, the first time; then 127.0.0.1. Returns what was asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = addresses if len(asked) == 1 else ("127.0.0.1",)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in address], socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%eth0"])
def test_a_name_that_resolves_to_a_private_address_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, address)
    with pytest.raises(AddressNotAllowed):
        open_socket("innocent.example", 443, 1, EVERYWHERE)


def test_a_name_with_one_private_address_among_several_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(AddressNotAllowed):
        open_socket("innocent.example", 443, 1, EVERYWHERE)


def test_the_connection_uses_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, "8.8.8.8")
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(address))
    open_socket("rebinding.example", 443, 1, EVERYWHERE).close()
    assert (asked, connected) == (["rebinding.example"], [("8.8.8.8", 443)])


def test_a_name_without_an_address_has_its_error_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(Unreachable, match="cannot be resolved"):
        open_socket("nowhere.example", 443, 1, EVERYWHERE)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "the connection timed out"),
        (ConnectionRefusedError(), "the connection was refused"),
        (OSError(), "the host is unreachable"),
    ],
)
def test_a_host_that_cannot_be_reached_has_the_reason(
    error: OSError, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: Any) -> None:
        raise error

    always_resolving(monkeypatch, "93.184.216.34")
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Unreachable) as raised:
        open_socket("example.org", 443, 1, EVERYWHERE)
    assert str(raised.value) == reason


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_an_embedded_ipv4_address_is_checked(host: str) -> None:
    with pytest.raises((AddressNotAllowed, Unreachable)):
        open_socket(host, 443, 1, EVERYWHERE)


def always_resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name has these addresses; none: it does not exist."""

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("addresses", "reach", "refused"),
    [
        (["8.8.8.8"], EVERYWHERE, False),
        (["10.0.0.1"], EVERYWHERE, True),
        (["8.8.8.8", "10.0.0.1"], EVERYWHERE, True),
        (["10.0.0.1"], INSIDE, False),
        ([], EVERYWHERE, False),
        (["127.0.0.1"], LOCAL, False),
        (["8.8.8.8"], LOCAL, True),
        ([], LOCAL, True),
    ],
)
def test_an_unreachable_endpoint_is_refused_at_its_creation(
    addresses: list[str], reach: NetworkPolicy, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    always_resolving(monkeypatch, *addresses)
    try:
        check_destination("https://hooks.example.com/", reach)
    except AddressNotAllowed:
        assert refused
    else:
        assert not refused
