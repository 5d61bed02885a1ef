"""``/_sandbox/templates``: the templates of the account, which Meta would approve, pause or disable."""

from __future__ import annotations

from .control_handler import ControlHandler


class TemplatesHandler(ControlHandler):
    """``GET`` and ``POST /_sandbox/templates``."""

    def get(self) -> None:
        """``{"templates": [...]}``, each as Meta lists it."""
        self.answer({"templates": [template.as_json() for template in self.simulator.templates]})

    def post(self) -> None:
        """``{"name", "language"?, "category"?, "status"?, "components"?}``: add a template, or change what is given.

        Answers the template. A change of status also sends the webhook of it.
        """
        template, status_changed = self.simulator.templates.put(
            self.json_object(), self.simulator.behaviour.template_limit
        )
        if status_changed:
            self.simulator.template_changed(template)
        self.answer(template.as_json())
