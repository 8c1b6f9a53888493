"""A slow wire: a TCP relay in front of a server, that can be slowed, frozen at a byte and cut.

    wire = Relay(registry.port, rate=2_000_000)      bytes a second, both ways together
    wire.freeze_at(100_000)                          nothing more passes once so much has
    wire.frozen.wait(10)
    wire.thaw()                                      what was held goes on; or
    wire.cut()                                       what was held is lost, its connections end
"""

import socket
import threading
import time

from .ports import Acceptor


class Relay:
    def __init__(self, port, rate=None):
        self.upstream, self.rate = port, rate
        self.passed = 0
        self.frozen = threading.Event()
        self._limit = None
        self._generation = 0
        self._open = threading.Condition()
        self._began, self._spent = time.monotonic(), 0
        self._acceptor = Acceptor(self._serve)
        self.port = self._acceptor.port
        self.host = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.host

    def freeze_at(self, count):
        """Lets `count` bytes pass from now on, then stops; .frozen is set when that happens."""
        with self._open:
            self.passed = 0
            self._limit = count
            self.frozen.clear()

    def thaw(self, rate=None):
        """Lets everything pass again, at `rate` bytes a second (None: at once), and counts anew."""
        with self._open:
            self._limit, self.rate = None, rate
            self._began, self._spent = time.monotonic(), 0
            self.passed = 0
            self._open.notify_all()

    def cut(self):
        """Ends every connection, loses what is held, and lets new ones pass."""
        with self._open:
            self._generation += 1
        self.thaw()

    def stop(self):
        self._acceptor.stop()
        self.cut()

    def _serve(self, here):
        try:
            there = socket.create_connection(("127.0.0.1", self.upstream))
        except OSError:
            here.close()
            return
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pair in ((here, there), (there, here)):
            threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, target):
        generation = self._generation
        try:
            while data := source.recv(16384):
                if not self._may_pass(len(data), generation):
                    break
                target.sendall(data)
        except OSError:
            pass
        finally:
            for s in (source, target):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _may_pass(self, size, generation):
        """When it does; never, and not counted, once its connection was cut."""
        with self._open:
            while generation == self._generation and self._limit is not None and self.passed + size > self._limit:
                self.frozen.set()
                self._open.wait(1)
            if generation != self._generation:
                return False
            self.passed += size
            self._spent += size
            pause = self._spent / self.rate - (time.monotonic() - self._began) if self.rate else 0
        if pause > 0:
            time.sleep(min(pause, 1))
        return True
