"""``/_sandbox/templates``: the templates of the account, which Meta would approve, pause or disable."""

from __future__ import annotations

from typing import Any

from ..templates.pacing import pacing_from
from ..templates.store import Template
from .control_handler import ControlHandler


class TemplatesHandler(ControlHandler):
    """``GET`` and ``POST /_sandbox/templates``."""

    def get(self) -> None:
        """``{"templates": [...]}``, each as Meta lists it, with its ``pacing``."""
        self.answer({"templates": [self._with_pacing(template) for template in self.simulator.templates]})

    def post(self) -> None:
        """``{"name", "language"?, "category"?, "status"?, "components"?, "pacing"?}``: add a template, or change
        what is given.

        Answers the template. A change of status also sends the webhook of it.
        """
        given = self.json_object()
        paced = "pacing" in given
        pacing = pacing_from(given.pop("pacing", None))
        template, status_changed = self.simulator.templates.put(given, self.simulator.behaviour.template_limit)
        if paced:
            self.simulator.pacing.set(template, pacing)
        if status_changed:
            self.simulator.template_changed(template)
        self.answer(self._with_pacing(template))

    def _with_pacing(self, template: Template) -> dict[str, Any]:
        pacing = self.simulator.pacing.pacing_of(template)
        return {**template.as_json(), "pacing": pacing and pacing.as_json()}
