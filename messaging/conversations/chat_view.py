"""Messages as chat bubbles: ticks, quotes, reactions, edits, and errors in words."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from messaging.media.admin import file_html, media_of
from messaging.messages import Summary, preview, summarize, waiting_reason
from messaging.models import AuditEntry, Direction, Message
from messaging.models.messages import ANNOTATION_TYPES
from messaging.states import Status
from messaging.whatsapp.error_codes import describe

# The sign of a status and its meaning; colour is additional.
TICKS = {
    Status.PENDING: ("◷", "waiting"),
    Status.QUEUED: ("◷", "queued"),
    Status.SENDING: ("◷", "being sent"),
    Status.UNKNOWN: ("?", "answer lost"),
    Status.ACCEPTED: ("✓", "accepted by WhatsApp"),
    Status.SENT: ("✓", "sent"),
    Status.DELIVERED: ("✓✓", "delivered"),
    Status.READ: ("✓✓", "read"),
    Status.FAILED: ("!", "failed"),
    Status.CANCELLED: ("✕", "cancelled"),
    Status.EXPIRED: ("✕", "expired"),
}


@dataclass(slots=True)
class Bubble:
    """One message in the chat. `day` is set on the first message of a day; `by`: the account that sent it."""

    message: Message
    summary: Summary
    day: date | None = None
    quoted: str = ""
    reactions: list[str] = field(default_factory=list)
    edited: str = ""
    deleted: bool = False
    by: str = ""

    @property
    def kind(self) -> str:
        """The CSS class: a system line, our message or theirs."""
        if self.message.type == "system" or self.message.type in ANNOTATION_TYPES:
            return "line"
        return "mine" if self.message.direction == Direction.OUTBOUND else "theirs"

    @property
    def tick(self) -> tuple[str, str]:
        """The sign and its meaning, for outbound messages."""
        return TICKS.get(Status(self.message.status), ("", ""))

    @property
    def media(self) -> str:
        """The file as HTML, or why it is missing; empty if the message has none."""
        held = media_of(self.message)
        return file_html(held) if held else ""

    @property
    def error(self) -> str:
        """The error as text."""
        if self.message.error_code is None and not self.message.error_title:
            return ""
        said = self.message.error_title
        if self.message.error_code is None:
            return said
        meaning = describe(self.message.error_code)
        return f"{meaning[:1].upper()}{meaning[1:]} ({self.message.error_code}{': ' + said if said else ''})"

    @property
    def waits_for(self) -> str:
        """The reason why the message still waits."""
        return waiting_reason(self.message)

    @property
    def line(self) -> str:
        """The text of a system line."""
        return preview(self.message)


def bubbles_of(messages: Sequence[Message]) -> list[Bubble]:
    """The bubbles of messages, in order. Reactions, edits and revokes are shown on their target, if we have it."""
    targets = _by_wamid({message.context_wamid for message in messages} - {""}, messages)
    shown = [
        message for message in messages if not (message.type in ANNOTATION_TYPES and message.context_wamid in targets)
    ]
    bubbles = [Bubble(message, summarize(message)) for message in shown]
    _decorate(bubbles)
    replied = dict(
        AuditEntry.objects.filter(
            object__in=[f"message {message.id}" for message in shown if message.direction == Direction.OUTBOUND],
            action="reply",
        ).values_list("object", "who")
    )
    day = None
    for bubble in bubbles:
        message = bubble.message
        if message.context_wamid and (quoted := targets.get(message.context_wamid)):
            bubble.quoted = preview(quoted)
        bubble.by = replied.get(f"message {message.id}", "")
        if (message_day := timezone.localtime(message.at).date()) != day:
            day = bubble.day = message_day
    return bubbles


def digest_of_bubbles(bubbles: Sequence[Bubble], *more: object) -> str:
    """A hash that changes when the shown content changes."""
    state = [
        (str(row.id), row.status, str(row.updated_at), row.hold, one.reactions, one.edited, one.deleted, one.media)
        for one in bubbles
        for row in [one.message]
    ]
    return hashlib.sha256(repr((state, more)).encode()).hexdigest()[:16]


def _by_wamid(wamids: set[str], loaded: Sequence[Message]) -> dict[str, Message]:
    found: dict[str | None, Message] = {message.wamid: message for message in loaded if message.wamid in wamids}
    missing = wamids - found.keys()
    if missing:
        found.update((row.wamid, row) for row in Message.objects.filter(wamid__in=missing).defer("raw"))
    return {wamid: message for wamid, message in found.items() if wamid}


def _decorate(bubbles: Sequence[Bubble]) -> None:
    """Apply reactions, edits and revokes in order of time: the last one counts."""
    by_wamid = {bubble.message.wamid: bubble for bubble in bubbles if bubble.message.wamid}
    about = (
        Message.objects.filter(context_wamid__in=list(by_wamid), type__in=ANNOTATION_TYPES)
        .defer("raw")
        .order_by("at", "id")
    )
    reactions: dict[tuple[str, str], str] = {}
    for change in about:
        bubble = by_wamid[change.context_wamid]
        if change.type == "reaction":
            reactions[change.context_wamid, change.direction] = change.text
        elif change.type == "edit":
            bubble.edited = bubble.edited or bubble.summary.text or "(no text)"
            bubble.summary = Summary(change.text, bubble.summary.label, bubble.summary.lines)
        else:
            bubble.deleted = True
    for (wamid, _), emoji in reactions.items():
        if emoji:
            by_wamid[wamid].reactions.append(emoji)
