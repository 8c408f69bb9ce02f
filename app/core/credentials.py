"""Secrets in a text: what opens a door, told by its own form or by the name beside it."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode

from app.core.masking import STARS, Kind

# --- secrets that say themselves what they are

#: How they begin, and what follows; the beginning stays, to say what must be revoked. Sources:
#: the issuers' own pages, as collected in gitleaks (`config/gitleaks.toml`).
_ISSUED = (
    ("xox[a-z]-|xapp-", "[0-9A-Za-z-]{8,}"),  # Slack
    (r"hooks\.slack\.com/(?:services|workflows|triggers)/", r"[\w/]{8,}"),
    ("gh[pousr]_", "[0-9A-Za-z]{16,}"),  # GitHub
    ("github_pat_", r"\w{16,}"),
    ("glpat-", r"[\w-]{16,}"),  # GitLab
    ("A(?:KI|SI|GP|RO|IP|NP|NV)A", "[0-9A-Z]{16}(?![0-9A-Za-z])"),  # AWS
    ("AIza", r"[\w-]{30,}"),  # Google
    ("[rs]k_(?:live|test)_", r"\w{16,}"),  # Stripe
    ("sk-(?:proj-|ant-[a-z0-9]+-)?", "[0-9A-Za-z_]{20,}"),
    ("dapi", "[0-9a-f]{32}"),  # Databricks
    ("gls?[ac]_", r"[\w+/=]{20,}"),  # Grafana
    ("npm_|hf_", "[0-9A-Za-z]{30,}"),
    (r"(?<![\w-])eyJ", r"[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?"),  # a JWT's `{"` in base64url, RFC 7519
)
_TOKEN = re.compile(
    "(?<![0-9A-Za-z])(?:" + "|".join(f"(?:{head})(?:{rest})" for head, rest in _ISSUED) + ")"
)
_HEADS = re.compile("|".join(head for head, _ in _ISSUED))
_TOKEN_SIGNS = tuple(
    "xox xapp- hooks.s ghp_ gho_ ghu_ ghs_ ghr_ github_p glpat- akia asia agpa aroa aipa anpa"  # noqa: SIM905
    " anva aiza k_live_ k_test_ sk- dapi gla_ glc_ glsa_ npm_ hf_ eyj".split()
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|.*)",
    re.DOTALL,
)
_BEARER = re.compile(r"(?i:(?<![a-z])(bearer|basic)(\s+))([\w.~+/-]{8,}={0,2})")
_USER_INFO = re.compile(r"(://[^\s/:@]*:)([^\s/]+)@(?=[^\s@])")


def _token(found: re.Match[str]) -> str:
    head = _HEADS.match(found[0])
    return (head[0] if head else "") + STARS


def _private_key(_found: re.Match[str]) -> str:
    return f"{STARS}PRIVATE KEY{STARS}"


def _bearer(found: re.Match[str]) -> str:
    """RFC 6750 and 7617. Both words are also said of other things."""
    scheme, gap, value = found.groups()
    secret = _is_user_and_password(value) if scheme.lower() == "basic" else _looks_made(value)
    return f"{scheme}{gap}{STARS}" if secret else found[0]


def _is_user_and_password(value: str) -> bool:
    try:
        return b":" in b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _user_info(found: re.Match[str]) -> str:
    return f"{found[1]}{STARS}@"


# --- secrets that a name beside them tells

_CERTAIN = (
    r"pass(?:word|wd|phrase)|senha|(?:client|app|webhook|signing|shared)[_.-]?secret|cvv|cvc"
    r"|(?:secret|private|encryption)[_.-]?(?:access[_.-]?)?key|api[_.-]?key"
    r"|(?:access|auth|refresh|id|bot|api|bearer|session|security)[_.-]?token"
)
#: Names that are also given to what is no secret: a Kubernetes object, a kind of token.
_DOUBTFUL = r"secret|segredo|token|pwd|pass|auth(?:orization)?|credentials?|sig(?:nature)?|cookie"
_SCHEME = re.compile(r"(?i)(?:basic|bearer|digest|negotiate|token|apikey)\s+")
_VALUE = (
    r"\"[^\"\n]{0,4096}\"?|'[^'\n]{0,4096}'?"
    rf"|(?:{_SCHEME.pattern.removeprefix('(?i)')})?(?:(?!,\s*[\w.]+\s*[=:])[^\s\"'&;<>])+"
)
_NAMED = re.compile(
    rf"(?i:(?:(?P<certain>{_CERTAIN})|(?<![a-z])(?:{_DOUBTFUL}))[\"']?\s{{0,3}}(?:=>|=|:(?!/))"
    rf"\s{{0,3}}(?P<value>{_VALUE}))"
)
_IN_QUERY = re.compile(
    r"(?i:([?&](?:key|code|sid|jwt|otp|x-amz-[a-z-]+|x-goog-signature|[a-z_-]*token)=))"
    r"([^&\s#\"']+)"
)
_NAME_SIGNS = tuple(
    "passw passp senha secret segredo key token pwd pass= pass: auth cred sig cookie cvv"  # noqa: SIM905
    " cvc".split()
)
_QUERY_SIGNS = ("key=", "code=", "sid=", "jwt=", "otp=", "x-amz", "x-goog", "token=")
_CERTAIN_NAME = re.compile(rf"(?i)(?:{_CERTAIN})\Z")
_NO_SECRET = re.compile(
    r"(?i)(?:true|false|none|null|nil|yes|no|\*+|x{3,}|[<\[(]\w+[>\])]|\$\{?\w+\}?|\{\{.*\}\})?[,.)\]}]*\Z"
)
_MADE_LENGTH = 6


def names_a_secret(name: str) -> bool:
    """Whether a label of this name holds a secret, whatever its value looks like."""
    return _CERTAIN_NAME.search(name) is not None


def is_said(value: str) -> bool:
    """Whether something is said about a secret in its place: that there is none, or is masked."""
    return _NO_SECRET.match(value) is not None


def _looks_made(value: str) -> bool:
    """Whether a machine or a careful person made it up: no word, name, path or plain number."""
    if len(value) < _MADE_LENGTH or value.startswith("/"):
        return False
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed and ("-" not in value or value.lower() != value)


def _named(found: re.Match[str]) -> str:
    value = found["value"]
    mark = value[0] if value[0] in "\"'" else ""
    closing = mark if len(value) > 1 and value.endswith(mark) else ""
    said = value.strip("\"'")
    secret = _SCHEME.sub("", said, count=1)
    if is_said(secret) or not (found["certain"] or secret != said or _looks_made(secret)):
        return found[0]
    before = found[0].removesuffix(value)
    return f"{before}{mark}{said.removesuffix(secret)}{STARS}{closing}"


def _in_query(found: re.Match[str]) -> str:
    return found[1] + STARS if _looks_made(found[2]) else found[0]


CREDENTIALS: tuple[Kind, ...] = (
    Kind("secret", _PRIVATE_KEY, _private_key, signs=("private key",)),
    Kind("secret", _USER_INFO, _user_info, signs=("@",)),
    Kind("secret", _BEARER, _bearer, signs=("bearer", "basic ")),
    Kind("secret", _TOKEN, _token, signs=_TOKEN_SIGNS),
    Kind("secret", _NAMED, _named, signs=_NAME_SIGNS),
    Kind("secret", _IN_QUERY, _in_query, signs=_QUERY_SIGNS),
)
