"""The refused webhooks of this process that are not recorded yet."""

import threading

PATH = "/webhook/whatsapp"
# Set while a refused webhook is not yet recorded. The database may be down at that time, so a later webhook records it:
# a status that only Meta holds must not count as one that never existed. Set at the start of a web process too: the one
# before may have ended between its refusal and its next webhook.
unrecorded = threading.Event()


def note_refusal(path: str) -> None:
    """Note that a request to this path was refused, if it may have been a webhook."""
    if path == PATH:
        unrecorded.set()
