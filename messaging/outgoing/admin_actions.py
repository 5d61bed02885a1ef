"""Admin actions on selected messages: cancel, mark failed, send again."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.models import Message
from messaging.outgoing.cancel_and_retry import NotPossible, cancel
from messaging.outgoing.redrive import mark_failed, send_again
from waproject.web.themed_admin import ModelAdmin

# More at once would outlast the patience of a browser and a proxy.
MOST_AT_ONCE = 1000


class InterventionActions(ModelAdmin):  # type: ignore[type-arg]
    """Needs the permission to change messages, which are otherwise read-only for everybody."""

    actions = ["cancel", "mark_failed", "send_again"]

    def has_intervene_permission(self, request: HttpRequest) -> bool:
        """Whether the account may act on messages."""
        return bool(request.user.has_perm("messaging.change_message"))

    @admin.action(description="Cancel (not sent yet)", permissions=["intervene"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """What waits will not be sent."""
        self._act(request, queryset, _cancel, "cancelled")

    @admin.action(description="Mark failed (answer lost)", permissions=["intervene"])
    def mark_failed(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """The operator's word that an unknown message was not sent; a status that comes later wins over it."""
        self._act(request, queryset, mark_failed, "marked failed")

    @admin.action(description="Send again (failed; answer lost: may arrive twice)", permissions=["intervene"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """The operator's decision that a double does less harm than a loss."""
        self._act(request, queryset, send_again, "will be sent again")

    def _act(
        self,
        request: HttpRequest,
        queryset: QuerySet[Message],
        act: Callable[[Sequence[UUID], str], Sequence[UUID]],
        done: str,
    ) -> None:
        """Act on the first thousand, and say for how many it was possible."""
        chosen = list(queryset.order_by("id").values_list("id", flat=True)[:MOST_AT_ONCE])
        count = len(act(chosen, str(request.user)))
        self.message_user(request, f"{count} {done}.", messages.SUCCESS if count else messages.WARNING)
        if count < len(chosen):
            self.message_user(request, f"{len(chosen) - count} skipped: wrong status.", messages.WARNING)
        if len(chosen) == MOST_AT_ONCE:
            self.message_user(request, f"These were the first {MOST_AT_ONCE}: repeat it for more.", messages.WARNING)


def _cancel(message_ids: Sequence[UUID], who: str) -> list[UUID]:
    cancelled = []
    for message in Message.objects.filter(pk__in=message_ids).order_by("id"):
        try:
            cancelled.append(cancel(message, who).pk)
        except NotPossible:  # a worker was faster
            continue
    return cancelled
