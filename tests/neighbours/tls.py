"""A server on loopback that speaks TLS, with a certificate that only those trust who know it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from tests.neighbours.processes import find_program
from tests.neighbours.serving import LoopbackServer


class TlsServer(LoopbackServer):
    """`certificate` is a file to trust, in PEM form."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.certificate, key = directory / "certificate.pem", directory / "key.pem"
        names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
        subprocess.run(
            [
                *(find_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
                *("-keyout", key, "-out", self.certificate, "-days", "2", *names),
            ],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        # Each connection shakes hands in a thread of its own: one that never does holds up nobody.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    @property
    def url(self) -> str:
        return f"https://{self.address}"
