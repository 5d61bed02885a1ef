"""Messages as chat bubbles: ticks, quotes, reactions, edits, and errors in words."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from messaging.media.admin import media_of, shown
from messaging.messages import Words, preview, waiting_reason, words_of
from messaging.models import AuditEntry, Direction, Message
from messaging.models.messages import ABOUT
from messaging.states import Status
from messaging.whatsapp.codes import describe

# The sign, and what it means; colour only helps.
TICKS = {
    Status.PENDING: ("◷", "waiting"),
    Status.QUEUED: ("◷", "on its way"),
    Status.SENDING: ("◷", "being sent"),
    Status.UNKNOWN: ("?", "answer lost"),
    Status.ACCEPTED: ("✓", "taken by WhatsApp"),
    Status.SENT: ("✓", "sent"),
    Status.DELIVERED: ("✓✓", "delivered"),
    Status.READ: ("✓✓", "read"),
    Status.FAILED: ("!", "failed"),
    Status.CANCELLED: ("✕", "cancelled"),
    Status.EXPIRED: ("✕", "expired"),
}


@dataclass(slots=True)
class Bubble:
    """One message. `day` is set on the first one of a day."""

    message: Message
    words: Words
    day: date | None = None
    quoted: str = ""
    reactions: list[str] = field(default_factory=list)
    edited: str = ""
    deleted: bool = False
    by: str = ""

    @property
    def kind(self) -> str:
        """How it is drawn."""
        if self.message.type == "system" or self.message.type in ABOUT:
            return "line"
        return "mine" if self.message.direction == Direction.OUTBOUND else "theirs"

    @property
    def tick(self) -> tuple[str, str]:
        """The sign and its meaning, of what we sent."""
        return TICKS.get(Status(self.message.status), ("", ""))

    @property
    def media(self) -> str:
        """Its file, or why there is none; empty where it has no file."""
        held = media_of(self.message)
        return shown(held) if held else ""

    @property
    def error(self) -> str:
        """In words, while the message is not through."""
        if self.message.error_code is None and not self.message.error_title:
            return ""
        said = self.message.error_title
        if self.message.error_code is None:
            return said
        meaning = describe(self.message.error_code)
        return f"{meaning[:1].upper()}{meaning[1:]} ({self.message.error_code}{': ' + said if said else ''})"

    @property
    def waits_for(self) -> str:
        """Why it has not gone yet."""
        return waiting_reason(self.message)

    @property
    def line(self) -> str:
        """The words of a line."""
        return preview(self.message)


def bubbles_of(messages: Sequence[Message]) -> list[Bubble]:
    """Of messages in their order. What only decorates another message is shown there, where we have that one."""
    targets = _by_wamid({message.context_wamid for message in messages} - {""}, messages)
    shown = [message for message in messages if not (message.type in ABOUT and message.context_wamid in targets)]
    bubbles = [Bubble(message, words_of(message)) for message in shown]
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
        if (its := timezone.localtime(message.at).date()) != day:
            day = bubble.day = its
    return bubbles


def digest_of_bubbles(bubbles: Sequence[Bubble], *more: object) -> str:
    """Another one when what is shown has changed."""
    state = [
        (str(row.id), row.status, str(row.updated_at), row.hold, one.reactions, one.edited, one.deleted, one.media)
        for one in bubbles
        for row in [one.message]
    ]
    return hashlib.sha256(repr((state, more)).encode()).hexdigest()[:16]


def _by_wamid(wamids: set[str], at_hand: Sequence[Message]) -> dict[str, Message]:
    found: dict[str | None, Message] = {message.wamid: message for message in at_hand if message.wamid in wamids}
    missing = wamids - found.keys()
    if missing:
        found.update((row.wamid, row) for row in Message.objects.filter(wamid__in=missing).defer("raw"))
    return {wamid: message for wamid, message in found.items() if wamid}


def _decorate(bubbles: Sequence[Bubble]) -> None:
    """Reactions, edits and revokes, in the order of their time: the last one counts."""
    by_wamid = {bubble.message.wamid: bubble for bubble in bubbles if bubble.message.wamid}
    about = Message.objects.filter(context_wamid__in=list(by_wamid), type__in=ABOUT).defer("raw").order_by("at", "id")
    reactions: dict[tuple[str, str], str] = {}
    for change in about:
        bubble = by_wamid[change.context_wamid]
        if change.type == "reaction":
            reactions[change.context_wamid, change.direction] = change.text
        elif change.type == "edit":
            bubble.edited = bubble.edited or bubble.words.text or "(no words)"
            bubble.words = Words(change.text, bubble.words.label, bubble.words.lines)
        else:
            bubble.deleted = True
    for (wamid, _), emoji in reactions.items():
        if emoji:
            by_wamid[wamid].reactions.append(emoji)
