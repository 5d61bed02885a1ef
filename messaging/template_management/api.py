"""`/messaging/templates`: the templates of all accounts."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.access import IsOperatorOrStaff
from messaging.message_templates import DELETED
from messaging.models import Account, Template
from messaging.template_management.changes import create_template, delete_template, edit_template
from messaging.template_management.meta_refusals import DETAIL, ChangeRefused
from messaging.template_management.serializers import (
    ChangeSerializer,
    CreateSerializer,
    RefusalSerializer,
    TemplateDetailSerializer,
    TemplateSerializer,
)
from messaging.template_management.template_holds import holds_of
from waproject.web.api.cursor_pages import CursorPages
from waproject.web.api.errors import unavailable
from waproject.web.api.views import StrictQueries

REFUSALS = {
    400: OpenApiResponse(dict, description="Errors by field, also Meta's; nothing was changed."),
    409: OpenApiResponse(RefusalSerializer, "Meta refuses this deployment, or the template cannot be changed now."),
    503: OpenApiResponse(RefusalSerializer, "Meta does not answer, or its answer was lost: see `detail`."),
}
NOT_FOUND = OpenApiResponse(description="No template has this id.")


class ByName(CursorPages):
    """Pages by name and language."""

    ordering = ("name", "language", "id")


class TemplateFilter(django_filters.FilterSet):
    """?account=, name=, language=, status=, category=, search=

    Meta adds statuses and categories, so any value is accepted, in upper or lower case.
    """

    account = django_filters.CharFilter(field_name="account__waba_id")
    name = django_filters.CharFilter()
    language = django_filters.CharFilter()
    status = django_filters.CharFilter(lookup_expr="iexact")
    category = django_filters.CharFilter(lookup_expr="iexact")
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="A part of the name.")

    class Meta:
        model = Template
        fields: list[str] = []


class TemplateListView(StrictQueries, generics.ListAPIView[Template]):
    """Templates by name and language. Those that Meta no longer has are listed with `status=DELETED` only."""

    permission_classes = [IsOperatorOrStaff]
    staff_permissions = {"GET": "messaging.view_template", "POST": "messaging.add_template"}
    reads_query = ("GET",)
    serializer_class = TemplateSerializer
    pagination_class = ByName
    filter_backends = [DjangoFilterBackend]
    filterset_class = TemplateFilter
    queryset = Template.objects.none()  # for the OpenAPI description
    holds: dict[int, Any] = {}

    def get_queryset(self) -> QuerySet[Template]:
        """All that Meta has, or those that it no longer has. A template's components may have 20 kB: left out."""
        is_removed = self.request.query_params.get("status", "").upper() == DELETED
        rows = Template.objects.select_related("account").defer("components")
        return rows.filter(removed_at__isnull=not is_removed)

    def paginate_queryset(self, queryset: Any) -> Any:
        """One page, with the holds of its templates."""
        page = super().paginate_queryset(queryset)
        self.holds = holds_of(page or [])
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        """Add the holds."""
        return {**super().get_serializer_context(), "holds": self.holds}

    @extend_schema(request=CreateSerializer, responses={201: TemplateDetailSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Create a template at Meta, which reviews it. Nothing is stored unless Meta takes it."""
        given = CreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        account = _account(fields.pop("account", None))
        try:
            row = create_template(account, fields, str(request.user))
        except ChangeRefused as refusal:
            return _refused(refusal)
        return Response(detail_of(row), status=201)


class TemplateView(StrictQueries):
    """One template."""

    permission_classes = [IsOperatorOrStaff]
    staff_permissions = {
        "GET": "messaging.view_template",
        "PATCH": "messaging.change_template",
        "DELETE": "messaging.delete_template",
    }

    @extend_schema(responses={200: TemplateDetailSerializer, 404: NOT_FOUND})
    def get(self, request: Request, pk: int) -> Response:
        """The template with its components, the parameters of a send, an example, and its holds."""
        return Response(detail_of(find_template(pk)))

    @extend_schema(request=ChangeSerializer, responses={200: TemplateDetailSerializer, 404: NOT_FOUND, **REFUSALS})
    def patch(self, request: Request, pk: int) -> Response:
        """Replace the components or change the category at Meta, which reviews the template again.

        Meta allows one edit of an approved template in 24 hours, and ten in 30 days.
        """
        row = find_template(pk)
        given = ChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            return Response(detail_of(edit_template(row, given.validated_data, str(request.user))))
        except ChangeRefused as refusal:
            return _refused(refusal)

    @extend_schema(responses={204: None, 404: NOT_FOUND, **REFUSALS})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the template at Meta, in this language alone. Its waiting messages fail."""
        try:
            delete_template(find_template(pk), str(request.user))
        except ChangeRefused as refusal:
            return _refused(refusal)
        return Response(status=204)


def find_template(pk: int) -> Template:
    """A template. Raises NotFound."""
    row = Template.objects.select_related("account").filter(pk=pk).first()
    if row is None:
        raise NotFound("No template has this id.")
    return row


def detail_of(row: Template) -> dict[str, Any]:
    """The answer of one template."""
    return dict(TemplateDetailSerializer(row, context={"holds": holds_of([row])}).data)


def _account(waba_id: str | None) -> Account:
    """The account with this id, else the only one. Raises ValidationError."""
    rows = Account.objects.all() if waba_id is None else Account.objects.filter(waba_id=waba_id)
    found = list(rows[:2])
    if len(found) == 1:
        return found[0]
    details = "No account has this WABA id." if waba_id else "Give a WABA id: there are several accounts, or none."
    raise ValidationError({"account": [details]})


def _refused(refusal: ChangeRefused) -> Response:
    """Meta's refusal as an answer: by field, or in `detail`."""
    if refusal.retry_after_s is not None:
        return unavailable(refusal.message, refusal.retry_after_s)
    body = {"detail": refusal.message} if refusal.field == DETAIL else {refusal.field: [refusal.message]}
    return Response(body, status=refusal.status)
