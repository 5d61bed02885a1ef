"""Templates in the admin: what Meta has, shown as the phone shows it."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.models import Template
from messaging.template_management.preview import preview_of
from messaging.template_management.template_holds import holds_of, is_held
from messaging.whatsapp.template_form import Parameter, parameters_of
from waproject.web.admin.badges import badge
from waproject.web.admin.read_only_admin import ReadOnlyAdmin
from waproject.web.analytics_links import analytics_link, may_see_analytics

# The tone of Meta's statuses and qualities, as that of a message's status.
TONES = {
    **dict.fromkeys(("APPROVED", "GREEN"), "delivered"),
    **dict.fromkeys(("PENDING", "IN_APPEAL", "PAUSED", "FLAGGED", "YELLOW"), "waiting"),
    **dict.fromkeys(("REJECTED", "DISABLED", "LOCKED", "RED"), "failed"),
}


def toned(value: str) -> SafeString:
    """A badge in the tone of one of Meta's words."""
    return badge(TONES.get(value, ""), value) if value else SafeString("")


class HeldFilter(admin.SimpleListFilter):
    """Whether a hold stops the messages of a template."""

    title = parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Yes or no."""
        return [("yes", "Held"), ("no", "Not held")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> QuerySet[Template]:
        """The templates that an active hold covers, or the others."""
        condition = {"yes": is_held(), "no": ~is_held()}.get(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)


class RemovedFilter(admin.SimpleListFilter):
    """Whether Meta still has a template."""

    title, parameter_name = "at Meta", "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The choices other than the default."""
        return [("yes", "Deleted"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Name the default."""
        first, *others = super().choices(changelist)
        return [{**first, "display": "Those that Meta has"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> QuerySet[Template]:
        """Those that Meta has, unless asked for others."""
        if self.value() == "all":
            return queryset
        return queryset.filter(removed_at__isnull=self.value() != "yes")


@admin.register(Template)
class TemplateAdmin(ReadOnlyAdmin):
    """Meta's templates: search, status, preview."""

    list_display = ["name", "language", "state", "category", "quality_mark", "held", "account", "updated_at"]
    list_filter = ["status", "category", "quality", HeldFilter, RemovedFilter, "language", "account"]
    list_select_related = ["account"]
    list_per_page = 50
    search_fields = ["name", "=template_id"]
    search_help_text = "A part of the name, or Meta's id in full."
    ordering = ["name", "language", "id"]
    sortable_by = ["name", "updated_at"]
    change_form_outer_before_template = "admin/messaging/template/head.html"
    fieldsets = [
        (None, {"fields": ["name", "language", "account", "template_id", "category", "quality_mark"]}),
        ("What a send gives", {"fields": ["parameters", "parameter_format"]}),
        ("When", {"fields": ["status_at", "updated_at", "removed_at"]}),
        ("As Meta has it", {"classes": ["collapse"], "fields": ["components"]}),
    ]
    readonly_fields = ["quality_mark", "parameters"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """Without the components in the list: they may have 20 kB."""
        rows: QuerySet[Template] = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return rows.defer("components").annotate(is_held=is_held()) if is_list else rows

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> HttpResponse:
        """Add the status, the holds, the links and the preview for the head of the page."""
        template = options.get("obj")
        if template is not None:
            context["head"] = {
                "mark": self.state(template),
                "reason": f"Meta's reason: {template.reason}" if template.reason else "",
                "holds": holds_of([template])[template.pk],
                "links": _links(request, template),
                "preview": preview_of(template.components, template.category),
            }
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description="status", ordering="status")
    def state(self, template: Template) -> SafeString:
        """Meta's status with its colour."""
        return toned(template.status)

    @admin.display(description="quality", ordering="quality")
    def quality_mark(self, template: Template) -> SafeString:
        """Meta's quality with its colour."""
        return toned(template.quality)

    @admin.display(description="held")
    def held(self, template: Template) -> SafeString:
        """Whether a hold stops its messages."""
        return badge("waiting", "held") if getattr(template, "is_held", False) else SafeString("")

    @admin.display(description="parameters")
    def parameters(self, template: Template) -> SafeString:
        """Each parameter of a send: its key, its type, and Meta's example."""
        found = parameters_of(template.components, template.category)
        lines = format_html_join("", "<li><code>{}</code> {}</li>", ((each.key, _words(each)) for each in found))
        return format_html("<ul>{}</ul>", lines) if found else SafeString("None")


def _words(parameter: Parameter) -> str:
    words = [parameter.kind, "" if parameter.required else "optional"]
    words += [f"such as {parameter.example}" if parameter.example else ""]
    words += [f"the same as {parameter.same_as}" if parameter.same_as else ""]
    return ", ".join(word for word in words if word)


def _links(request: HttpRequest, template: Template) -> list[SafeString]:
    """The messages that used the template, in all languages, and its analytics."""
    links = []
    if request.user.has_perm("messaging.view_message"):
        query = urlencode({"template__exact": template.name})
        address = reverse("admin:messaging_message_changelist")
        links.append(format_html('<a href="{}?{}">Messages of this template</a>', address, query))
    if may_see_analytics(request.user):
        links.append(analytics_link("Analytics", template=template.name))
    return [link for link in links if link]
