"""Admin classes in django-unfold's theme. All our admin pages use them; a test checks that."""

from collections.abc import Collection, Iterable, Set
from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.validators import RegexValidator
from django.db import IntegrityError
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from psycopg2.errors import UniqueViolation

from waproject.web.admin.object_buttons import ObjectButtons

__all__ = ["META_ID", "CheckboxSelectMultiple", "EditedColumns", "ModelAdmin", "Select", "TabularInline", "TextInput"]

# Ids of business numbers and accounts at Meta.
META_ID = RegexValidator(r"\A[0-9]{1,32}\Z", "Enter Meta's id: digits only, as the Business Manager shows it.")


class CheckedActions:
    """Answers 400 to a list action with invalid ids."""

    def response_action(self, request: HttpRequest, queryset: Any) -> Any:
        """Run the chosen action. Raises SuspiciousOperation (400)."""
        pk = queryset.model._meta.pk
        for given in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                pk.to_python(given)
            except ValidationError:
                raise SuspiciousOperation("The form contains an invalid id.") from None
        return super().response_action(request, queryset)  # type: ignore[misc]  # the admin's


# What filters and links of lists compare by. An index or a look at a short column decides each.
COMPARISONS = {"exact", "in", "isnull", "isempty", "gt", "gte", "lt", "lte"}
# What a search does, for the fields that the list's own search reads.
SEARCHES = {"iexact", "contains", "icontains", "startswith", "istartswith"}


class ShownLookups:
    """Filters a list in its address by shown fields and quick comparisons alone.

    `?secret__startswith=` would spell out a secret, `?text__regex=` would read a whole table.
    """

    # What links filter by: fields that no page shows by their names, and whole lookups that are not quick.
    linked_fields: Collection[str] = ()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether this lookup may stand in the address."""
        page: Any = self
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[misc]  # the admin's
        name = _field(lookup)
        if not allowed or not (name in {"pk", page.opts.pk.name} or name in _shown(page, request)):
            return False
        if lookup in page.linked_fields:
            return True
        searched = {_field(field.lstrip("^=@")) for field in page.get_search_fields(request)}
        quick = COMPARISONS | SEARCHES if name in searched else COMPARISONS
        # The parameter of a filter of our own is not a field.
        return _comparison(page.model, lookup) in {"", name, *quick}


def _shown(page: Any, request: HttpRequest) -> set[str]:
    """The names of a page's fields, columns and filters."""
    filters = [item[0] if isinstance(item, tuple) else item for item in page.get_list_filter(request)]
    fields = flatten_fieldsets(page.get_fieldsets(request))
    fields += page.get_readonly_fields(request)
    # A filter of our own is a class, which names its parameter.
    parameters = [getattr(item, "parameter_name", None) for item in filters]
    names = [*fields, *page.get_list_display(request), *filters, *parameters, *page.linked_fields]
    return {_field(name) for name in names if isinstance(name, str)}


def _comparison(model: Any, lookup: str) -> str:
    """What follows the fields of a lookup, such as `gte` or `year__gt`; empty if nothing does."""
    parts = lookup.split(LOOKUP_SEP)
    while parts and model is not None:
        fields = {name: field for field in model._meta.get_fields() for name in (field.name, _column(field))}
        if parts[0] not in {"pk", *fields}:
            break
        name = parts.pop(0)
        model = fields[name].related_model if name in fields else None
    return LOOKUP_SEP.join(parts)


def _column(field: Any) -> str:
    return str(getattr(field, "attname", field.name))


def _field(lookup: str) -> str:
    return lookup.split(LOOKUP_SEP, maxsplit=1)[0]


class RepeatedSaves:
    """Answers a form that two requests save at once as if they had come one after the other."""

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """Where a rival row was stored between check and save, check again: the form names the field."""
        try:
            return super().changeform_view(request, *args, **options)  # type: ignore[misc]  # the admin's
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise
        return super().changeform_view(request, *args, **options)  # type: ignore[misc]  # the admin's


class EditedColumns:
    """Stores of a changed row what was edited alone: others write its other columns at any moment."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the row."""
        if change:
            # Groups and permissions are no columns.
            columns = {field.name for field in obj._meta.concrete_fields}
            obj.save(update_fields=columns.intersection(form.changed_data))
        else:
            super().save_model(request, obj, form, change)  # type: ignore[misc]  # the admin's


class AddPage:
    """A page for a new row, without the read-only columns: the row has none yet, and a column that the database fills
    would be shown as an object of Python's."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The groups of fields, without those columns where there is no row."""
        found = super().get_fieldsets(request, obj)  # type: ignore[misc]  # the admin's
        if obj is not None:
            return found
        columns = {field.name for field in self.model._meta.get_fields()}  # type: ignore[attr-defined]
        hidden = columns & set(self.get_readonly_fields(request, obj))  # type: ignore[attr-defined]
        kept = [(name, {**given, "fields": _without(given["fields"], hidden)}) for name, given in found]
        return [(name, given) for name, given in kept if given["fields"]]


def _without(fields: Iterable[Any], hidden: Set[str]) -> list[Any]:
    """The fields, of which several may share a line, but for the hidden ones."""
    lines = [
        tuple(name for name in line if name not in hidden) if isinstance(line, list | tuple) else line
        for line in fields
    ]
    return [line for line in lines if line and line not in hidden]


# Unfold has no type hints; its classes are Django's with other templates.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.forms import CheckboxSelectMultiple, Select, TextInput
else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import TabularInline
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

    class ModelAdmin(AddPage, ObjectButtons, CheckedActions, RepeatedSaves, ShownLookups, UnfoldModelAdmin):
        """A page of the admin."""
