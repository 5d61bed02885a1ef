"""A TCP proxy that can fall silent: connections stay open and are accepted, and nothing comes through any more."""

import contextlib
import socket
import threading


class SilentProxy:
    """Forwards to a port of 127.0.0.1 while `forwards` is set."""

    def __init__(self, target: int) -> None:
        self.forwards = threading.Event()
        self.forwards.set()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close every connection."""
        self.forwards.set()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
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
