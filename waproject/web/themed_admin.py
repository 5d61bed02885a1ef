"""The admin's classes in django-unfold's dress. Each page of ours is made of these; a test asks for it."""

from typing import TYPE_CHECKING

from django.core.validators import RegexValidator

# Unfold brings no types; its classes are Django's own with other templates.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.forms import CheckboxSelectMultiple, Select, TextInput
else:
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

__all__ = ["META_ID", "CheckboxSelectMultiple", "ModelAdmin", "Select", "TabularInline", "TextInput"]

# Ids of numbers and accounts at Meta.
META_ID = RegexValidator(r"\A[0-9]{1,32}\Z", "Meta's id: digits alone, as its Business Manager shows it.")
