"""The monitor's check of the set-up: doctor's checks, in a thread with a deadline, so that no other work waits."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from itertools import chain

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from messaging.meta_setup import Finding, State, check_setup, is_connected, refresh_accounts
from messaging.whatsapp.storable import storable_text
from monitoring.models import SetupFinding
from monitoring.setup.pipeline_checks import pipeline_findings

logger = logging.getLogger(__name__)

# Web starts with the monitor, and the handshake needs it.
FIRST_AFTER_S = 60.0
DEADLINE_S = 180.0
# Missing and dead processes have alerts of their own, within seconds.
ALERTED_ELSEWHERE = frozenset({"processes"})
LATE = Finding(
    "doctor",
    State.FAILED,
    f"The checks of the set-up did not end within {DEADLINE_S:.0f} s.",
    "Run manage.py doctor, and see which check does not end.",
)
BROKEN = "The checks of the set-up stopped: {}."
# The sandbox delivers webhooks whether or not the app has subscribed to them, which only `manage.py connect` does.
NOT_NEEDED_LOCALLY = {"webhook"}


def all_findings() -> Iterable[Finding]:
    """Doctor's checks that the monitor repeats. Stores what Meta says of accounts and numbers beside them."""
    refresh_accounts()
    return chain((one for one in pipeline_findings() if one.check not in ALERTED_ELSEWHERE), check_setup())


class HourlyCheck:
    """Call `step` often; it returns at once."""

    def __init__(
        self,
        find: Callable[[], Iterable[Finding]] = all_findings,
        deadline_s: float = DEADLINE_S,
        first_after_s: float = FIRST_AFTER_S,
    ) -> None:
        self._find, self._deadline_s = find, deadline_s
        self._next_at = time.monotonic() + first_after_s
        self._until = 0.0
        self._thread: threading.Thread | None = None
        self._found: list[Finding] | None = None
        self._forgotten = False

    def step(self) -> None:
        """Store the result of a check that has ended or is late, and start the next one if it is due."""
        now = time.monotonic()
        if settings.DOCTOR_EVERY_S <= 0 and not self._forgotten:
            store([])  # switched off: what an earlier check found would stay an alert forever
            self._forgotten = True
        if self._found is not None:
            found, self._found = self._found, None
            store(found)
        elif self._until and now >= self._until:
            # The thread may never end. Until it ends no other one starts, so that they cannot pile up.
            store([LATE])
            self._until = 0.0
        if now >= self._next_at and not self.is_running() and self._is_wanted():
            self._next_at, self._until = now + settings.DOCTOR_EVERY_S, now + self._deadline_s
            self._thread = threading.Thread(target=self._run, name="doctor", daemon=True)
            self._thread.start()

    def is_running(self) -> bool:
        """Whether a check runs."""
        return self._thread is not None and self._thread.is_alive()

    def _is_wanted(self) -> bool:
        """Not before a local pipeline is connected to its sandbox: it works without."""
        return settings.DOCTOR_EVERY_S > 0 and (not settings.LOCAL or is_connected())

    def _run(self) -> None:
        try:
            found = [one for one in self._find() if not (settings.LOCAL and one.check in NOT_NEEDED_LOCALLY)]
        except Exception as error:
            logger.exception("the check of the set-up failed")
            found = [Finding("doctor", State.FAILED, BROKEN.format(type(error).__name__), "Run manage.py doctor.")]
        finally:
            connections.close_all()
        if time.monotonic() < self._until:
            self._until, self._found = 0.0, found


def store(found: Iterable[Finding]) -> None:
    """Replace the stored findings."""
    now = timezone.now()
    rows = [
        SetupFinding(
            check_name=one.check[:50], about=storable_text(one.about)[:64], state=one.state,
            text=storable_text(one.text), next_step=storable_text(one.next_step), checked_at=now,
        )
        for one in found
    ]  # fmt: skip
    with transaction.atomic():
        SetupFinding.objects.all().delete()
        SetupFinding.objects.bulk_create(rows)
