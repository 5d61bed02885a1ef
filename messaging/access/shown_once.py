"""The page that shows new secrets once: part of one answer, and stored in no cookie."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers


def shown_once(
    request: HttpRequest, page: "ModelAdmin[Any]", title: str, secrets: Mapping[str, str]
) -> TemplateResponse:
    """The page; `secrets` by what they belong to."""
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "secrets": dict(secrets),
    }
    answer = TemplateResponse(request, "admin/messaging/shown_once.html", context)
    add_never_cache_headers(answer)
    return answer
