"""The page that shows new secrets once. They are in its body only, never in a cookie or session."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers


def show_secrets(
    request: HttpRequest, page: "ModelAdmin[Any]", title: str, secrets: Mapping[str, str]
) -> TemplateResponse:
    """The page; `secrets` maps a label to each secret."""
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "secrets": dict(secrets),
    }
    answer = TemplateResponse(request, "admin/messaging/secrets_page.html", context)
    add_never_cache_headers(answer)
    return answer
