"""Nodes of the Graph API are read whatever Meta leaves out or gives in another type."""

import pytest

from messaging.whatsapp.graph import nodes

URL = "https://example.com/webhook/whatsapp"


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (
            {"callback_url": URL, "active": True, "fields": [{"name": "messages", "version": "v25.0"}, "flows"]},
            nodes.Subscription(URL, ("messages", "flows"), True),
        ),
        ({"callback_url": URL, "active": False, "fields": []}, nodes.Subscription(URL, (), False)),
        ({"callback_url": URL}, nodes.Subscription(URL, (), False)),
        ({"active": "true", "fields": [{}, {"name": True}, None, ""]}, nodes.Subscription("", (), False)),
        ({"active": 1, "callback_url": 7, "fields": "messages"}, nodes.Subscription("7", (), False)),
        (None, nodes.Subscription("", (), False)),
        ([], nodes.Subscription("", (), False)),
    ],
    ids=["active", "inactive", "silent", "odd fields", "odd types", "null", "a list"],
)
def test_a_subscription_is_active_only_where_meta_says_so(node: object, expected: nodes.Subscription) -> None:
    assert nodes.subscription(node) == expected
