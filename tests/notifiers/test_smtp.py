"""The connection that a mail is handed in over."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.notifiers.smtp import MailServer
from app.values import SmtpServer as Settings
from tests.neighbours.certificates import Certificate, make_certificate


def test_a_server_that_does_not_hang_up_keeps_no_connection(tmp_path: Path) -> None:
    """Over TLS, asyncio waits for the server's goodbye, and a loop that ends first leaves the
    socket to the garbage; the warning about that fails this test."""
    certificate = make_certificate(tmp_path)
    with clinging(certificate) as port:
        settings = Settings("127.0.0.1", port, tls="tls")
        asyncio.run(MailServer(settings, tls_context=certificate.client_context()).check())
    gc.collect()


@contextmanager
def clinging(certificate: Certificate) -> Iterator[int]:
    """A server over TLS, for one connection, which it leaves open; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key)
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        raw, _ = listener.accept()
        with context.wrap_socket(raw, server_side=True) as connection:
            connection.sendall(b"220 ready\r\n")
            while not connection.recv(1000).startswith(b"QUIT"):
                connection.sendall(b"250 fine\r\n")
            connection.sendall(b"221 bye\r\n")
            over.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()
