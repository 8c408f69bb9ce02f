"""A listening socket of 127.0.0.1."""

from __future__ import annotations

import socket


def listening_socket(port: int = 0) -> socket.socket:
    """On this port, or with 0 on any free one."""
    # Named TCP, or asyncio leaves Nagle's algorithm on: 40 ms for every answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    return listener
