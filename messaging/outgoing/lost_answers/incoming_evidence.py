"""Evidence of the incoming lane: whether a missing status may still arrive.

The database keeps marks, shared by all dispatchers and web processes:

    refused        when a webhook was last answered with an error, for Meta to repeat it, or a web process began
    dead_lettered  when the dead-letter queue last grew, and how many messages it held
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from messaging.models import IncomingMark

REFUSED = "refused"
DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True, slots=True)
class IncomingEvidence:
    """The marks, and the last time at which the incoming queue was empty: no message waiting, in flight or delayed.

    `empty_at` is None if it has not been observed empty yet.
    """

    empty_at: datetime | None
    refused_at: datetime | None
    dead_lettered_at: datetime | None

    def may_have_lost_since(self, moment: datetime) -> bool:
        """Whether a status may have been lost since `moment`: then waiting does not help."""
        return any(at is not None and at >= moment for at in (self.refused_at, self.dead_lettered_at))

    def has_everything_between(self, moment: datetime, until: datetime) -> bool:
        """Whether all webhooks that Meta sent from `moment` to `until` are stored."""
        return self.empty_at is not None and self.empty_at >= until and not self.may_have_lost_since(moment)


def record_rejected_webhook(at: datetime) -> None:
    """Note that a webhook was answered with an error at this time; a later mark of another process stays.

    Raises django.db errors while the database is unavailable.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_incomingmark AS k (kind, at, value) VALUES (%s, %s, 0)
            ON CONFLICT (kind) DO UPDATE SET at = GREATEST(k.at, excluded.at)
            """,
            [REFUSED, at],
        )


def evidence(empty_at: datetime | None, dead_letters: int) -> IncomingEvidence:
    """The evidence now, given an observation of the queues. Stores a mark if the dead-letter queue has grown."""
    _note_dead_letters(dead_letters)
    marks = dict(IncomingMark.objects.values_list("kind", "at"))
    return IncomingEvidence(empty_at, marks.get(REFUSED), marks.get(DEAD_LETTERED))


def _note_dead_letters(count: int) -> None:
    # The first observation has no predecessor: its dead letters may have arrived just now.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_incomingmark AS k (kind, at, value)
            VALUES (%(kind)s, CASE WHEN %(count)s > 0 THEN statement_timestamp() END, %(count)s)
            ON CONFLICT (kind) DO UPDATE SET value = excluded.value,
              at = CASE WHEN excluded.value > k.value THEN statement_timestamp() ELSE k.at END
            WHERE k.value <> excluded.value
            """,
            {"kind": DEAD_LETTERED, "count": count},
        )
