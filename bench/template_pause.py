"""The time from Meta's webhook that a template is paused or approved to its effect on the messages that wait."""

import time

from testkit.load.api_clients import Client, recipients
from testkit.pipeline import Pipeline
from testkit.waiting import wait_until

TEMPLATE = {"name": "hello_world", "language": "en_US"}
WAITING = 1000
# The pause comes after this many sends: at 80 a second hundreds still wait.
SENT_FIRST = 100
# A message that is released this long after the pause would be seen.
WATCHED_S = 6.0
DRAIN_S = 120.0
LAST_RELEASE = "SELECT extract(epoch FROM max(at))::float8 FROM messaging_messageevent WHERE status = 'queued'"
HELD = "SELECT count(*) FROM messaging_message WHERE split_part(hold, ':', 1) = 'template'"
UNMARKED = "SELECT count(*) FROM messaging_message WHERE status = 'pending' AND hold IS NULL"


def template_pause(pipeline: Pipeline) -> dict[str, float]:
    """1,000 messages of a template; Meta pauses it while most of them wait, and approves it later.

    `pause_last_release_ms`: from before the sandbox sends the webhook of the pause to the last release of a message.
    `approval_first_send_ms`: from before that of the approval to the first request at the Cloud API.
    """
    client, to = Client(pipeline.env["BASE_URL"], pipeline.env["API_KEY"]), recipients(WAITING)
    client.send(to, message_type="template", message_data=TEMPLATE)
    pipeline.sandbox.wait_for(SENT_FIRST, DRAIN_S)
    paused_at = _change(pipeline, "PAUSED")
    wait_until(lambda: not pipeline.number(UNMARKED), "every message that waits is held", DRAIN_S, every=0.5)
    time.sleep(max(0.0, paused_at + WATCHED_S - time.time()))
    ((last_release,),) = pipeline.query(LAST_RELEASE)
    held = pipeline.number(HELD)
    approved_at = _change(pipeline, "APPROVED")
    sent = pipeline.sandbox.wait_for(WAITING, DRAIN_S)
    first = min(entry["received_at"] for entry in sent if entry["received_at"] >= approved_at)
    return {
        "pause_held": held,
        "pause_last_release_ms": max(0.0, last_release - paused_at) * 1000,
        "approval_first_send_ms": (first - approved_at) * 1000,
        "pause_doubled": sum(count > 1 for count in pipeline.sandbox.sends().values()),
    }


def _change(pipeline: Pipeline, status: str) -> float:
    """Change the template's status at Meta; when that began."""
    began = time.time()
    pipeline.sandbox.call("POST", "templates", {"name": TEMPLATE["name"], "status": status})
    return began
