"""``python -m messaging.sandbox``: options from the command line, secrets only from the environment."""

from __future__ import annotations

import argparse
import asyncio
import errno
import gc
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Sequence

from tornado.netutil import bind_sockets

from .server import serve
from .settings import Behaviour, Identity, InputError

# The ledger only grows. A collection that walks all of it, which Python makes each time that it has grown by a quarter,
# stops the sandbox for 40 to 70 ms at 5,000 sends: calls of that time are counted together, and a second later Meta's
# limit seems to be exceeded. So all but the oldest generation are collected as usual, and that one hardly ever.
OLDEST_GENERATION_EVERY = 100_000
# All of a burst of 500 connections must fit before the loop gets to accept them.
BACKLOG = 1024
_SECRETS = ("WA_ACCESS_TOKEN", "WA_APP_SECRET")
_MAX_PORT = 65535


class StartError(Exception):
    """The sandbox cannot start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the process's exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    try:
        gc.set_threshold(*gc.get_threshold()[:2], OLDEST_GENERATION_EVERY)
        identity, behaviour = _identity(options), _behaviour(options)
        listening = _listen(options.port)
    except StartError as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    asyncio.run(serve(listening, identity, behaviour))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m messaging.sandbox",
        description="A simulator of Meta's WhatsApp Cloud API, on 127.0.0.1 only.",
        epilog=f"Secrets come from the environment only: {', '.join(_SECRETS)}.",
    )

    def option(name: str, variable: str, default: str, meaning: str, kind: Callable[[str], object] = str) -> None:
        parser.add_argument(
            name,
            type=kind,
            default=os.environ.get(variable) or default,
            help=f"{meaning} (${variable}, else {default})",
        )

    option("--port", "SANDBOX_PORT", "8100", "port, 0 for any free one", _port)
    option("--webhook-url", "SANDBOX_WEBHOOK_URL", "http://127.0.0.1:8000/webhook/whatsapp", "where webhooks go")
    option("--phone-number-id", "WA_PHONE_NUMBER_ID", "106540352242922", "id of the business number")
    option("--other-numbers", "SANDBOX_OTHER_NUMBERS", "", "ids of further business numbers, with commas between")
    option("--display-phone-number", "SANDBOX_DISPLAY_PHONE_NUMBER", "15550783881", "the business number, digits")
    option("--waba-id", "SANDBOX_WABA_ID", "102290129340398", "id of the WhatsApp Business account")
    option("--app-id", "SANDBOX_APP_ID", "670843887433847", "id of the app that the access token is of")
    option("--answer-ms", "SANDBOX_ANSWER_MS", "150-600", "answer time of a send: from-to", _numbers)
    meaning = "messages a second that Meta allows a number, 0 for no limit"
    option("--throughput", "SANDBOX_THROUGHPUT", "80", meaning, _whole)
    option("--window", "SANDBOX_WINDOW", "off", "a closed customer service window: off, refuse or fail")
    meaning = "sent, delivered, read: each counted from acceptance"
    option("--status-delays-ms", "SANDBOX_STATUS_DELAYS_MS", "100,300,600", meaning, _numbers)
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    """``150-600`` or ``100,300,600``."""
    parts = re.split(r"[-,]", text)
    if not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of whole milliseconds")
    return tuple(int(part) for part in parts)


def _identity(options: argparse.Namespace) -> Identity:
    missing = [name for name in _SECRETS if not os.environ.get(name)]
    if missing:
        raise StartError(f"The sandbox needs {' and '.join(missing)} in the environment.")
    if not options.webhook_url.startswith(("http://", "https://")):
        raise StartError("The webhook URL (--webhook-url or SANDBOX_WEBHOOK_URL) must begin with http:// or https://.")
    if not options.phone_number_id.isdecimal():
        raise StartError("The phone number id (--phone-number-id or WA_PHONE_NUMBER_ID) must be digits only.")
    if not options.app_id.isdecimal():
        raise StartError("The app id (--app-id or SANDBOX_APP_ID) must be digits only.")
    return Identity(
        phone_number_id=options.phone_number_id,
        display_phone_number=options.display_phone_number,
        waba_id=options.waba_id,
        webhook_url=options.webhook_url,
        access_token=os.environ["WA_ACCESS_TOKEN"],
        app_secret=os.environ["WA_APP_SECRET"],
        other_numbers=tuple(filter(None, options.other_numbers.split(","))),
        app_id=options.app_id,
    )


def _behaviour(options: argparse.Namespace) -> Behaviour:
    answer = options.answer_ms
    try:
        return Behaviour(
            answer if len(answer) > 1 else answer * 2,
            options.status_delays_ms,
            throughput=options.throughput,
            window=options.window,
        )
    except InputError as problem:
        option = "--" + problem.field.replace("_", "-")
        raise StartError(f"{option} (SANDBOX_{problem.field.upper()}): {problem.problem}.") from None


def _listen(port: int) -> socket.socket:
    try:
        return bind_sockets(port, "127.0.0.1", family=socket.AF_INET, backlog=BACKLOG)[0]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"Port {port} on 127.0.0.1 is taken; choose another with --port or SANDBOX_PORT."
            ) from None
        raise StartError(f"The sandbox cannot listen on port {port}: {error.strerror}.") from None


if __name__ == "__main__":
    sys.exit(main())
