"""``/_sandbox/ledger``: the accepted sends."""

from __future__ import annotations

from typing import Any

from .control_handler import ControlHandler


class LedgerHandler(ControlHandler):
    """``GET /_sandbox/ledger``."""

    def get(self) -> None:
        """``{"count": n, "messages": [...]}``; only the count with ``?count_only=1``."""
        found = self.simulator.ledger.find(
            to=self.get_query_argument("to", None),
            callback_data=self.get_query_argument("callback", None),
        )
        body: dict[str, Any] = {"count": len(found)}
        if self.get_query_argument("count_only", "0") in {"", "0"}:
            body["messages"] = [entry.as_json() for entry in found]
        self.answer(body)
