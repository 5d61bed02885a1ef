"""``/_sandbox/templates``: the templates of the account, which Meta would approve, pause or disable."""

from __future__ import annotations

from typing import Any

from ..settings import InputError
from ..templates.pacing import pacing_from
from ..templates.store import Template
from .control_handler import ControlHandler

MAX_DIGITS = 9


class TemplatesHandler(ControlHandler):
    """``GET`` and ``POST /_sandbox/templates``."""

    def get(self) -> None:
        """``{"templates": [...], "count"}``, each as Meta lists it, with its ``pacing``: those of a ``status``, with
        ``search`` in their name, the first ``limit``; ``count`` is of all of them."""
        status, search = self.get_query_argument("status", ""), self.get_query_argument("search", "")
        found = [
            each for each in self.simulator.templates if search in each.name and status.upper() in ("", each.status)
        ]
        listed = found[: _limit(self.get_query_argument("limit", None))]
        self.answer({"templates": [self._with_pacing(template) for template in listed], "count": len(found)})

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


def _limit(given: str | None) -> int | None:
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS):
        raise InputError("limit", "must be a whole number")
    return int(given)
