"""Process settings: environment variables, a `.env` file, and `NAME_FILE` for every secret.

The environment has precedence over `.env`; an empty variable counts as not set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.core.rights import Right
from app.errors import ConfigError, ConfigProblem
from app.values import (
    Locale,
    SmtpServer,
    check_ancestor,
    check_certificates,
    check_channel,
    check_database_url,
    check_email,
    check_header_name,
    check_http_url,
    check_link_secret,
    check_timezone,
    in_url,
    parse_network,
    parse_size,
    parse_smtp_url,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def _split(value: object) -> object:
    """A comma-separated text as its parts; anything else is for the validator to judge."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _read(parse: Callable[[str], object]) -> BeforeValidator:
    """Text as what it stands for; anything else is for the validator to judge."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


def _on_secret(check: Callable[[str], object]) -> AfterValidator:
    def checked(secret: SecretStr) -> SecretStr:
        check(secret.get_secret_value())
        return secret

    return AfterValidator(checked)


# What is left out of repr() is a secret, or may hold one, as a URL may hold a password.
_HIDDEN = Field(repr=False)
_HttpUrl = Annotated[str, AfterValidator(check_http_url)]
_Url = Annotated[_HttpUrl | None, _HIDDEN]
_Urls = Annotated[tuple[_HttpUrl, ...], BeforeValidator(_split), _HIDDEN]
_Secret = Annotated[SecretStr | None, _HIDDEN]
_Email = Annotated[str, AfterValidator(check_email)]
_Network = Annotated[IPv4Network | IPv6Network, _read(parse_network)]


class Settings(BaseSettings):
    """All settings of the process. `variable(field)` names the environment variable of each.

    Made with keyword arguments it sees no environment; `read_settings` does.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    config: Path | None = None
    database_url: Annotated[SecretStr, _on_secret(check_database_url), _HIDDEN] = SecretStr(
        "sqlite:///data/plantao.db"
    )
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: _Url = None
    webhook_token: _Secret = None
    api_tokens: Annotated[tuple[SecretStr, ...], BeforeValidator(_split), _HIDDEN] = ()
    api_token: _Secret = None
    proxy_user_header: Annotated[str, AfterValidator(check_header_name)] | None = None
    proxy_user_right: Right = Right.RESPOND
    trusted_proxies: Annotated[tuple[_Network, ...], BeforeValidator(_split)] = ()
    frame_ancestors: Annotated[
        tuple[Annotated[str, AfterValidator(check_ancestor)], ...], BeforeValidator(_split)
    ] = ()
    max_body_bytes: Annotated[int, _read(parse_size), Field(ge=1)] = 32 * 2**20
    prometheus_url: _Url = None
    alertmanager_url: _Urls = ()
    grafana_url: _Url = None
    mlflow_tracking_uri: _Url = None
    mlflow_tracking_username: str | None = None
    mlflow_tracking_password: _Secret = None
    mlflow_tracking_token: _Secret = None
    mlflow_tracking_insecure_tls: bool = False
    mlflow_tracking_server_cert_path: Annotated[Path, AfterValidator(check_certificates)] | None = (
        None
    )
    mlflow_webhook_secret: _Secret = None
    slack_bot_token: _Secret = None
    slack_signing_secret: _Secret = None
    slack_app_token: _Secret = None
    slack_channel: Annotated[str, AfterValidator(check_channel)] | None = None
    slack_api_url: Annotated[_HttpUrl, AfterValidator(lambda url: f"{url}/"), _HIDDEN] = (
        "https://slack.com/api/"
    )
    smtp_url: Annotated[Annotated[SecretStr, _on_secret(parse_smtp_url)] | None, _HIDDEN] = None
    email_from: _Email | None = None
    email_to: Annotated[tuple[_Email, ...], BeforeValidator(_split)] = ()
    link_secret: Annotated[Annotated[SecretStr, _on_secret(check_link_secret)] | None, _HIDDEN] = (
        None
    )
    locale: Locale = "en"
    timezone: Annotated[str, AfterValidator(check_timezone)] = "America/Sao_Paulo"
    log_format: Literal["console", "json"] = "console"

    unknown: tuple[str, ...] = ()
    """Variables that begin with PLANTAO_ and mean nothing: worth a warning, often a slip."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keyword arguments only: `read_settings` gathers the rest, with a place for each error."""
        return (init_settings,)

    @property
    def base_url(self) -> str:
        """What links in messages begin with; no slash at its end."""
        if self.public_url:
            return self.public_url
        return f"http://{in_url(self.host)}:{self.port}"

    @property
    def https(self) -> bool:
        """Whether people reach us by https."""
        return self.base_url.startswith("https://")

    @property
    def hears_slack(self) -> bool:
        """Whether buttons can be pressed: over HTTP with the signing secret, or Socket Mode."""
        return bool(self.slack_signing_secret or self.slack_app_token)

    @property
    def sender(self) -> str:
        """The address that mails come from. That of a host without a name is an address literal
        (RFC 5321, 4.1.3): a bare number after the @ is no address."""
        if self.email_from or self.smtp is None:
            return self.email_from or "plantao@localhost"
        host = self.smtp.host
        try:
            literal = ip_address(host.partition("%")[0])
        except ValueError:
            return f"plantao@{host}"
        return f"plantao@[{'IPv6:' if literal.version == 6 else ''}{literal}]"  # noqa: PLR2004

    @property
    def smtp(self) -> SmtpServer | None:
        """The mail server, if one is set."""
        return parse_smtp_url(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @property
    def config_file(self) -> Path | None:
        """The named configuration file, or `plantao.yml` if there is one."""
        default = Path("plantao.yml")
        return self.config or (default if default.exists() else None)

    @property
    def exposed(self) -> bool:
        """Whether other machines may reach the listening address."""
        try:
            return not ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host != "localhost"

    def refusal_to_start(self) -> str | None:
        """Why the service must not start with these settings, in a sentence; None if it may.

        A token in the database that opens the API also lets it.
        """
        if not self.exposed or self.api_tokens:
            return None
        return (
            f"PLANTAO_HOST={self.host} can be reached from other machines, and without"
            " PLANTAO_API_TOKENS anyone there could read and resolve incidents: set"
            " PLANTAO_API_TOKENS, make a token (plantao tokens create), or listen on 127.0.0.1"
        )


_FOREIGN = ("mlflow_tracking_", "slack_bot_token", "slack_signing_secret", "slack_app_token")


def variable(name: str) -> str:
    """The environment variable of a field of Settings; Slack's and MLflow's keep their names."""
    return name.upper() if name.startswith(_FOREIGN) else f"PLANTAO_{name.upper()}"


VARIABLES: Mapping[str, str] = {
    variable(name): name for name in Settings.model_fields if name != "unknown"
}
"""Every environment variable that is read, and the field it becomes."""

SECRETS: tuple[str, ...] = tuple(
    name for name, owner in VARIABLES.items() if not Settings.model_fields[owner].repr
)
"""Those that can also be read from the file that `NAME_FILE` names."""


def read_settings(
    environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")
) -> Settings:
    """Read the settings of this process.

    `environ` replaces the process environment; a `dotenv` that does not exist is none. Raises
    ConfigError with one problem per bad variable, which names it and never quotes a secret.
    """
    environment = _meant_for_us(os.environ if environ is None else environ)
    taken = {_owner(name) for name in environment} - {None}
    below = _meant_for_us(_read_dotenv(dotenv)) if dotenv else {}
    below = {name: text for name, text in below.items() if _owner(name) not in taken}
    problems: list[ConfigProblem] = []
    values = _values(environment, _ENVIRONMENT, problems) | _values(below, str(dotenv), problems)
    unknown = tuple(sorted(name for name in environment | below if _owner(name) is None))
    try:
        settings = Settings(**values, unknown=unknown)
    except ValidationError as error:
        places = {_owner(name): str(dotenv) for name in below}
        problems += [_problem(details, places) for details in error.errors()]
    if problems:
        raise ConfigError(*problems)
    return settings


_ENVIRONMENT = "environment"


def _meant_for_us(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {
        name: text
        for name, text in variables.items()
        if text and (name.startswith("PLANTAO_") or _owner(name))
    }


def _owner(name: str) -> str | None:
    """The setting that a variable sets, itself or through a file."""
    if name in VARIABLES:
        return name
    plain = name.removesuffix("_FILE")
    return plain if plain in SECRETS else None


def _read_dotenv(path: Path) -> Mapping[str, str | None]:
    try:
        return DotEnvSettingsSource(
            Settings, env_file=path, env_file_encoding="utf-8", case_sensitive=True
        ).env_vars
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    raise ConfigError(ConfigProblem(str(path), None, "", f"cannot be read: {reason}"))


def _values(
    variables: Mapping[str, str], place: str, problems: list[ConfigProblem]
) -> dict[str, Any]:
    values = {}
    for name, text in variables.items():
        owner = _owner(name)
        if owner is None:
            continue
        try:
            values[VARIABLES[owner]] = text if name == owner else _from_file(text, owner, variables)
        except ValueError as error:
            problems.append(ConfigProblem(place, None, name, str(error)))
    return values


def _from_file(path: str, owner: str, variables: Mapping[str, str]) -> str:
    # No message repeats the path: a secret set under the wrong name would be printed.
    if owner in variables:
        raise ValueError(f"expected only one of {owner} and {owner}_FILE, found both")
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"names a file that cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("names a file that is not UTF-8 text") from None
    if not text:
        raise ValueError("names a file that is empty")
    return text


def _problem(details: ErrorDetails, places: Mapping[str | None, str]) -> ConfigProblem:
    field_name = str(details["loc"][0])
    name = variable(field_name)
    message = _expectation(details)
    if Settings.model_fields[field_name].repr and "found" not in message:
        message += f", found {details['input']!r}"
    return ConfigProblem(places.get(name, _ENVIRONMENT), None, name, message)


def _expectation(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return f"expected {context['expected']}"
        case "bool_parsing":
            return "expected true or false"
        case "less_than_equal":
            return f"expected a whole number up to {context['le']}"
        case "greater_than_equal":
            return f"expected a whole number from {context['ge']}"
        case "int_parsing":
            return "expected a whole number"
        case _:
            return details["msg"]
