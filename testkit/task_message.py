"""Celery task messages built without Celery, so that every transport sends the same bytes."""

import json
import uuid


def task_message(task: str, *arguments: object) -> str:
    """The SQS message body that calls `task` with these arguments."""
    task_id = str(uuid.uuid4())
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return json.dumps(
        {
            "body": json.dumps([arguments, {}, embed]),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                "lang": "py", "task": task, "id": task_id, "root_id": task_id, "parent_id": None,
                "group": None, "retries": 0, "eta": None, "expires": None, "timelimit": [None, None],
                "argsrepr": "()", "kwargsrepr": "{}", "origin": "testkit", "ignore_result": True,
            },
            "properties": {
                "correlation_id": task_id, "reply_to": "", "delivery_mode": 2, "priority": 0,
                "delivery_info": {"exchange": "", "routing_key": "bench"},
                "body_encoding": None, "delivery_tag": task_id,
            },
        }
    )  # fmt: skip
