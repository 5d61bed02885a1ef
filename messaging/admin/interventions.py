"""What an operator may do to the messages that are ticked in the list."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.models import Message
from messaging.services import NotPossible, cancel, retry

# More at once would outlast the patience of a browser and a proxy.
MOST_AT_ONCE = 1000


class InterventionActions(admin.ModelAdmin):  # type: ignore[type-arg]
    """Needs the permission to change messages, which are otherwise read-only for everybody."""

    actions = ["cancel", "retry"]

    def has_intervene_permission(self, request: HttpRequest) -> bool:
        """Whether the account may act on messages."""
        return bool(request.user.has_perm("messaging.change_message"))

    @admin.action(description="Cancel (not sent yet)", permissions=["intervene"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """What waits will not be sent."""
        self._each(request, queryset, cancel, "cancelled")

    @admin.action(description="Retry (failed)", permissions=["intervene"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """What failed is sent again, with fresh attempts."""
        self._each(request, queryset, retry, "will be sent again")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Message], act: Callable[[Message, str], object], done: str
    ) -> None:
        count, refusals = 0, list[str]()
        for message in queryset.order_by("id")[:MOST_AT_ONCE]:
            try:
                act(message, str(request.user))
                count += 1
            except NotPossible as refusal:
                refusals.append(str(refusal))
        if count:
            self.message_user(request, f"{count} {done}.", messages.SUCCESS)
        for words in sorted(set(refusals)):
            self.message_user(request, f"{refusals.count(words)}: {words}", messages.WARNING)
        if count + len(refusals) == MOST_AT_ONCE:
            self.message_user(request, f"These were the first {MOST_AT_ONCE}: repeat it for more.", messages.WARNING)
