"""`celery -A tests.waproject.worker.doubles.unchecked_worker worker -Q analytics`: the worker without checks of tasks.

The argument "unpicklable" becomes an object that cannot be pickled. Failed messages are hidden for a second.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from waproject.celery import app
from waproject.queues import LANES
from waproject.sqs import envelope

# Before Celery reads its settings.
LANES["analytics"] = replace(LANES["analytics"], back_off=(1,))

__all__ = ["app"]


def _arguments_in(payload: Mapping[str, Any]) -> list[Any]:
    args, kwargs, embed = json.loads(payload["body"])
    return [[(lambda: None) if arg == "unpicklable" else arg for arg in args], kwargs, embed]


envelope.arguments_in = _arguments_in
