"""An SQS-compatible server in memory that counts requests, delays answers, loses, doubles, and goes away."""

from testkit.sqs_server.client import SqsServer

__all__ = ["SqsServer"]
