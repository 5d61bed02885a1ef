"""Evidence of the incoming lane: whether a missing status may still arrive.

Marks are kept in the database, so that each dispatcher and each web process adds to the same knowledge:

    refused        a webhook was answered with an error, for Meta to repeat: its time
    dead_lettered  the dead-letter queue was seen to grow: when, and how many it held
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from messaging.models import IncomingMark

REFUSED = "refused"
DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True, slots=True)
class IncomingEvidence:
    """When the incoming queue was last seen to hold nothing (neither waiting, nor being worked on, nor hidden until a
    retry), and the marks. `empty_at` is None where it was not seen empty yet.
    """

    empty_at: datetime | None
    refused_at: datetime | None
    dead_lettered_at: datetime | None

    def lost_since(self, moment: datetime) -> bool:
        """Whether a status may have got lost: that will not change by waiting."""
        return any(at is not None and at >= moment for at in (self.refused_at, self.dead_lettered_at))

    def vouches_for(self, moment: datetime, until: datetime) -> bool:
        """Whether everything is stored that Meta sent from `moment` to `until`."""
        return self.empty_at is not None and self.empty_at >= until and not self.lost_since(moment)


def note_refusal() -> None:
    """A webhook was answered with an error. Raises django.db errors while the database is away: try again later."""
    IncomingMark.objects.update_or_create(kind=REFUSED, defaults={"at": timezone.now()})


def evidence(empty_at: datetime | None, dead_letters: int) -> IncomingEvidence:
    """What is known now, given what was seen of the queues. Notes a dead-letter queue that grew."""
    _note_dead_letters(dead_letters)
    marks = dict(IncomingMark.objects.values_list("kind", "at"))
    return IncomingEvidence(empty_at, marks.get(REFUSED), marks.get(DEAD_LETTERED))


def _note_dead_letters(count: int) -> None:
    # The first look has nothing to compare with: what is there then may have come just now.
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
