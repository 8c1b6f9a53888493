"""Ports on the loopback interface: free ones, and those that a test answers on itself."""

import socket
import threading


def free_port():
    """A port that nobody listened on a moment ago; a server that loses the race fails to start and says so."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    """Does somebody listen on this loopback port?"""
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Acceptor:
    """Listens on a free port and gives each connection to `serve`, in a thread of its own, until stop()."""

    def __init__(self, serve):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, args=(serve,), daemon=True)
        self._thread.start()

    def stop(self):
        """The thread ends before its socket's number is free: an accept that the kernel restarts would take
        the connections of whoever has that number by then."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _accept(self, serve):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()
