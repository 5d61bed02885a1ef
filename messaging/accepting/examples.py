"""Request examples of the OpenAPI description. Its page sends them unchanged."""

from drf_spectacular.utils import OpenApiExample

_TEMPLATE = {
    "phone_number": "+16502530000",
    "message_type": "template",
    "message_data": {"name": "hello_world", "language": "en_US"},
}
_TEXT = {
    "phone_number": "+1234567890",
    "message_type": "text",
    "message_data": {"content": "Hello from SQS!"},
    "priority": "high",
}

# The page shows the first one. A template needs no open customer service window, so its 202 has no warnings.
SEND_EXAMPLES = [
    OpenApiExample("Template", value=_TEMPLATE, request_only=True),
    OpenApiExample("Text", value=_TEXT, request_only=True),
]
BULK_EXAMPLES = [OpenApiExample("Two messages", value={"messages": [_TEMPLATE, _TEXT]}, request_only=True)]
