"""Marketing consent of contacts, and the templates that need it.

The last word by Meta's time wins, whatever order the words come in: the user's preference in WhatsApp, a keyword in a
message, Meta's refusal 131050, an operator. Which templates are marketing is learned from Meta's template webhooks and
bills, or set in the admin.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from messaging.models import TemplateCategory
from messaging.whatsapp.consent_words import START, STOP, keywords, readings
from messaging.whatsapp.inbound import InboundMessage, Origin, StatusUpdate

STOPPED_MARKETING = 131050
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


def record_consent(given: Iterable[ConsentChange]) -> None:
    """Record each contact's latest change. Rows are locked in id order."""
    last: dict[int, ConsentChange] = {}
    for change in sorted(given, key=lambda change: change.at):
        last[change.contact_id] = change
    if not last:
        return
    ordered = [last[pk] for pk in sorted(last)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH said AS (
              SELECT * FROM unnest(%s::bigint[], %s::bool[], %s::timestamptz[], %s::text[]) AS t(id, stop, at, source)
            ), locked AS (
              SELECT c.id FROM messaging_contact c JOIN said USING (id) ORDER BY c.id FOR UPDATE OF c
            )
            UPDATE messaging_contact c SET opted_out_at = CASE WHEN said.stop THEN said.at END,
              consent_at = said.at, consent_source = said.source
            FROM said JOIN locked USING (id)
            WHERE c.id = said.id AND (c.consent_at IS NULL OR c.consent_at <= said.at)
            """,
            [
                [change.contact_id for change in ordered],
                [change.opts_out for change in ordered],
                [change.at for change in ordered],
                [change.source for change in ordered],
            ],
        )


def learn_from_statuses(matched: Sequence[tuple[StatusUpdate, UUID]]) -> None:
    """Record templates that Meta bills as marketing."""
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


def learn_category(waba_id: str, name: str, category: str) -> None:
    """Record the category that a template webhook of Meta gives."""
    TemplateCategory.objects.update_or_create(
        name=name, waba_id=waba_id, defaults={"category": category.lower()[:40], "updated_at": timezone.now()}
    )
