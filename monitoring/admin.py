"""Alerts and silences in the admin. The audit log has each action."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from messaging.access import record_action
from monitoring.alerts.rules import BY_NAME, RULES
from monitoring.alerts.store import acknowledge
from monitoring.dead_letters import admin as dead_letters_admin  # noqa: F401 - registers
from monitoring.models import Alert, Silence
from waproject.web.admin.badges import badge
from waproject.web.admin.read_only_admin import ReadOnlyAdmin
from waproject.web.admin.themed_admin import ModelAdmin, Select


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alerts: what fired, when it ended, and who acknowledged it."""

    list_display = ["rule", "key", "severity_mark", "summary", "fired_at", "resolved_at", "acknowledged_by", "page"]
    list_filter = [("resolved_at", admin.EmptyFieldListFilter), "severity", "rule"]
    search_fields = ["=rule", "=key"]
    actions = ["acknowledge", "silence_hour", "silence_day"]

    def buttons_of(self, obj: Alert) -> set[str]:
        """Resolved and acknowledged alerts have no button to acknowledge."""
        is_open = obj.resolved_at is None and obj.acknowledged_at is None
        return {"acknowledge", "silence_hour", "silence_day"} if is_open else {"silence_hour", "silence_day"}

    @admin.display(description="severity", ordering="severity")
    def severity_mark(self, alert: Alert) -> str:
        """The severity, with its colour."""
        return badge(alert.severity)

    @admin.display(description="page")
    def page(self, alert: Alert) -> str:
        """A link to the page on which to act."""
        rule = BY_NAME.get(alert.rule)
        return format_html('<a href="{}">Open</a>', rule.link(alert.key)) if rule else ""

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the account may acknowledge and silence."""
        return bool(request.user.has_perm("monitoring.change_alert"))

    @admin.action(description="Acknowledge: I am working on it", permissions=["decide"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Record the account as working on these alerts; the dashboard shows it."""
        who = str(request.user)
        with transaction.atomic():
            for alert in queryset.filter(resolved_at=None, acknowledged_at=None).order_by("pk").select_for_update():
                record_action(who, "acknowledge", f"alert {alert.pk}", rule=alert.rule, key=alert.key)
            count = acknowledge(queryset, who)
        self.message_user(request, f"{count} acknowledged.", messages.SUCCESS)

    @admin.action(description="Silence for an hour", permissions=["decide"])
    def silence_hour(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Send no notices of these alerts for an hour."""
        self._silence(request, queryset, timedelta(hours=1))

    @admin.action(description="Silence for a day", permissions=["decide"])
    def silence_day(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Send no notices of these alerts for a day."""
        self._silence(request, queryset, timedelta(days=1))

    def _silence(self, request: HttpRequest, alerts: QuerySet[Alert], span: timedelta) -> None:
        targets = {(alert.rule, alert.key) for alert in alerts}
        until = timezone.now() + span
        with transaction.atomic():
            for rule, key in sorted(targets):
                silence = Silence.objects.create(
                    rule=rule, key=key, until=until, by=str(request.user), reason="from the list of alerts"
                )
                record_action(silence.by, "silence", f"rule {rule}", key=key, until=silence.until.isoformat())
        self.message_user(request, f"{len(targets)} silenced.", messages.SUCCESS)


class SilenceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new silence of an existing rule."""

    rule = forms.ChoiceField(choices=[(rule.name, rule.name) for rule in RULES], widget=Select)

    def clean_until(self) -> Any:
        """Refuse an end in the past."""
        until = self.cleaned_data["until"]
        if until <= timezone.now():
            raise forms.ValidationError("This time is in the past.")
        return until


@admin.register(Silence)
class SilenceAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Silences: created for a planned outage, ended by deletion."""

    list_display = ["rule", "key", "until", "by", "reason"]
    list_filter = ["rule"]
    form = SilenceForm
    fields = ["rule", "key", "until", "reason"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A silence is deleted or created again, not changed."""
        return False

    def save_model(self, request: HttpRequest, obj: Silence, form: Any, change: bool) -> None:
        """Save the silence with the account that made it, in the audit log too."""
        obj.by = str(request.user)
        super().save_model(request, obj, form, change)
        record_action(obj.by, "silence", f"rule {obj.rule}", key=obj.key, until=obj.until.isoformat())

    def delete_model(self, request: HttpRequest, obj: Silence) -> None:
        """Delete the silence and note the account in the audit log."""
        with transaction.atomic():
            record_action(str(request.user), "end silence", f"rule {obj.rule}", key=obj.key)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Silence]) -> None:
        """The same for several silences."""
        for silence in queryset:
            self.delete_model(request, silence)
