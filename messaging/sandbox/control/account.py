"""``/_sandbox/account``: the account's facts."""

from __future__ import annotations

from .control_handler import ControlHandler


class AccountHandler(ControlHandler):
    """``GET`` and ``POST /_sandbox/account``."""

    def get(self) -> None:
        """The facts of the account, its numbers and its token, and how many users count against the messaging limit."""
        self.answer({**self.simulator.account.as_json(), "opened_users": self.simulator.opened_users()})

    def post(self) -> None:
        """Change the given facts; answers all."""
        self.simulator.account.change(self.json_object())
        self.get()
