"""Calls of the Graph API leave nothing behind that a later one would send."""

from collections.abc import Callable
from functools import partial

import pytest

from messaging.whatsapp.graph.client import GraphApi
from messaging.whatsapp.media_api import MediaApi
from tests.messaging.whatsapp.calls import TOKEN
from tests.messaging.whatsapp.wire import Server, answering, http


def twice(call: Callable[[], object]) -> None:
    call()
    call()


CALLS: dict[str, Callable[[str], None]] = {
    "of nodes": lambda url: twice(partial(GraphApi(url, "v26.0", TOKEN).get, "106")),
    "of files": lambda url: twice(partial(MediaApi(url, "v26.0", TOKEN).look_up, "77")),
}


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
def test_a_cookie_is_not_sent_back(calls: Callable[[str], None], server: Server) -> None:
    server.behaviour = answering(http(body={"url": server.url}, extra="Set-Cookie: a=b\r\n"))
    calls(server.url)
    assert [b"cookie" in head.lower() for head, _ in server.requests] == [False, False]
