"""The log-in form of the admin, with a limit on wrong passwords."""

import logging
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from messaging.access.login_throttle import WINDOW, TooManyAttempts, address_of, clear_attempts, count_attempt

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm

logger = logging.getLogger(__name__)


class LoginForm(AuthenticationForm):
    """Refuses log-ins over the limit, with the same text whether the account exists or not."""

    def clean(self) -> dict[str, Any]:
        """Check the password, unless the limit is reached."""
        account, address = str(self.cleaned_data.get("username") or ""), address_of(self.request)
        if not account or not self.cleaned_data.get("password"):
            return super().clean()
        try:
            count_attempt(account, address)
        except TooManyAttempts:
            minutes = int(WINDOW.total_seconds() // 60)
            raise ValidationError(
                f"Too many wrong passwords. Wait {minutes} minutes, then try again.", code="throttled"
            ) from None
        try:
            cleaned = super().clean()
        except ValidationError:
            # Not the account name: users sometimes type their password there.
            logger.warning("log-in refused: wrong account or password (%s)", address or "no address")
            raise
        clear_attempts(account, address)
        return cleaned
