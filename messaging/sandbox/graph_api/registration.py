"""Registration of numbers with a PIN."""

from __future__ import annotations

from .. import graph_errors
from .account_handler import AccountHandler

REGISTER_PATH = r"/v\d+\.\d+/(\d+)/(register|deregister)"
_PIN_MISMATCH = 133005
_PIN_DIGITS = 6


class RegisterHandler(AccountHandler):
    """``POST /vNN.N/{phone_number_id}/register`` and ``/deregister``."""

    def post(self, phone_number_id: str, verb: str) -> None:
        """Register the number with its PIN, which the first registration sets; or deregister it."""
        if not self.simulator.identity.has(phone_number_id):
            raise graph_errors.no_such_object(phone_number_id, "POST")
        state = self.simulator.account
        if verb == "deregister":
            state.change_number(phone_number_id, registered=False)
        else:
            given = self.form_or_json()
            pin = str(given.get("pin", ""))
            if given.get("messaging_product") != "whatsapp":
                raise graph_errors.invalid_parameter("The parameter messaging_product is required.")
            if len(pin) != _PIN_DIGITS or not (pin.isascii() and pin.isdigit()):
                raise graph_errors.invalid_parameter("Param pin must be 6 characters long.")
            if state.number(phone_number_id).pin not in ("", pin):
                raise graph_errors.of_code(_PIN_MISMATCH)
            state.change_number(phone_number_id, registered=True, pin=pin)
        self.answer({"success": True})
