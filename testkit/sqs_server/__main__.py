"""`python -m testkit.sqs_server --port N [--latency-ms X]`: serve until SIGTERM or the end of the parent process."""

import argparse
import asyncio
import os
import signal

from testkit.sqs_server.server import Server


async def serve(port: int, latency_ms: float) -> None:
    """Serve until a signal, or until the parent is gone."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await Server(port, latency_ms).listen()
    parent = os.getppid()
    while not ended.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(ended.wait(), 1.0)
        except TimeoutError:
            continue


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.latency_ms))
