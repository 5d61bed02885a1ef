"""The OpenAPI description, made once for each version that a request asks for, and not for each request of a test."""

from functools import cache
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView


@pytest.fixture(scope="module")
def made_once() -> Any:
    """/api/schema/ renders a description that it made before; it takes a quarter of a second."""

    @cache
    def described(api_version: str | None, public: bool) -> Any:
        return SchemaGenerator(api_version=api_version).get_schema(request=None, public=public)  # type: ignore[no-untyped-call]

    class Remembering(SchemaGenerator):
        def get_schema(self, request: Any = None, public: bool = False) -> Any:
            return described(self.api_version, public)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SpectacularAPIView, "generator_class", Remembering)
        yield
