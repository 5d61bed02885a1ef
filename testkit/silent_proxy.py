"""A TCP proxy that can stop forwarding while it keeps connections open, or refuse connections."""

import contextlib
import socket
import threading


class SilentProxy:
    """Forwards to the port `target` of 127.0.0.1 while the event `forwards` is set."""

    def __init__(self, target: int) -> None:
        self.forwards = threading.Event()
        self.forwards.set()
        self._target = target
        self._sockets: list[socket.socket] = []
        self._listen(0)

    def close(self) -> None:
        """Close every connection and refuse new ones."""
        self.forwards.set()
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def open(self) -> None:
        """Accept connections again."""
        self._listen(self.port)

    def _listen(self, port: int) -> None:
        listener = socket.create_server(("127.0.0.1", port))
        self.port = int(listener.getsockname()[1])
        self._sockets.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self.forwards.wait()
        server = socket.create_connection(("127.0.0.1", self._target))
        self._sockets.append(server)
        threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
        self._pump(client, server)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.forwards.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
