"""Ports of this machine that a server may keep."""

import random
import socket

LOWEST, HIGHEST = 20_000, 32_000
"""Below those that the system gives to clients: a client that knocks at a closed one of theirs may be given the very
port, connect to itself, and keep the server from coming back."""

HOST = "localhost"


def free_port() -> int:
    while True:
        port = random.randrange(LOWEST, HIGHEST)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen there; what a dead one left in TIME_WAIT does not matter."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
