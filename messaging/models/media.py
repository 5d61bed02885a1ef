"""Media files of messages, from Meta to our storage."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from messaging.media_states import State, states
from messaging.models.messages import Message
from messaging.whatsapp.inbound.message_types import MEDIA_TYPES
from messaging.whatsapp.media import MAX_ID

NAME_LENGTH = 100


def kinds() -> list[tuple[str, str]]:
    """For a model field."""
    return [(kind, kind.capitalize()) for kind in MEDIA_TYPES]


class Media(models.Model):
    """The file of a message: inserted in its transaction, downloaded by `deliver`, deleted with the message."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="media")
    media_id = models.CharField(max_length=MAX_ID)
    kind = models.CharField(max_length=10, choices=kinds)
    mime_type = models.CharField(max_length=128, blank=True)
    filename = models.CharField(max_length=256, blank=True, help_text="As the sender called it; documents alone.")
    # From the webhook, base64 or hex; empty if the webhook has none.
    sha256 = models.CharField(max_length=128, blank=True)
    state = models.CharField(max_length=9, default=State.WAITING, choices=states)
    # The name in the storage "media"; empty until the file is stored.
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    size = models.BigIntegerField(null=True, help_text="In bytes.")
    digest = models.CharField(max_length=64, blank=True, help_text="The SHA-256 of what is stored.")
    # Files of the chat history come after files of new messages.
    rank = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    # Identifies the last claim; once it has passed, any process may claim the row.
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it began, or was asked for by hand.")
    error = models.CharField(max_length=300, blank=True, help_text="What came of the last try.")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "media"
        ordering = ["-message_id"]
        indexes = [
            models.Index(fields=["state", "message"], name="media_state", condition=~Q(state=State.STORED)),
            models.Index(fields=["rank", "due_at"], name="media_due", condition=Q(finished_at__isnull=True)),
            models.Index(
                fields=["finished_at"],
                name="media_lost",
                condition=Q(finished_at__isnull=False) & ~Q(state=State.STORED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.message_id}"
