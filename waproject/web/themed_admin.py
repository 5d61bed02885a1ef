"""The admin's classes in django-unfold's theme. Every page of ours uses them; a test asks for it."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.validators import RegexValidator
from django.http import HttpRequest

from waproject.web.object_buttons import ObjectButtons

__all__ = ["META_ID", "CheckboxSelectMultiple", "ModelAdmin", "Select", "TabularInline", "TextInput"]

# Ids of numbers and accounts at Meta.
META_ID = RegexValidator(r"\A[0-9]{1,32}\Z", "Meta's id: digits alone, as its Business Manager shows it.")


class CheckedActions:
    """Answers a 400 to the action of a list whose form holds ids that the model cannot have."""

    def response_action(self, request: HttpRequest, queryset: Any) -> Any:
        """Carry out the action that was chosen. Raises SuspiciousOperation (400)."""
        pk = queryset.model._meta.pk
        for given in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                pk.to_python(given)
            except ValidationError:
                raise SuspiciousOperation("The form holds an id that is none.") from None
        return super().response_action(request, queryset)  # type: ignore[misc]  # the admin's


# Unfold brings no types; its classes are Django's own with other templates.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.forms import CheckboxSelectMultiple, Select, TextInput
else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import TabularInline
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

    class ModelAdmin(ObjectButtons, CheckedActions, UnfoldModelAdmin):
        """A page of the admin."""
