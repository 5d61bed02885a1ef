"""Log lines for requests that SQS or S3 refused for lack of a permission: action, resource and the document to read.

Callers handle a refusal like any other error, often by its code alone; this names the missing permission in one place.
"""

import logging
import threading
import time
from typing import Any

logger = logging.getLogger(__name__)

DOCUMENT = "docs/deploy.md#permissions"
# A worker without a permission repeats its request, so each permission is named once in this many seconds.
EVERY_S = 60.0
# The permissions of S3 requests that have another name.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html: without s3:ListBucket a missing file is a 403.
S3_PERMISSIONS = {
    "HeadObject": "s3:GetObject (for a file that is gone: s3:ListBucket)",
    "GetObject": "s3:GetObject (for a file that is gone: s3:ListBucket)",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
}
# S3 answers HEAD without a body, so boto3 has only the status.
FORBIDDEN = "403"

_lock = threading.Lock()
_next: dict[tuple[str, str], float] = {}


def is_denied(code: str) -> bool:
    """Whether an error code means a missing permission, in SQS's query or JSON protocol, in S3 or in KMS."""
    return code == FORBIDDEN or code.removesuffix("Exception").endswith("AccessDenied")


def permission(service: str, action: str) -> str:
    """The IAM action that a request needs. IAM has none for SQS's batches."""
    if service == "s3":
        return S3_PERMISSIONS.get(action, f"s3:{action}")
    return f"{service}:{action.removesuffix('Batch')}"


def report(service: str, action: str, resource: str, code: str) -> None:
    """Log a refused request if its code means a missing permission. resource: a queue's URL or a bucket's name."""
    if not is_denied(code):
        return
    needed, name = permission(service, action), resource.rpartition("/")[2].rpartition(":")[2]
    if not _admit(needed, name):
        return
    if code.lower().startswith("kms"):
        needed = f"the KMS key, for {needed},"
    logger.error("not permitted: %s on %s (%s). This process's role lacks it: see %s.", needed, name, code, DOCUMENT)


def watch(client: Any) -> None:
    """Report what is refused to this boto3 client."""
    service = client.meta.service_model.service_name
    client.meta.events.register(f"provide-client-params.{service}", _note_resource)
    client.meta.events.register(f"after-call.{service}", _report_answer)


def reset() -> None:
    """Forget which permissions were logged."""
    with _lock:
        _next.clear()


def _admit(needed: str, name: str) -> bool:
    now = time.monotonic()
    with _lock:
        if now < _next.get((needed, name), 0.0):
            return False
        _next[needed, name] = now + EVERY_S
        return True


def _note_resource(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    resources = (params.get(name) for name in ("QueueUrl", "QueueName", "SourceArn", "Bucket"))
    context["resource"] = next(filter(None, resources), "*")


def _report_answer(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    code = str(parsed.get("Error", {}).get("Code", ""))
    if code:
        report(model.service_model.service_name, model.name, str(context.get("resource", "*")), code)
