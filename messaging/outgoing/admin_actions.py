"""Admin actions on selected messages: cancel, mark failed, send again."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.models import Message
from messaging.outgoing.cancel_and_retry import NotPossible, cancel
from messaging.outgoing.redrive import mark_failed, send_again
from waproject.web.admin.themed_admin import ModelAdmin

# More would exceed the timeouts of browsers and proxies.
MAX_MESSAGES = 1000


class InterventionActions(ModelAdmin):  # type: ignore[type-arg]
    """Admin actions for accounts that may change messages; messages are read-only otherwise."""

    actions = ["cancel", "mark_failed", "send_again"]

    def has_intervene_permission(self, request: HttpRequest) -> bool:
        """Whether the account may change messages."""
        return bool(request.user.has_perm("messaging.change_message"))

    @admin.action(description="Cancel (not sent yet)", permissions=["intervene"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Cancel messages that are not sent yet."""
        self._act(request, queryset, _cancel, "cancelled")

    @admin.action(description="Mark failed (answer lost)", permissions=["intervene"])
    def mark_failed(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Decide that messages with an unknown outcome were not sent; a later status overrides this."""
        self._act(request, queryset, mark_failed, "marked failed")

    @admin.action(description="Send again (may arrive twice if its answer was lost)", permissions=["intervene"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Send messages again, at the risk of a duplicate."""
        self._act(request, queryset, send_again, "will be sent again")

    def _act(
        self,
        request: HttpRequest,
        queryset: QuerySet[Message],
        act: Callable[[Sequence[UUID], str], Sequence[UUID]],
        done: str,
    ) -> None:
        """Act on the first thousand messages and report for how many the action was possible."""
        chosen = list(queryset.order_by("id").values_list("id", flat=True)[:MAX_MESSAGES])
        count = len(act(chosen, str(request.user)))
        self.message_user(request, f"{count} {done}.", messages.SUCCESS if count else messages.WARNING)
        if count < len(chosen):
            self.message_user(
                request, f"{len(chosen) - count} skipped: their status does not allow it.", messages.WARNING
            )
        if len(chosen) == MAX_MESSAGES:
            self.message_user(
                request, f"These were the first {MAX_MESSAGES}: repeat the action for more.", messages.WARNING
            )


def _cancel(message_ids: Sequence[UUID], who: str) -> list[UUID]:
    cancelled = []
    for message in Message.objects.filter(pk__in=message_ids).order_by("id"):
        try:
            cancelled.append(cancel(message, who).pk)
        except NotPossible:  # a worker has claimed it meanwhile
            continue
    return cancelled
