"""The client over TLS."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from messaging.whatsapp.client import CloudApi
from messaging.whatsapp.errors import NotSent, OutcomeUnknown
from tests.messaging.whatsapp.calls import BODY, HEAD, TOKEN, close, failure_of, hang, reset, trickle
from tests.messaging.whatsapp.wire import Behaviour, Server, after_request, answering, http
from tests.servers.certificates import self_signed
from tests.waiting import PATIENCE_S, eventually


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed one for 127.0.0.1, in one file with its key."""
    return self_signed(tmp_path)


def over_tls(certificate: Path, behaviour: Any) -> Behaviour:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(connection: socket.socket, server: Server) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            behaviour(secured, server)

    return behave


@pytest.fixture
def secure_api(server: Server, certificate: Path) -> Iterator[CloudApi]:
    """Trusts the certificate; trust in others is not touched."""
    url = server.url.replace("http:", "https:")
    api = CloudApi(
        url, "v26.0", TOKEN, connect_timeout=PATIENCE_S, read_timeout=0.3, total_timeout=3, ca_certs=str(certificate)
    )
    yield api
    api.close()


def test_sends_go_over_tls_and_reuse_the_connection(secure_api: CloudApi, server: Server, certificate: Path) -> None:
    secure_api._read_timeout = secure_api._total_timeout = PATIENCE_S
    secure_api._timeout = urllib3.Timeout(PATIENCE_S)
    server.behaviour = over_tls(certificate, answering(http()))
    assert [secure_api.send("106", BODY).wamid for _ in range(3)] == ["wamid.A"] * 3
    assert server.accepted == 1


@pytest.mark.parametrize("act", [close, hang, reset, trickle(HEAD, b" ")], ids=["close", "hang", "reset", "trickle"])
def test_over_tls_too_a_lost_answer_is_of_unknown_outcome(
    secure_api: CloudApi, server: Server, certificate: Path, act: Any
) -> None:
    server.behaviour = over_tls(certificate, after_request(act))
    assert isinstance(failure_of(secure_api), OutcomeUnknown)
    assert eventually(lambda: server.requests)
    assert len(server.requests) == 1


def test_an_untrusted_certificate_sends_nothing(server: Server, certificate: Path) -> None:
    server.behaviour = over_tls(certificate, answering(http()))
    api = CloudApi(server.url.replace("http:", "https:"), "v26.0", TOKEN, connect_timeout=PATIENCE_S)
    assert isinstance(failure_of(api), NotSent)
    api.close()
    assert server.requests == []
