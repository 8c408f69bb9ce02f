"""Certificates made for one test, for 127.0.0.1 and localhost, that sign themselves."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.neighbours.processes import NeighbourFailed, find_program

_EXTENSIONS = (
    "subjectAltName=IP:127.0.0.1,DNS:localhost",
    # Python 3.13 trusts no authority, itself included, that does not say it may sign.
    "keyUsage=critical,digitalSignature,keyCertSign",
)


@dataclass(frozen=True)
class Certificate:
    """PEM files."""

    path: Path
    key: Path

    def client_context(self) -> ssl.SSLContext:
        """What a client needs to trust this certificate and no other."""
        return ssl.create_default_context(cafile=str(self.path))


def make_certificate(directory: Path) -> Certificate:
    certificate = Certificate(directory / "certificate.pem", directory / "key.pem")
    command = [find_program("openssl"), "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=test"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += [part for extension in _EXTENSIONS for part in ("-addext", extension)]
    command += ["-keyout", str(certificate.key), "-out", str(certificate.path)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if made.returncode:
        raise NeighbourFailed(f"openssl made no certificate: {made.stderr}")
    return certificate
