"""`python -m bench.comparison.apps.publisher COUNT` publishes that many no-op tasks and prints
{"cpu_ms": each, "published": all}.

Ours publishes as the dispatcher and the bulk endpoints do, stock by apply_async, its only way. Its environment is
that of worker.py.
"""

import json
import os
import sys
import time

from bench.comparison.apps.worker import KIND, noop

WARM_UP = 20


def publish(count: int) -> None:
    """Raises RuntimeError when SQS does not take all."""
    if KIND == "stock":
        for _ in range(count):
            noop.apply_async((time.time(),))
        return
    from waproject.sqs import publisher
    from waproject.sqs.transport import collected

    with collected() as messages:
        for _ in range(count):
            noop.apply_async((time.time(),))
    if any(publisher.shared(os.environ["AWS_DEFAULT_REGION"]).send_many(messages)):
        raise RuntimeError("SQS did not take all tasks")


if __name__ == "__main__":
    count = int(sys.argv[1])
    publish(WARM_UP)
    # The CPU of all threads of this process.
    begun = time.process_time()
    publish(count)
    print(json.dumps({"cpu_ms": (time.process_time() - begun) * 1000 / count, "published": count + WARM_UP}))
