"""Subscriptions and deliveries in the admin: create, enable, rotate, test, replay."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join

from messaging.access import shown_once
from messaging.models import Delivery, Subscription
from messaging.models.subscriptions import SUBSCRIBABLE
from messaging.subscriber_http.ssrf_guard import NotAllowed
from messaging.subscriptions.manage import (
    SwitchedOff,
    begin,
    change,
    check_endpoint,
    replay,
    replay_failed,
    rotate,
    send_test,
    unsubscribe,
)
from messaging.subscriptions.retention import KEPT
from waproject.web.badges import badge
from waproject.web.read_only_admin import BoundedPaginator, ReadOnlyAdmin
from waproject.web.themed_admin import CheckboxSelectMultiple, ModelAdmin

MOST_AT_ONCE = 1000


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A subscription's own fields."""

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
        except NotAllowed as error:
            raise ValidationError(str(error)) from None
        return url


@admin.register(Subscription)
class SubscriptionAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Who is told of what happens."""

    form = SubscriptionForm
    list_display = ["__str__", "url", "client", "active", "failing_since", "last_error", "disabled_at"]
    list_filter = ["active", ("disabled_at", admin.EmptyFieldListFilter)]
    list_select_related = ["client"]
    search_fields = ["description", "url", "client__name"]
    readonly_fields = [
        "last_error", "last_error_at", "failures", "failing_since", "paused_until", "disabled_at", "disabled_why",
        "previous_secret_until", "created_at",
    ]  # fmt: skip
    actions = ["switch_on", "rotate", "send_test", "replay_failed"]

    def buttons_of(self, obj: Subscription) -> set[str]:
        """Nothing goes to one that is switched off."""
        return {"rotate", "send_test", "replay_failed"} if obj.active else {"switch_on", "rotate"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """Without those that are deleted and not cleared away yet."""
        return super().get_queryset(request).filter(deleted_at=None)

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        """A new one gets a secret, which is shown to the one who made it."""
        if not change:
            begin(obj, str(request.user))
            return
        _change(obj, form, str(request.user))

    def response_add(
        self, request: HttpRequest, obj: Subscription, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The secret, once."""
        return _secrets(request, self, [obj])

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        """Its deliveries are cleared away by deliver."""
        unsubscribe(obj, str(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """Likewise."""
        for row in queryset:
            unsubscribe(row, str(request.user))

    @admin.action(description="Switch on (and forget the failures)", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """What was given up meanwhile is delivered when it is replayed."""
        rows = list(queryset.filter(active=False))
        for row in rows:
            change(row, str(request.user), active=True)
        self.message_user(request, f"{len(rows)} switched on.", messages.SUCCESS)

    @admin.action(description="New secret (shown once; the old one is valid for 24 hours)", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponse:
        """Show the new secret to the one who asked for it."""
        rows = list(queryset)
        for row in rows:
            rotate(row, str(request.user))
        return _secrets(request, self, rows)

    @admin.action(description="Send a test", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """What came of it is in the list of deliveries."""
        for row in queryset:
            try:
                send_test(row, str(request.user))
            except SwitchedOff as error:
                self.message_user(request, f"{row}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"A test is on its way to {row}: see its deliveries.", messages.SUCCESS)

    @admin.action(description="Replay all failed deliveries", permissions=["change"])
    def replay_failed(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        """As far back as they are kept."""
        since: datetime = timezone.now() - max(KEPT.values())
        for row in queryset:
            try:
                done = replay_failed(row, since, str(request.user))
            except SwitchedOff as error:
                self.message_user(request, f"{row}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{done} of {row} are delivered once more.", messages.SUCCESS)


def _secrets(request: HttpRequest, page: Any, rows: list[Subscription]) -> HttpResponse:
    return shown_once(request, page, "New secrets", {f"Secret of {row}": row.secret for row in rows})


def _change(obj: Subscription, form: Any, who: str) -> None:
    """The verb sees what was before: a form has changed its object already."""
    fields = {name: form.cleaned_data[name] for name in form.changed_data}
    if "active" in fields:
        obj.active = not obj.active
    change(obj, who, **fields)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The delivery log."""

    list_display = [
        "id",
        "subscription",
        "event",
        "state_mark",
        "attempts",
        "status_code",
        "duration_ms",
        "error",
        "due_at",
    ]
    list_filter = ["state", "event"]
    list_select_related = ["subscription"]
    search_fields = ["=id", "=subscription__id", "=message__id"]
    search_help_text = "The id of a delivery (its webhook-id), a subscription or a message, in full."
    fields = [
        "id", "subscription", "event", "message_id", "state", "attempts", "created_at", "due_at", "give_up_at",
        "finished_at", "error", "tries",
    ]  # fmt: skip
    paginator = BoundedPaginator
    actions = ["replay"]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whether the account may act on subscriptions."""
        return bool(request.user.has_perm("messaging.change_subscription"))

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Delivery) -> str:
        """With its colour."""
        return badge(row.state)

    @admin.display(description="Tries")
    def tries(self, row: Delivery) -> str:
        """Oldest first."""
        lines = [
            (line.get("at"), line.get("status_code") or "no answer", line.get("duration_ms"), line.get("error") or "")
            for line in row.log
        ]
        return format_html_join("", "<div>{}: {} after {} ms. {}</div>", lines) or "None yet."

    @admin.action(description="Replay (deliver once more)", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Under the same webhook-id."""
        done = 0
        for row in queryset.select_related("subscription")[:MOST_AT_ONCE]:
            try:
                done += replay(row, str(request.user))
            except SwitchedOff as error:
                self.message_user(request, f"{row}: {error}", messages.WARNING)
        self.message_user(request, f"{done} are delivered once more.", messages.SUCCESS if done else messages.WARNING)
