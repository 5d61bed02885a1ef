"""Marketing consent of contacts, and the templates that need it.

Sources of consent changes are the user's preference in WhatsApp, a keyword in a message, Meta's refusal 131050, and
operators. The change with the latest time (Meta's) wins, in whatever order changes arrive. Template categories come
from Meta's template webhooks and its pricing of messages, or are set in the admin.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from messaging.whatsapp.consent_words import START, STOP, keywords, readings
from messaging.whatsapp.inbound import InboundMessage, Origin, StatusUpdate

MARKETING_OPT_OUT_CODE = 131050
MARKETING = "marketing"


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A contact opts out of marketing or in again. `source`: preference, 131050, keyword or operator."""

    contact_id: int
    opts_out: bool
    at: datetime
    source: str


def consent_keyword(message: InboundMessage) -> tuple[bool, str] | None:
    """Whether a user's message opts out (True) or in, and the source; None if it is no keyword."""
    if message.origin is not Origin.USER or message.type not in {"text", "button", "interactive"}:
        return None
    said = readings(message.text or "")
    languages = settings.WA_CONSENT_LANGUAGES
    if said & keywords(STOP, languages, settings.WA_STOP_WORDS):
        return True, "keyword"
    if said & keywords(START, languages, settings.WA_START_WORDS):
        return False, "keyword"
    return None


def record_consent(changes: Iterable[ConsentChange]) -> None:
    """Record each contact's latest change; times in the future count as now. Rows are locked in id order."""
    latest: dict[int, ConsentChange] = {}
    now = timezone.now()
    capped = [replace(change, at=min(change.at, now)) for change in changes]
    for change in sorted(capped, key=lambda change: change.at):
        latest[change.contact_id] = change
    if not latest:
        return
    ordered = [latest[pk] for pk in sorted(latest)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH given AS (
              SELECT * FROM unnest(%s::bigint[], %s::bool[], %s::timestamptz[], %s::text[])
                AS t(id, opts_out, at, source)
            ), locked AS (
              SELECT c.id FROM messaging_contact c JOIN given USING (id) ORDER BY c.id FOR UPDATE OF c
            )
            UPDATE messaging_contact c SET opted_out_at = CASE WHEN given.opts_out THEN given.at END,
              consent_at = given.at, consent_source = given.source
            FROM given JOIN locked USING (id)
            -- A stored time in the future (from a user's wrong clock) must not outlast later changes.
            WHERE c.id = given.id AND (c.consent_at IS NULL OR c.consent_at <= given.at
              OR c.consent_at > statement_timestamp())
            """,
            [
                [change.contact_id for change in ordered],
                [change.opts_out for change in ordered],
                [change.at for change in ordered],
                [change.source for change in ordered],
            ],
        )


def record_billed_templates(matched: Sequence[tuple[StatusUpdate, UUID]]) -> None:
    """Record the templates that Meta prices as marketing."""
    billed = sorted({pk for update, pk in matched if _category(update).startswith(MARKETING)})
    if not billed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_templatecategory (waba_id, name, category, updated_at)
            SELECT DISTINCT n.waba_id, m.template, 'marketing', statement_timestamp()
            FROM messaging_message m JOIN messaging_businessnumber n ON n.id = m.number_id
            WHERE m.id = ANY(%s) AND m.template <> '' ORDER BY 1, 2
            ON CONFLICT (name, waba_id) DO NOTHING
            """,
            [billed],
        )


def _category(update: StatusUpdate) -> str:
    return (update.pricing and update.pricing.category) or ""


_RECORD_CATEGORY = """
INSERT INTO messaging_templatecategory AS c (waba_id, name, category, at, updated_at)
VALUES (%(waba_id)s, %(name)s, %(category)s, %(at)s, statement_timestamp())
ON CONFLICT (name, waba_id) DO UPDATE
  SET category = excluded.category, at = greatest(c.at, excluded.at), updated_at = excluded.updated_at
WHERE %(is_current)s OR c.at IS NULL OR c.at <= excluded.at
"""


def record_template_category(waba_id: str, name: str, category: str, at: datetime, *, is_current: bool) -> None:
    """Record the category that a template webhook of Meta gives, unless a newer one has given another.

    `at`: Meta's time of the event. `is_current`: the category is what the stored templates have now.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD_CATEGORY,
            {
                "waba_id": waba_id,
                "name": name,
                "category": category.lower()[:40],
                "at": at,
                "is_current": is_current,
            },
        )
