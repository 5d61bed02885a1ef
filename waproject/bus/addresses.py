"""Names of the bus's queues: the monitor queue's name with a suffix per owner."""

import hashlib
import re
from dataclasses import dataclass

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
MAX_NAME = 80
HASH = 8


@dataclass(frozen=True, slots=True)
class Addresses:
    """The queue URLs of one bus; `events` is the monitor queue's URL."""

    events: str

    def node(self, name: str) -> str:
        """The command queue of the worker with this node name. The same name always has the same queue."""
        return self._beside("node", name)

    def replies(self, asker: str) -> str:
        """The reply queue of this asker."""
        return self._beside("replies", asker)

    @property
    def nodes_prefix(self) -> str:
        """The prefix of all node queues' names."""
        return f"{self._name}-node-"

    @property
    def replies_prefix(self) -> str:
        """The prefix of all reply queues' names."""
        return f"{self._name}-replies-"

    def named(self, name: str) -> str:
        """The URL of the bus's queue of this name."""
        return f"{self.events.rpartition('/')[0]}/{name}"

    @property
    def _name(self) -> str:
        return queue_name(self.events)

    def _beside(self, kind: str, whose: str) -> str:
        # The hash keeps names unique whose shortened, readable parts are equal.
        digest = hashlib.sha256(whose.encode()).hexdigest()[:HASH]
        readable = re.sub(r"[^A-Za-z0-9]+", "-", whose)
        prefix = f"{self.events}-{kind}-"
        room = MAX_NAME - len(queue_name(prefix)) - HASH - 1
        return f"{prefix}{readable[:room]}-{digest}"


def queue_name(url: str) -> str:
    """A queue's name, which is the end of its URL."""
    return url.rsplit("/", 1)[-1]
