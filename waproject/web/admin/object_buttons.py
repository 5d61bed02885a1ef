"""Admin list actions as buttons on an object's page."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST


class ObjectButtons:
    """Shows the actions that the account's permissions and the object's state allow, and checks them again."""

    change_form_outer_before_template = "waproject/object_buttons.html"

    def buttons_of(self, obj: Any) -> set[str] | None:
        """The actions that the object's state allows; None: all."""
        return None

    def get_urls(self) -> list[URLPattern]:
        """Add the URL of the buttons."""
        page: Any = self
        view = page.admin_site.admin_view(require_POST(self.press))
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # the admin's
        return [path("<path:object_id>/do/<str:action>/", view, name=_name(page)), *urls]

    def press(self, request: HttpRequest, object_id: str, action: str) -> Any:
        """Run the action on one object. Returns the action's page, such as a new secret's, or a redirect back."""
        page: Any = self
        obj = page.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404("There is no such object.")
        if action not in self._actions(request):
            raise PermissionDenied
        run = page.get_actions(request)[action][0]
        answer = run(page, request, page.get_queryset(request).filter(pk=obj.pk))
        return answer or HttpResponseRedirect(reverse(f"admin:{_model(page)}_change", args=[object_id]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        """Add the buttons to the page."""
        page: Any = self
        obj = options.get("obj")
        if obj is not None:
            offered, known = self.buttons_of(obj), self._actions(request)
            context["object_buttons"] = [
                (reverse(f"admin:{_name(page)}", args=[obj.pk, name]), label)
                for name, label in known.items()
                if offered is None or name in offered
            ]
        return super().render_change_form(request, context, *args, **options)  # type: ignore[misc]  # the admin's

    def _actions(self, request: HttpRequest) -> dict[str, str]:
        """The page's own actions that the account may run: descriptions by name."""
        page: Any = self
        actions: dict[str, tuple[Any, str, str]] = page.get_actions(request)
        return {name: label for name, (_, _, label) in actions.items() if name in (page.actions or ())}


def _model(page: Any) -> str:
    return f"{page.opts.app_label}_{page.opts.model_name}"


def _name(page: Any) -> str:
    return f"{_model(page)}_do"
