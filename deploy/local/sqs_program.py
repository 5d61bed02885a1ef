"""The program of the local SQS server: ministack, which ends a request when its client has gone.

ministack alone keeps the long poll of a client that was killed, for up to 20 seconds, and gives it the next
message of the queue. Nobody gets that message then until its visibility timeout is over.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def ends_with_its_client(application: Application) -> Application:
    """The ASGI application, each of whose HTTP requests is cancelled when its client disconnects."""

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        received: asyncio.Queue[Message] = asyncio.Queue()
        request = asyncio.ensure_future(application(scope, received.get, send))
        client = asyncio.ensure_future(_until_disconnected(receive, received))
        try:
            await asyncio.wait({request, client}, return_when=asyncio.FIRST_COMPLETED)
            if request.done():
                await request
        finally:
            request.cancel()
            client.cancel()

    return wrapped


async def _until_disconnected(receive: Receive, received: asyncio.Queue[Message]) -> None:
    while True:
        message = await receive()
        await received.put(message)
        if message["type"] == "http.disconnect":
            return


def main() -> None:
    """Run ministack until SIGTERM."""
    from hypercorn.config import Config
    from ministack import app as ministack

    # On a stop the web server waits this long for open requests before the state is written, 3 s as it comes. They are
    # long polls of workers that have already ended.
    Config.graceful_timeout = 0.2
    ministack.app = ends_with_its_client(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
