"""The Graph API's endpoints of templates: list, create, edit and delete, with a review by webhook.

https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account/template-api
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tornado.httputil import url_concat

from .. import graph_errors
from ..graph_errors import GraphError
from ..settings import MAX_TEMPLATES, InputError
from ..templates.store import Status, Template, Templates, placeholders
from .account import NodeHandler
from .account_handler import AccountHandler
from .nodes import projected

JSON = dict[str, Any]
TEMPLATES_PATH = r"/v\d+\.\d+/(\d+)/message_templates"
DEFAULT_FIELDS = ("name", "parameter_format", "components", "language", "status", "category", "id")
MAX_PAGE, DEFAULT_PAGE = 250, 25
# Subcodes of code 100: such a template exists, one was deleted, the account has as many as it may, none has this name,
# a component has no example.
_EXISTS, _BEING_DELETED, _TOO_MANY, _NOT_FOUND, _NO_EXAMPLE = 2388024, 2388023, 2388019, 2593002, 2388043
_EDITABLE = frozenset({Status.APPROVED, Status.REJECTED, Status.PAUSED})
_CREATED_KEYS = ("name", "language", "category", "components")
_FILES = ("IMAGE", "VIDEO", "DOCUMENT")
_FILTERS = ("status", "category", "language", "name")


class TemplatesHandler(AccountHandler):
    """``GET``, ``POST`` and ``DELETE /vNN.N/{waba_id}/message_templates``."""

    def get(self, waba_id: str) -> None:
        """A page of templates: ``fields``, ``limit``, ``after``, and filters."""
        self.check_account(waba_id)
        filters = {name: self.get_query_argument(name, "") for name in _FILTERS}
        found = [each for each in self.simulator.templates if _matches(each, filters)]
        first, size = _position(self.get_query_argument("after", "")), _page_size(self.get_query_argument("limit", ""))
        page = found[first : first + size]
        data = [projected(values_of(each), self.requested_fields(), DEFAULT_FIELDS, "MessageTemplate") for each in page]
        paging: JSON = {"cursors": {"before": _cursor(first), "after": _cursor(first + len(page))}} if page else {}
        if first + size < len(found):
            there = f"{self.request.protocol}://{self.request.host}{self.request.path}"
            paging["next"] = url_concat(there, {**self._query(), "after": _cursor(first + size)})
        self.answer({"data": data, **({"paging": paging} if paging else {})})

    def _query(self) -> dict[str, str]:
        """The query without the token and the position."""
        names = self.request.query_arguments.keys() - {"access_token", "after"}
        return {name: self.get_query_argument(name) for name in sorted(names)}

    def post(self, waba_id: str) -> None:
        """Create a template; it is reviewed later."""
        self.check_account(waba_id)
        given, templates = self.form_or_json(), self.simulator.templates
        for name in _CREATED_KEYS:
            if not given.get(name):
                raise graph_errors.invalid_parameter(f"The parameter {name} is required.")
        if any((each.name, each.language) == (given["name"], given["language"]) for each in templates):
            raise _refused(_EXISTS, "There is already content in this language for this template.")
        if templates.is_being_deleted(given["name"], given["language"], time.time()):
            raise _refused(_BEING_DELETED, "New content can't be added while the existing content is being deleted.")
        limit = self.simulator.behaviour.template_limit
        if len(templates) >= limit:
            raise _refused(_TOO_MANY, f"The account has {limit} templates already.")
        _check_examples(given["components"])
        created = _put(templates, limit, {name: given[name] for name in _CREATED_KEYS})
        self.simulator.review_later(created)
        self.answer({"id": created.id, "status": str(created.status), "category": str(created.category)})

    def delete(self, waba_id: str) -> None:
        """Delete all languages of ``name``, or one by ``hsm_id``."""
        self.check_account(waba_id)
        name, template_id = self.get_query_argument("name", ""), self.get_query_argument("hsm_id", None)
        if not name:
            raise graph_errors.invalid_parameter("The parameter name is required.")
        removed = self.simulator.templates.remove(name, template_id, time.time())
        if not removed:
            raise _refused(_NOT_FOUND, "Message template not found.")
        for template in removed:
            self.simulator.template_changed(template, "DELETED")
        self.answer({"success": True})


class NodeOrTemplateHandler(NodeHandler):
    """``GET /vNN.N/{id}`` of any node; ``POST /vNN.N/{template_id}`` edits a template."""

    def node(self, node_id: str) -> tuple[JSON, Sequence[str], str] | None:
        """Templates are nodes too."""
        template = self.simulator.templates.with_id(node_id)
        return (values_of(template), DEFAULT_FIELDS, "MessageTemplate") if template else super().node(node_id)

    def post(self, template_id: str) -> None:
        """Change a template's components or category; it is reviewed again."""
        self.check_permission()
        templates = self.simulator.templates
        template = templates.with_id(template_id)
        if template is None:
            raise graph_errors.no_such_object(template_id, "POST")
        given = self.form_or_json()
        changes: JSON = {name: given[name] for name in ("category", "components") if name in given}
        if not changes:
            raise graph_errors.invalid_parameter("Give components or category.")
        if template.status not in _EDITABLE:
            raise graph_errors.invalid_parameter(f"A template that is {template.status} cannot be edited.")
        if template.status is Status.APPROVED and given.get("category", template.category) != template.category:
            raise graph_errors.invalid_parameter("The category of an approved template cannot be edited.")
        _check_examples(changes.get("components"))
        edits, now = self.simulator.template_edits, time.time()
        if template.status is Status.APPROVED:
            edits.check(template_id, now)
        edited = _put(templates, len(templates), {"name": template.name, "language": template.language, **changes})
        if template.status is Status.APPROVED:
            edits.record(template_id, now)
        self.simulator.review_later(edited)
        self.answer({"success": True, "id": edited.id, "category": str(edited.category)})


def values_of(template: Template) -> JSON:
    """All fields of a template."""
    texts = [part.get("text") for part in template.components]
    named = any(not name.isdigit() for text in texts for name in placeholders(text))
    return {
        **template.as_json(),
        "parameter_format": "NAMED" if named else "POSITIONAL",
        "quality_score": {"score": "UNKNOWN", "date": 0},
        "rejected_reason": "INVALID_FORMAT" if template.status is Status.REJECTED else "NONE",
    }


def _put(templates: Templates, limit: int, given: JSON) -> Template:
    try:
        return templates.put({**given, "status": str(Status.PENDING)}, limit)[0]
    except InputError as problem:
        raise graph_errors.invalid_parameter(f"Param {problem.field} {problem.problem}.") from None


def _check_examples(components: object) -> None:
    """Meta reviews examples of variables and of a header's file. Raises GraphError where one is missing."""
    for part in components if isinstance(components, list) else ():
        if not isinstance(part, dict):
            continue
        kind, is_file = part.get("type"), part.get("format") in _FILES
        if kind in ("HEADER", "BODY") and (is_file or placeholders(part.get("text"))) and not part.get("example"):
            raise _refused(_NO_EXAMPLE, f"component of type {kind} is missing expected field(s) (example)")
        cards = part.get("cards")
        for card in cards if isinstance(cards, list) else ():
            _check_examples(card.get("components") if isinstance(card, dict) else None)


def _matches(template: Template, filters: Mapping[str, str]) -> bool:
    given = template.as_json()
    exact = all(filters[name] in ("", given[name]) for name in ("status", "category", "language"))
    return exact and filters["name"] in template.name


def _page_size(given: str) -> int:
    if not given:
        return DEFAULT_PAGE
    if not (given.isascii() and given.isdigit() and 0 < len(given) <= len(str(MAX_PAGE)) and int(given)):
        raise graph_errors.invalid_parameter("Param limit must be a positive number.")
    return min(int(given), MAX_PAGE)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(cursor: str) -> int:
    try:
        position = base64.urlsafe_b64decode(cursor).decode() if cursor else "0"
        return min(int(position), MAX_TEMPLATES)
    except (ValueError, binascii.Error):
        raise graph_errors.invalid_parameter("Invalid cursors values.") from None


def _refused(subcode: int, details: str) -> GraphError:
    return GraphError(graph_errors.INVALID_PARAMETER, "Invalid parameter", details=details, subcode=subcode)
