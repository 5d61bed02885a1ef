"""`python -m bench.pipeline.subscriber PORT`: a subscriber's endpoint that answers 204 and keeps when each wamid came.

GET answers the {wamid: unix seconds} of all deliveries.
"""

import asyncio
import json
import sys
import time

ARRIVED: dict[str, float] = {}


async def serve_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it ends."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = int(head.lower().partition("content-length:")[2].partition("\r\n")[0] or 0)
            body = await reader.readexactly(length)
            if head.startswith("GET "):
                content = json.dumps(ARRIVED).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
            else:
                ARRIVED[json.loads(body)["data"]["wamid"]] = time.time()
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(serve_connection, "127.0.0.1", port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
