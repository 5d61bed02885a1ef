"""Settings of Django REST framework, with drf-spectacular. None comes from the environment."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "messaging.access.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["messaging.access.permissions.IsApiClientOrStaff"],
    "DEFAULT_PARSER_CLASSES": ["waproject.web.api.json_parser.StorableJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "waproject.web.api.errors.handle",
    "DEFAULT_VERSIONING_CLASS": None,
}
SPECTACULAR = {
    "TITLE": "WhatsApp pipeline",
    "DESCRIPTION": "Send WhatsApp messages, follow what became of them, record events.",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "waproject.web.api.openapi.add_refusals",
    ],
    # A file is binary in requests and a URL in responses.
    "COMPONENT_SPLIT_REQUEST": True,
    # The docs page loads nothing from other hosts.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["messaging.access.permissions.IsApiClientOrAnyStaff"],
    "SERVE_AUTHENTICATION": None,
}
