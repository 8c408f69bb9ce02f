"""Whom we trust over TLS.

Reading the usual authorities takes a tenth of a second: they are read once, and only where an
https:// address needs them.
"""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings


def trust(*urls: str | None) -> ssl.SSLContext:
    """For a client that calls these addresses: the usual authorities, or those that SSL_CERT_FILE
    or SSL_CERT_DIR name; nobody at all where none of the addresses is https."""
    needed = any(url and url.lower().startswith("https:") for url in urls)
    return _authorities() if needed else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def trust_in_mlflow(settings: Settings) -> ssl.SSLContext:
    """As MLflow's own variables ask for it, MLFLOW_TRACKING_INSECURE_TLS and
    MLFLOW_TRACKING_SERVER_CERT_PATH: https://mlflow.org/docs/latest/self-hosting/security/."""
    if settings.mlflow_tracking_insecure_tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    if path := settings.mlflow_tracking_server_cert_path:
        return read_certificates(path)
    return trust(settings.mlflow_tracking_uri)


def read_certificates(path: Path) -> ssl.SSLContext:
    """A context that trusts these. Raises ValueError for a file that is none of certificates."""
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        why = "no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"{path}: {why}") from None


@cache
def _authorities() -> ssl.SSLContext:
    import httpx  # noqa: PLC0415  (commands begin without it)

    return httpx.create_ssl_context()
