"""A process that may not use the KMS key of its queues or files ends at its start, and not at the first message.

SQS and S3 call KMS in the name of their caller, so only a call shows whether a role may use the key: each process
makes one of the calls that its work needs. Any other error says nothing about the key and is ignored.
"""

import logging
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError
from celery import current_app
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from kombu.exceptions import OperationalError

from waproject.queues import LANES
from waproject.sqs import publisher
from waproject.sqs.publisher import Outgoing
from waproject.sqs.transport import collected
from waproject.sqs.wire import Client, Refused, SqsError

logger = logging.getLogger(__name__)

TIMEOUT_S = 3.0
# What a process publishes to see whether it may: tasks that do nothing where nothing is to be done.
PUBLISHES: Mapping[str, str] = {
    "web": "analytics.sweep_message_events",
    "dispatcher": "messaging.send",
    "monitor": "analytics.sweep_message_events",
    "beat": "analytics.sweep_message_events",
}
FILE = "started"


def refuse_without_key(process: str) -> None:
    """Raise ImproperlyConfigured where this process (a name of the Procfile) may not use SQS_KMS_KEY_ARN."""
    if not settings.SQS_KMS_KEY_ARN:
        return
    try:
        if process in LANES:
            _receive(process)
        elif process in PUBLISHES:
            _publish(PUBLISHES[process])
        elif process == "deliver" and settings.MEDIA_S3_BUCKET:
            _store()
    except Refused as error:
        if not error.code.lower().startswith("kms"):
            logger.warning("the KMS key was not tried: SQS answered %s", error)
            return
        raise ImproperlyConfigured(
            f"{process} may not use the KMS key {settings.SQS_KMS_KEY_ARN} (SQS answered {error.code}): its role needs "
            "kms:Decrypt, to send also kms:GenerateDataKey, and the key's policy must leave that to IAM "
            "(docs/deploy.md)."
        ) from None
    except ClientError as error:
        raise ImproperlyConfigured(
            f"{process} may not write to the bucket {settings.MEDIA_S3_BUCKET} (S3 answered "
            f"{error.response['Error']['Code']}): its role needs s3:PutObject, and kms:GenerateDataKey and kms:Decrypt "
            f"for the KMS key {settings.SQS_KMS_KEY_ARN} (docs/deploy.md)."
        ) from None
    except (SqsError, OperationalError, BotoCoreError) as error:
        logger.warning("the KMS key was not tried: %s", type(error).__name__)


def _receive(lane: str) -> None:
    """Look at one message, which stays visible. That counts as one of its ten receives."""
    parameters = {"QueueUrl": LANES[lane].url, "MaxNumberOfMessages": 1, "VisibilityTimeout": 0, "WaitTimeSeconds": 0}
    Client.configured(settings.AWS_REGION).call("ReceiveMessage", parameters, TIMEOUT_S)


def _publish(task: str) -> None:
    with collected() as messages:
        current_app.send_task(task)
    publisher.shared(settings.AWS_REGION).send(Outgoing(messages[0].url, messages[0].body))


def _store() -> None:
    name = storages["media"].save(FILE, ContentFile(b""))
    storages["media"].delete(name)
