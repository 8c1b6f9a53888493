"""Free ports on the loopback interface."""

import socket


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
