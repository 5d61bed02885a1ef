"""The check of a template send against what Meta has, from a cache of this process.

A process asks the database once in CACHED_S for each template that it sends. What a template needs is read from its
components once, and again when they change.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from messaging.models import Template
from messaging.whatsapp.outbound.checks import InvalidContent
from messaging.whatsapp.outbound.template import language_of
from messaging.whatsapp.recipients import is_bsuid
from messaging.whatsapp.template_fit import Needs, check_fit, needs_of
from waproject.ttl_cache import TtlCache

CACHED_S = 5.0
# Entries after which the cache is emptied: each account has a few hundred templates.
MAX_CACHED = 20_000
# A paused template is accepted and waits for Meta's approval; a flagged one may be sent.
SENDABLE = frozenset({"APPROVED", "PAUSED", "FLAGGED"})
AUTHENTICATION = "AUTHENTICATION"
NEVER_SYNCED = "The account's templates were never synced from Meta, so this template is not checked."


@dataclass(frozen=True, slots=True)
class _Known:
    """A template by its languages. `is_synced`: its account has been synced, so a template that is not here does not
    exist."""

    is_synced: bool
    languages: Mapping[str, tuple[str, Needs | None, str]]


_cache = TtlCache[tuple[str, str], _Known](CACHED_S, MAX_CACHED)
_needs: dict[int, tuple[datetime, Needs | None]] = {}

_TEMPLATES = """
SELECT a.waba_id, a.templates_synced_at IS NOT NULL, t.id, t.name, t.language, t.status, t.category, t.updated_at
FROM messaging_account a
LEFT JOIN messaging_template t ON t.account_id = a.id AND t.name = ANY(%(names)s) AND t.removed_at IS NULL
WHERE a.waba_id = ANY(%(accounts)s)
"""


def load_templates(wanted: Iterable[tuple[str, str]]) -> None:
    """Load these templates, by WABA id and name, in one query, unless they are cached."""
    if missing := _cache.missing(wanted):
        _load(missing)


def _load(missing: Set[tuple[str, str]]) -> Mapping[tuple[str, str], _Known]:
    synced: set[str] = set()
    found: dict[tuple[str, str], dict[str, tuple[str, Needs | None, str]]] = {key: {} for key in missing}
    with connection.cursor() as cursor:
        accounts, names = ({key[part] for key in missing} for part in (0, 1))
        cursor.execute(_TEMPLATES, {"accounts": list(accounts), "names": list(names)})
        rows = cursor.fetchall()
    needs = _needs_of([row for row in rows if row[2] is not None])
    for waba_id, is_synced, pk, name, language, status, category, _ in rows:
        if is_synced:
            synced.add(waba_id)
        if pk is not None and (waba_id, name) in found:
            found[waba_id, name][language] = status, needs[pk], category
    loaded = {key: _Known(key[0] in synced, languages) for key, languages in found.items()}
    _cache.update(loaded)
    return loaded


def check_template(waba_id: str, content: Mapping[str, Any], peer: str = "") -> bool:
    """Check a template's `message_data` as of up to CACHED_S ago; False if its account was never synced.

    `peer`: the recipient, if known. Raises InvalidContent with the place: no such template or language, not approved,
    other parameters, or an authentication template for a user id.
    """
    name = str(content["name"])
    key = waba_id, name
    known = _cache.get(key)
    if known is None:
        known = _load({key})[key]
    if not known.is_synced:
        return False
    if not known.languages:
        raise InvalidContent("message_data.name", "is not a template of this account")
    language = language_of(content)
    if language not in known.languages:
        listed = ", ".join(sorted(known.languages))
        raise InvalidContent("message_data.language", f"is not one of the template's languages: {listed}")
    status, needs, category = known.languages[language]
    if status not in SENDABLE:
        raise InvalidContent("message_data.name", f"is not approved: Meta's status of the template is {status}")
    if category == AUTHENTICATION and is_bsuid(peer):
        raise InvalidContent("phone_number", "must be a phone number: an authentication template reaches no user id")
    if needs is not None:
        check_fit(needs, content)
    return True


def clear_template_cache() -> None:
    """Make the next check read the database."""
    _cache.clear()


def _needs_of(rows: Iterable[tuple[Any, ...]]) -> dict[int, Needs | None]:
    """The needs of these templates, by primary key; the components of new or changed ones are read.

    None: a webhook has named the template, and no sync has read its components yet.
    """
    stamps = {row[2]: row[7] for row in rows}
    categories = {row[2]: row[6] for row in rows}
    # A copy: another thread may empty the memory meanwhile.
    known = {pk: found for pk in stamps if (found := _needs.get(pk)) is not None}
    if changed := [pk for pk, at in stamps.items() if pk not in known or known[pk][0] != at]:
        read = Template.objects.filter(pk__in=changed).values_list("pk", "components", "template_id")
        for pk, components, template_id in read:
            known[pk] = stamps[pk], needs_of(components, categories[pk]) if template_id else None
        if len(_needs) + len(changed) > MAX_CACHED:
            _needs.clear()
        _needs.update(known)
    return {pk: known[pk][1] if pk in known else None for pk in stamps}
