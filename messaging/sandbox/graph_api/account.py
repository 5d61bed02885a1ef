"""The Graph API's nodes: the account, its numbers, the app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import nodes
from .account_handler import AccountHandler
from .media import MediaHandler
from .pricing_analytics import FIELD, pricing_analytics

JSON = dict[str, Any]
NUMBERS_PATH = r"/v\d+\.\d+/(\d+)/phone_numbers"


class NodeHandler(AccountHandler, MediaHandler):
    """``GET /vNN.N/{id}``: the account, a number, the app, or a file."""

    def prepare(self) -> None:
        """Called by Tornado before the method. Files need no permission to manage the account."""
        self.check_token()

    def get(self, media_id: str) -> None:
        """The node with the fields that are asked for."""
        node = self.node(media_id)
        if node is None:
            super().get(media_id)
            return
        self.check_permission()
        values, default, kind = node
        self.answer(nodes.projected(values, self.requested_fields(), default, kind))

    def node(self, node_id: str) -> tuple[JSON, Sequence[str], str] | None:
        """All fields of a node, the default ones, and its type; None where the id is not one of the account's."""
        state, identity = self.simulator.account, self.simulator.identity
        if node_id == identity.waba_id:
            values = nodes.account_values(state)
            if FIELD in self.requested_fields():
                values[FIELD] = pricing_analytics(self.get_query_argument("fields"), self.simulator.ledger.find())
            return values, nodes.ACCOUNT_FIELDS, "WhatsAppBusinessAccount"
        if identity.has(node_id):
            values = nodes.number_values(state, node_id, self.simulator.behaviour)
            return values, nodes.NUMBER_FIELDS, "WhatsAppBusinessPhoneNumber"
        return (nodes.app_values(identity), nodes.APP_FIELDS, "Application") if node_id == identity.app_id else None


class NumbersHandler(AccountHandler):
    """``GET /vNN.N/{waba_id}/phone_numbers``."""

    def get(self, waba_id: str) -> None:
        """All numbers of the account."""
        self.check_account(waba_id)
        identity, fields = self.simulator.identity, self.requested_fields()
        data = [
            nodes.projected(
                nodes.number_values(self.simulator.account, id_, self.simulator.behaviour),
                fields,
                nodes.NUMBER_FIELDS,
                "WhatsAppBusinessPhoneNumber",
            )
            for id_ in (identity.phone_number_id, *identity.other_numbers)
        ]
        self.answer({"data": data, "paging": {"cursors": {"before": "MAZDZD", "after": "MgZDZD"}}})
