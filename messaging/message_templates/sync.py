"""Sync of an account's templates: all pages from Meta first, then one transaction with one statement per page."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from messaging.message_templates.statuses import DELETED, StatusChange, TemplateKey
from messaging.models import Account
from messaging.whatsapp.graph import GraphApi, TemplateNode

Progress = Callable[[int], None]
# The size of Meta's pages.
STORED_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class TemplateList:
    """All templates of an account, and when Meta was asked for the first of them."""

    nodes: tuple[TemplateNode, ...]
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class TemplateSync:
    """The result of a sync: counts, and the changes of statuses."""

    found: int
    new: int
    changed: int
    removed: int
    statuses: tuple[StatusChange, ...]


def fetch_templates(api: GraphApi, waba_id: str, progress: Progress = lambda _: None) -> TemplateList:
    """Ask Meta for all templates of an account, without the database. Raises WhatsAppError.

    `progress` gets the count of templates after each page.
    """
    requested_at = timezone.now()
    nodes: list[TemplateNode] = []
    for node in api.templates(waba_id):
        nodes.append(node)
        if len(nodes) % STORED_AT_ONCE == 0:
            progress(len(nodes))
    return TemplateList(tuple(nodes), requested_at)


def store_templates(account_id: int, listed: TemplateList) -> TemplateSync:
    """Store the templates as Meta has them, and mark those that it no longer has. Inside a transaction.

    What a webhook has changed since Meta was asked stays: it is newer than the list.
    """
    with transaction.atomic():
        # One sync of an account at a time.
        account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
        nodes = _valid(listed.nodes)
        pages = [nodes[first : first + STORED_AT_ONCE] for first in range(0, len(nodes), STORED_AT_ONCE)]
        stored = [row for page in pages for row in _store(account, page, listed.requested_at)]
        removed = _remove_others(account, nodes, listed.requested_at)
        _record_categories(account)
        Account.objects.filter(pk=account.pk).update(templates_synced_at=listed.requested_at)
    changes = _changes(account, stored)
    new = sum(before is None for *_, before in stored)
    return TemplateSync(len(nodes), new, len(stored) - new, len(removed), (*changes, *removed))


def store_template(account_id: int, node: TemplateNode, requested_at: datetime) -> tuple[StatusChange, ...]:
    """Store one template as Meta has it, and return the change of its status. Inside a transaction.

    `requested_at`: when Meta was asked; a status that a webhook has set since stays.
    """
    with transaction.atomic():
        account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
        stored = _store(account, _valid([node]), requested_at)
        _record_categories(account)
    return _changes(account, stored)


def _changes(account: Account, stored: Iterable[tuple[Any, ...]]) -> tuple[StatusChange, ...]:
    return tuple(
        StatusChange(TemplateKey(account.waba_id, name, language), before or "", status, reason)
        for name, language, status, reason, before in stored
        if status != before
    )


def _valid(nodes: Iterable[TemplateNode]) -> list[TemplateNode]:
    """Each name and language once, in the order in which rows are locked."""
    named = {(node.name[:512], node.language[:20]): node for node in nodes if node.name and node.language}
    return [named[key] for key in sorted(named)]


_STORE = """
WITH given AS (
  SELECT * FROM unnest(%(names)s::text[], %(languages)s::text[], %(ids)s::text[], %(categories)s::text[],
    %(statuses)s::text[], %(qualities)s::text[], %(components)s::text[], %(formats)s::text[], %(reasons)s::text[])
  AS g(name, language, template_id, category, status, quality, components, parameter_format, reason)
), before AS (
  SELECT t.name, t.language, t.status FROM messaging_template t JOIN given USING (name, language)
  WHERE t.account_id = %(account)s
), stored AS (
  INSERT INTO messaging_template AS t (account_id, name, language, template_id, category, status, quality, components,
    parameter_format, reason, updated_at, approved_at)
  SELECT %(account)s, name, language, template_id, category, status, quality, components::jsonb, parameter_format,
    reason, clock_timestamp(), CASE WHEN status = 'APPROVED' THEN %(requested_at)s::timestamptz END FROM given
  ON CONFLICT (account_id, name, language) DO UPDATE SET template_id = excluded.template_id,
    components = excluded.components, parameter_format = excluded.parameter_format, updated_at = excluded.updated_at,
    category = CASE WHEN t.updated_at > %(requested_at)s AND t.category <> '' THEN t.category
      ELSE excluded.category END,
    quality = CASE WHEN t.updated_at > %(requested_at)s AND t.quality <> '' THEN t.quality ELSE excluded.quality END,
    status = CASE WHEN t.updated_at > %(requested_at)s THEN t.status ELSE excluded.status END,
    reason = CASE WHEN t.updated_at > %(requested_at)s THEN t.reason ELSE excluded.reason END,
    removed_at = CASE WHEN t.updated_at > %(requested_at)s THEN t.removed_at END,
    approved_at = CASE WHEN t.updated_at > %(requested_at)s OR t.status = 'APPROVED' THEN t.approved_at
      ELSE COALESCE(excluded.approved_at, t.approved_at) END
  WHERE t.removed_at IS NOT NULL OR
    (t.template_id, t.category, t.status, t.quality, t.components, t.parameter_format, t.reason) IS DISTINCT FROM
    (excluded.template_id, excluded.category, excluded.status, excluded.quality, excluded.components,
     excluded.parameter_format, excluded.reason)
  RETURNING name, language, status, reason
)
SELECT s.name, s.language, s.status, s.reason, b.status FROM stored s LEFT JOIN before b USING (name, language)
"""

_REMOVE = """
UPDATE messaging_template t SET removed_at = clock_timestamp(), updated_at = clock_timestamp(), status = %(deleted)s
WHERE t.account_id = %(account)s AND t.removed_at IS NULL AND t.updated_at <= %(requested_at)s AND NOT EXISTS (
  SELECT FROM unnest(%(names)s::text[], %(languages)s::text[]) AS g(name, language)
  WHERE g.name = t.name AND g.language = t.language)
RETURNING t.name, t.language
"""

# Consent goes by name: marketing in one language is marketing in all.
_RECORD_CATEGORIES = """
INSERT INTO messaging_templatecategory (waba_id, name, category, updated_at)
SELECT %(waba_id)s, t.name,
  CASE WHEN bool_or(t.category = 'MARKETING') THEN 'marketing' ELSE lower(min(t.category)) END, clock_timestamp()
FROM messaging_template t WHERE t.account_id = %(account)s AND t.removed_at IS NULL AND t.category <> ''
GROUP BY t.name ORDER BY t.name
ON CONFLICT (name, waba_id) DO UPDATE SET category = excluded.category, updated_at = excluded.updated_at
WHERE messaging_templatecategory.category <> excluded.category
"""


def _store(account: Account, page: Sequence[TemplateNode], requested_at: datetime) -> list[tuple[Any, ...]]:
    """New and changed templates: name, language, status, reason, and the status before (None: new)."""
    given = {
        "names": [node.name[:512] for node in page],
        "languages": [node.language[:20] for node in page],
        "ids": [node.template_id[:32] for node in page],
        "categories": [node.category[:40].upper() for node in page],
        "statuses": [node.status[:40].upper() for node in page],
        "qualities": [node.quality[:20] for node in page],
        "components": [json.dumps(node.components) for node in page],
        "formats": [node.parameter_format[:20] for node in page],
        "reasons": ["" if node.rejected_reason == "NONE" else node.rejected_reason[:255] for node in page],
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE, {**given, "account": account.pk, "requested_at": requested_at})
        return list(cursor.fetchall())


def _remove_others(account: Account, nodes: Sequence[TemplateNode], requested_at: datetime) -> list[StatusChange]:
    """Mark the templates that Meta's list lacks."""
    given = {"names": [node.name[:512] for node in nodes], "languages": [node.language[:20] for node in nodes]}
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, {**given, "account": account.pk, "requested_at": requested_at, "deleted": DELETED})
        gone = cursor.fetchall()
    return [StatusChange(TemplateKey(account.waba_id, name, language), "", DELETED) for name, language in gone]


def _record_categories(account: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_CATEGORIES, {"account": account.pk, "waba_id": account.waba_id})
