"""``/_sandbox/reset``: back to the initial state."""

from __future__ import annotations

from .control_handler import ControlHandler


class ResetHandler(ControlHandler):
    """``POST /_sandbox/reset``."""

    async def post(self) -> None:
        """Empty the ledger, delete files, cancel pending webhooks, restore the initial settings."""
        await self.simulator.reset()
        self.answer({"ok": True})
