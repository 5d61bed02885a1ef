"""The admin's classes in django-unfold's dress. Each page of ours is made of these; a test asks for it."""

from typing import TYPE_CHECKING

# Unfold brings no types; its classes are Django's own with other templates.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.forms import CheckboxSelectMultiple, Select
else:
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminSelectWidget as Select

__all__ = ["CheckboxSelectMultiple", "ModelAdmin", "Select", "TabularInline"]
