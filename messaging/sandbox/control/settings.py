"""``/_sandbox/settings`` and ``/_sandbox/reset``: the behaviour of the sandbox, and its initial state."""

from __future__ import annotations

from .control_handler import ControlHandler


class SettingsHandler(ControlHandler):
    """``GET`` and ``POST /_sandbox/settings``."""

    def get(self) -> None:
        """Answer all settings."""
        self.answer(self.simulator.behaviour.as_json())

    def post(self) -> None:
        """Change the given settings for messages accepted from now on; answers all."""
        self.simulator.change_behaviour(self.json_object())
        self.get()


class ResetHandler(ControlHandler):
    """``POST /_sandbox/reset``."""

    async def post(self) -> None:
        """Empty the ledger, delete files, cancel pending webhooks, restore the initial settings."""
        await self.simulator.reset()
        self.answer({"ok": True})
