"""``/_sandbox/settings``: the behaviour of the sandbox."""

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
