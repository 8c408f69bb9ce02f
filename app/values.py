"""What a value in the settings or in plantao.yml may be: each check says what it expected.

They raise ValueError. No message repeats what may hold a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from app.certificates import read_certificates

Locale = Literal["en", "pt-BR"]
Tls = Literal["none", "starttls", "tls"]

_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_CHANNEL = re.compile(r"#[^\s#]{1,80}|[CG][A-Z0-9]{6,20}")
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
_BYTES = re.compile(r"([0-9]{1,15}) ?(|[kmg]i?b|b)", re.IGNORECASE)
_FACTORS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_FACTORS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30}
_SECRET_LENGTH = 32
_SMTP_FORM = (
    "expected smtp://user:password@host:port (write / ? # @ in a password as %2F %3F %23 %40)"
)


def check_email(address: str) -> str:
    """Raise ValueError unless this can be an address; whether it exists only a mail can tell."""
    if not _EMAIL.fullmatch(address):
        raise ValueError(f"expected an address such as plantao@example.com, found {address!r}")
    return address


def check_channel(channel: str) -> str:
    """Raise ValueError unless this names a Slack channel: `#name`, or an id as C0123456789."""
    if not _CHANNEL.fullmatch(channel):
        raise ValueError(
            'expected a channel such as "#plantao", or its id such as C0123456789,'
            f" found {channel!r}"
        )
    return channel


def check_timezone(name: str) -> str:
    """Raise ValueError unless this is the name of an IANA time zone."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(
            f"expected a time zone such as America/Sao_Paulo or UTC, found {name!r}"
        ) from None
    return name


def check_http_url(url: str) -> str:
    """The URL without the slash at its end; ValueError unless it is http(s) and has a host."""
    # The message does not repeat the URL: it may hold a password.
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("expected a URL that begins with http:// or https:// and names a host")
    return url.rstrip("/")


def in_url(host: str) -> str:
    """The host as it stands in an address: IPv6 in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def check_ancestor(origin: str) -> str:
    """The origin as a Content-Security-Policy names it; ValueError unless it is one."""
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"expected an origin such as https://grafana.example.com, found {origin!r}"
        )
    return origin.lower()


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """An address, or a network such as 10.0.0.0/8, as a network; raises ValueError."""
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(
            f"expected an address such as 10.0.0.7 or a network such as 10.0.0.0/8, found {text!r}"
        ) from None


def check_header_name(name: str) -> str:
    """Raise ValueError unless a header can be called so."""
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"expected a header's name such as X-Forwarded-User, found {name!r}")
    return name


def check_link_secret(secret: str) -> None:
    """Raise ValueError for a secret that could be found by trying."""
    if len(secret) < _SECRET_LENGTH:
        raise ValueError(
            f"expected at least {_SECRET_LENGTH} characters, such as `openssl rand -hex 32` prints"
        )


def check_certificates(path: Path) -> Path:
    """Raise ValueError unless certificates can be read there now."""
    try:
        read_certificates(path)
    except ValueError as error:
        raise ValueError(f"expected a file of certificates, found {error}") from None
    return path


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. With `starttls` the server must offer TLS, or nothing is sent."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls = "none"


def parse_smtp_url(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:587?tls=starttls` or `smtps://…`.

    Ports default to 25, 587 with STARTTLS (RFC 6409) and 465 with TLS from the start (RFC 8314).
    User and password are percent-decoded. Raises ValueError with no part of the URL in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(_SMTP_FORM) from None
    if parts.scheme not in ("smtp", "smtps"):
        raise ValueError("expected a URL that begins with smtp:// or smtps://")
    if not host or parts.path.strip("/") or parts.fragment or port == 0:
        raise ValueError(_SMTP_FORM)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) is not bool(password):
        raise ValueError("expected both a user and a password, or neither")
    tls = _smtp_tls(parts.scheme, parts.query)
    default = {"none": 25, "starttls": 587, "tls": 465}[tls]
    return SmtpServer(host, port or default, user or None, password or None, tls)


def _smtp_tls(scheme: str, query: str) -> Tls:
    allowed = {"smtp": ("none", "starttls", "tls"), "smtps": ("tls",)}[scheme]
    options = parse_qsl(query, keep_blank_values=True) or [("tls", allowed[0])]
    if len(options) != 1 or options[0][0] != "tls" or options[0][1] not in allowed:
        raise ValueError(f"expected no option but tls, with {' or '.join(allowed)} for {scheme}://")
    return cast("Tls", options[0][1])


def parse_size(text: str) -> int:
    """Bytes, with or without a unit; those with an i are powers of 1,024."""
    found = _BYTES.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"expected a size such as 33554432 or 32MiB, found {text!r}")
    return int(found[1]) * _FACTORS[found[2].lower()]


def check_database_url(url: str) -> None:
    """Raise ValueError unless it is of a kind of database that there is a driver for."""
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("expected a URL that begins with sqlite:/// or postgresql+psycopg://")
