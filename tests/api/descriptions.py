"""The OpenAPI description, made and rendered once for each version that a request asks for, not for each request."""

from functools import cache
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView


@pytest.fixture(scope="module")
def made_once() -> Any:
    """/api/schema/ answers with a description that it made before: a quarter of a second, and a tenth as YAML."""
    render = OpenApiYamlRenderer.render
    # By the identity of a description, which `described` keeps; errors are rendered each time.
    rendered: dict[int, bytes] = {}

    @cache
    def described(api_version: str | None, public: bool) -> Any:
        return SchemaGenerator(api_version=api_version).get_schema(request=None, public=public)  # type: ignore[no-untyped-call]

    class Remembering(SchemaGenerator):
        def get_schema(self, request: Any = None, public: bool = False) -> Any:
            made = described(self.api_version, public)
            rendered.setdefault(id(made), b"")
            return made

    def render_once(renderer: Any, data: Any, *others: Any) -> bytes:
        if id(data) not in rendered:
            return bytes(render(renderer, data, *others))  # type: ignore[no-untyped-call]
        rendered[id(data)] = rendered[id(data)] or render(renderer, data, *others)  # type: ignore[no-untyped-call]
        return rendered[id(data)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SpectacularAPIView, "generator_class", Remembering)
        patch.setattr(OpenApiYamlRenderer, "render", render_once)
        yield
