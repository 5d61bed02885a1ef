"""``/_sandbox/faults``: faults on request, with their hits."""

from __future__ import annotations

from http import HTTPStatus

from ..outcomes.faults import fault_from
from .control_handler import ControlHandler


class FaultsHandler(ControlHandler):
    """``GET``, ``POST`` and ``DELETE /_sandbox/faults``."""

    def get(self) -> None:
        """``{"faults": [...]}``, in the order in which they are tried."""
        self.answer({"faults": list(self.simulator.faults.as_json())})

    def post(self) -> None:
        """Add one; answers it with its ``id``."""
        number = self.simulator.faults.add(fault_from(self.json_object()))
        self.answer(next(fault for fault in self.simulator.faults.as_json() if fault["id"] == number))

    def delete(self) -> None:
        """Remove all."""
        self.simulator.faults.clear()
        self.answer({"faults": []})


class FaultHandler(ControlHandler):
    """``DELETE /_sandbox/faults/{id}``."""

    def delete(self, number: str) -> None:
        """Remove one."""
        if self.simulator.faults.remove(int(number)):
            self.answer({"ok": True})
        else:
            self.answer({"error": "there is no such fault"}, HTTPStatus.NOT_FOUND)
