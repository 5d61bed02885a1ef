"""The log-in form of the admin, with a limit on wrong tries."""

import logging
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from messaging.access.login_throttle import WINDOW, TooManyTries, address_of, count_try, forget_tries

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm

logger = logging.getLogger(__name__)


class LoginForm(AuthenticationForm):
    """Refuses further tries, with the same words whether the account exists or not."""

    def clean(self) -> dict[str, Any]:
        """Check the password, unless the tries are used up."""
        account, address = str(self.cleaned_data.get("username") or ""), address_of(self.request)
        if not account or not self.cleaned_data.get("password"):
            return super().clean()
        try:
            count_try(account, address)
        except TooManyTries:
            minutes = int(WINDOW.total_seconds() // 60)
            raise ValidationError(
                f"Too many wrong tries. Wait {minutes} minutes, then try again.", code="throttled"
            ) from None
        try:
            cleaned = super().clean()
        except ValidationError:
            # Never the name: somebody may have typed a password there.
            logger.warning("log-in refused: wrong account or password (%s)", address or "no address")
            raise
        forget_tries(account, address)
        return cleaned
