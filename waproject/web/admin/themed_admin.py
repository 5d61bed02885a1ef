"""Admin classes in django-unfold's theme. All our admin pages use them; a test checks that."""

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.validators import RegexValidator
from django.http import HttpRequest

from waproject.web.admin.object_buttons import ObjectButtons

__all__ = ["META_ID", "CheckboxSelectMultiple", "ModelAdmin", "Select", "TabularInline", "TextInput"]

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

    class ModelAdmin(AddPage, ObjectButtons, CheckedActions, UnfoldModelAdmin):
        """A page of the admin."""
