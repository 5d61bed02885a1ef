"""The queues of the bus and their owners."""

import re

from hypothesis import given
from hypothesis import strategies as st

from waproject.bus.addresses import MAX_NAME, Addresses, queue_name

BUS = Addresses("https://sqs.eu-central-1.amazonaws.com/123/waproject-monitor")


@given(st.text(max_size=300))
def test_every_node_name_gives_a_valid_queue_name(name: str) -> None:
    queue = queue_name(BUS.node(name))
    assert re.fullmatch(r"[A-Za-z0-9_-]+", queue)
    assert len(queue) <= MAX_NAME
    assert queue.startswith(BUS.nodes_prefix)


@given(st.text(max_size=90), st.text(max_size=90))
def test_two_nodes_never_share_a_queue(one: str, other: str) -> None:
    assert (BUS.node(one) == BUS.node(other)) == (one == other)


def test_a_queue_is_found_again_by_its_name() -> None:
    url = BUS.replies("flower")
    assert BUS.named(queue_name(url)) == url
    assert queue_name(url).startswith(BUS.replies_prefix)
