"""Sends to the web application in this process, sampled by CPU time: `python -m bench.pipeline.sampled_sends 60`.

Prints `frame;frame;… count` lines. Run it with the environment of a pipeline. Each send is one call of the WSGI
application in the main thread, 80 a second, without gunicorn. SIGPROF comes with each CPU tick of this process, user or
system, so waiting counts nothing; Python handles it at the next bytecode, so what C code takes counts for its caller.
"""

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import Any

from testkit.load.api_clients import recipients

PER_S = 80
WARM_UP = 100
# Shorter than the kernel's tick: one sample a tick.
EVERY_S = 0.001
PATH = "/messaging/send"
_CHECKOUT = f"{Path(__file__).resolve().parents[2]}/"
_LIBRARIES = "site-packages/"
_PYTHON = f"{Path(os.__file__).parent}/"


def main() -> None:
    """Sample, and print the stacks."""
    from waproject.wsgi import application

    seconds = float(sys.argv[1])
    stacks: Counter[str] = Counter()
    inside = False

    def sample(_: int, frame: FrameType | None) -> None:
        if inside:
            stacks[";".join(_stack(frame))] += 1

    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    for number, to in enumerate(recipients(WARM_UP + int(seconds * PER_S))):
        began = time.monotonic()
        environ = _environ(text_to(to))
        inside = number >= WARM_UP
        answer = application(environ, _require_202)
        answer.close()
        inside = False
        time.sleep(max(0.0, began + 1 / PER_S - time.monotonic()))
    signal.setitimer(signal.ITIMER_PROF, 0)
    for stack, count in stacks.items():
        print(stack, count)


def text_to(to: str) -> dict[str, Any]:
    """The body of a send."""
    text = "Your parcel arrives today between 2 and 4 pm."
    return {"phone_number": f"+{to}", "message_type": "text", "message_data": {"content": text}}


def send(application: Any, body: Mapping[str, Any]) -> None:
    """Send this body to the application in this thread. Raises RuntimeError."""
    application(_environ(body), _require_202).close()


def _require_202(status: str, headers: Any, exc_info: Any = None) -> Any:
    if not status.startswith("202"):
        raise RuntimeError(f"the send was answered {status}")


def _environ(body: Mapping[str, Any]) -> dict[str, Any]:
    sent = json.dumps(body).encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": os.environ["PORT"],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": f"127.0.0.1:{os.environ['PORT']}",
        "HTTP_AUTHORIZATION": f"Bearer {os.environ['API_KEY']}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(sent)),
        "wsgi.input": BytesIO(sent),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }


def _stack(frame: FrameType | None) -> list[str]:
    """Outermost first, from the application on: `Class.method (package/module.py)`."""
    frames: list[str] = []
    while frame is not None and frame.f_globals.get("__name__") != "__main__":
        code = frame.f_code
        path = code.co_filename.rpartition(_LIBRARIES)[2].removeprefix(_CHECKOUT).removeprefix(_PYTHON)
        name = getattr(code, "co_qualname", code.co_name).replace(".<locals>", "").replace(";", ",")
        frames.append(f"{name} ({path})")
        frame = frame.f_back
    return frames[::-1]


if __name__ == "__main__":
    main()
