"""Subscriptions and deliveries in the admin: create, enable, rotate, test, replay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join

from messaging.access import show_secrets
from messaging.models import Delivery, Subscription
from messaging.models.subscriptions import SUBSCRIBABLE
from messaging.subscriber_http.ssrf_guard import AddressNotAllowed
from messaging.subscriptions.changes import (
    ContentDeleted,
    SubscriptionInactive,
    change,
    check_endpoint,
    create,
    replay,
    replay_failed,
    rotate,
    send_test,
    unsubscribe,
)
from messaging.subscriptions.retention import RETENTION
from waproject.web.admin.badges import badge
from waproject.web.admin.read_only_admin import BoundedPaginator, ReadOnlyAdmin
from waproject.web.admin.themed_admin import CheckboxSelectMultiple, ModelAdmin

MAX_REPLAYS = 1000


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The fields of a subscription that staff may set."""

    events = forms.MultipleChoiceField(
        choices=[(kind.value, kind.value) for kind in SUBSCRIBABLE], widget=CheckboxSelectMultiple
    )

    class Meta:
        model = Subscription
        fields = ["url", "description", "events", "number", "client", "active"]

    def clean_url(self) -> str:
        """Refuse an address that deliveries can never reach."""
        url = str(self.cleaned_data["url"])
        try:
            check_endpoint(url)
        except AddressNotAllowed as error:
            raise ValidationError(str(error)) from None
        return url


@admin.register(Subscription)
class SubscriptionAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Subscriptions: endpoints that receive events."""

    form = SubscriptionForm
    list_display = ["__str__", "url", "client", "active", "failing_since", "last_error", "disabled_at"]
    list_filter = ["active", ("disabled_at", admin.EmptyFieldListFilter)]
    list_select_related = ["client"]
    search_fields = ["description", "url", "client__name"]
    readonly_fields = [
        "last_error", "last_error_at", "failures", "failing_since", "paused_until", "disabled_at", "disabled_why",
        "previous_secret_until", "created_at",
    ]  # fmt: skip
    actions = ["enable", "rotate", "send_test", "replay_failed"]

    def buttons_of(self, obj: Subscription) -> set[str]:
        """The actions that apply: an inactive subscription gets no deliveries."""
        return {"rotate", "send_test", "replay_failed"} if obj.active else {"enable", "rotate"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """Hide deleted subscriptions that still have deliveries."""
        return super().get_queryset(request).filter(deleted_at=None)

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        """Create the subscription with a secret, or apply the changed fields."""
        if not change:
            create(obj, str(request.user))
            return
        _change(obj, form, str(request.user))

    def response_add(
        self, request: HttpRequest, obj: Subscription, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret once."""
        return _secrets(request, self, [obj])

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        """Delete the subscription; `deliver` deletes its deliveries."""
        unsubscribe(obj, str(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """Delete each of them as above."""
        for row in queryset:
            unsubscribe(row, str(request.user))

    @admin.action(description="Enable (and reset the failures)", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """Deliveries that failed in the meantime can be replayed."""
        rows = list(queryset.filter(active=False))
        for row in rows:
            change(row, str(request.user), active=True)
        self.message_user(request, f"{len(rows)} enabled.", messages.SUCCESS)

    @admin.action(description="New secret (shown once; the old one is valid for 24 hours)", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponse:
        """Rotate the secrets and show the new ones once."""
        rows = list(queryset)
        for row in rows:
            rotate(row, str(request.user))
        return _secrets(request, self, rows)

    @admin.action(description="Send a test", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """Send a test event; the result is in the list of deliveries."""
        for row in queryset:
            try:
                send_test(row, str(request.user))
            except SubscriptionInactive as error:
                self.message_user(request, f"{row}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"A test event is queued for {row}: see its deliveries.", messages.SUCCESS)

    @admin.action(description="Replay all failed deliveries", permissions=["change"])
    def replay_failed(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """Replay all failed deliveries that are still stored."""
        since: datetime = timezone.now() - max(RETENTION.values())
        for row in queryset:
            try:
                done = replay_failed(row, since, str(request.user))
            except SubscriptionInactive as error:
                self.message_user(request, f"{row}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{done} deliveries of {row} are queued again.", messages.SUCCESS)


def _secrets(request: HttpRequest, page: Any, rows: list[Subscription]) -> HttpResponse:
    return show_secrets(request, page, "New secrets", {f"Secret of {row}": row.secret for row in rows})


def _change(obj: Subscription, form: Any, who: str) -> None:
    """Apply the changed fields."""
    change(obj, who, **{name: form.cleaned_data[name] for name in form.changed_data})


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The delivery log."""

    list_display = ["created_at", "subscription", "event", "state_badge", "attempts", "status_code", "error", "due_at"]
    list_filter = ["state", "event"]
    list_select_related = ["subscription"]
    search_fields = ["id"]
    search_help_text = "The id of a delivery (its webhook-id), a subscription or a message, in full."
    fields = [
        "id", "subscription", "event", "message_id", "state", "attempts", "created_at", "due_at", "give_up_at",
        "finished_at", "error", "attempt_log",
    ]  # fmt: skip
    paginator = BoundedPaginator
    actions = ["replay"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Search by whole ids: the delivery's and the subscription's by their indexes, then the message's."""
        if not search_term:
            return queryset, False
        try:
            sought = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        found = queryset.filter(Q(pk=sought) | Q(subscription=sought))
        return (found if found.exists() else queryset.filter(message=sought)), False

    def buttons_of(self, obj: Delivery) -> set[str]:
        """A finished delivery is replayed, unless its subscription gets none."""
        return {"replay"} if obj.finished_at and obj.subscription.active else set()

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whether the account may change subscriptions."""
        return bool(request.user.has_perm("messaging.change_subscription"))

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: Delivery) -> str:
        """The state with its colour."""
        return badge(row.state)

    @admin.display(description="Attempts")
    def attempt_log(self, row: Delivery) -> str:
        """The attempts, oldest first."""
        lines = [
            (line.get("at"), line.get("status_code") or "no answer", line.get("duration_ms"), line.get("error") or "")
            for line in row.log
        ]
        return format_html_join("", "<div>{}: {} after {} ms. {}</div>", lines) or "None yet."

    @admin.action(description="Replay (deliver again)", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Deliver again, under the same webhook-id."""
        done = 0
        for row in queryset.select_related("subscription")[:MAX_REPLAYS]:
            try:
                done += replay(row, str(request.user))
            except (SubscriptionInactive, ContentDeleted) as error:
                self.message_user(request, f"{row}: {error}", messages.WARNING)
        self.message_user(
            request, f"{done} deliveries are queued again.", messages.SUCCESS if done else messages.WARNING
        )
