"""Settings from the environment, `.env` and secret files."""

from email.headerregistry import Address
from pathlib import Path

import pytest

from app.errors import ConfigError
from app.settings import SECRETS, VARIABLES, Settings, read_settings
from app.values import SmtpServer, parse_smtp_url

NOWHERE = Path("/nonexistent/.env")


def read(**variables: str) -> Settings:
    return read_settings(variables, NOWHERE)


def refused(**variables: str) -> dict[str, str]:
    """The message about each variable."""
    with pytest.raises(ConfigError) as caught:
        read(**variables)
    return {problem.key: problem.message for problem in caught.value.problems}


def test_nothing_has_to_be_set() -> None:
    settings = read()
    assert settings.database_url.get_secret_value() == "sqlite:///data/plantao.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.base_url == "http://127.0.0.1:8080"
    assert settings.timezone == "America/Sao_Paulo"
    assert settings.max_body_bytes == 33_554_432
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.smtp is None
    assert settings.unknown == ()


def test_the_variables_are_those_that_were_promised() -> None:
    assert set(VARIABLES) >= {
        "PLANTAO_CONFIG",
        "PLANTAO_DATABASE_URL",
        "PLANTAO_HOST",
        "PLANTAO_PORT",
        "PLANTAO_PUBLIC_URL",
        "PLANTAO_WEBHOOK_TOKEN",
        "PLANTAO_API_TOKENS",
        "PLANTAO_PROMETHEUS_URL",
        "PLANTAO_ALERTMANAGER_URL",
        "MLFLOW_TRACKING_URI",
        "MLFLOW_TRACKING_USERNAME",
        "MLFLOW_TRACKING_PASSWORD",
        "MLFLOW_TRACKING_TOKEN",
        "PLANTAO_MLFLOW_WEBHOOK_SECRET",
        "PLANTAO_GRAFANA_URL",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "PLANTAO_SLACK_CHANNEL",
        "PLANTAO_SLACK_API_URL",
        "PLANTAO_SMTP_URL",
        "PLANTAO_EMAIL_FROM",
        "PLANTAO_EMAIL_TO",
        "PLANTAO_LOCALE",
        "PLANTAO_TIMEZONE",
        "PLANTAO_LOG_FORMAT",
        "PLANTAO_MAX_BODY_BYTES",
    }


def test_values_are_read() -> None:
    settings = read(
        PLANTAO_CONFIG="a.yml",
        PLANTAO_DATABASE_URL="postgresql+psycopg://u:p@db/plantao",
        PLANTAO_HOST="::1",
        PLANTAO_PORT="9000",
        PLANTAO_API_TOKENS="one, two,",
        PLANTAO_ALERTMANAGER_URL="http://am-0:9093/, https://am-1/alertmanager",
        PLANTAO_EMAIL_TO="a@example.com,b@example.com",
        PLANTAO_SLACK_CHANNEL="#fraude",
        PLANTAO_SLACK_API_URL="http://127.0.0.1:9/api",
        PLANTAO_LOCALE="pt-BR",
        PLANTAO_TIMEZONE="UTC",
        PLANTAO_LOG_FORMAT="json",
        PLANTAO_MAX_BODY_BYTES="5 MB",
        MLFLOW_TRACKING_URI="http://mlflow:5000/",
        MLFLOW_TRACKING_INSECURE_TLS="true",
        SLACK_BOT_TOKEN="xoxb-1",
        UNRELATED="x",
    )
    assert settings.config_file == Path("a.yml")
    assert settings.base_url == "http://[::1]:9000"
    assert [token.get_secret_value() for token in settings.api_tokens] == ["one", "two"]
    assert settings.alertmanager_url == ("http://am-0:9093", "https://am-1/alertmanager")
    assert settings.email_to == ("a@example.com", "b@example.com")
    assert settings.slack_api_url == "http://127.0.0.1:9/api/"
    assert (settings.locale, settings.timezone, settings.log_format) == ("pt-BR", "UTC", "json")
    assert settings.max_body_bytes == 5_000_000
    assert settings.mlflow_tracking_uri == "http://mlflow:5000"
    assert settings.mlflow_tracking_insecure_tls is True


@pytest.mark.parametrize(
    ("text", "size"), [("1024", 1024), ("32MiB", 2**25), ("1k", None), ("2 KiB", 2048), ("0", None)]
)
def test_sizes(text: str, size: int | None) -> None:
    if size is None:
        assert "PLANTAO_MAX_BODY_BYTES" in refused(PLANTAO_MAX_BODY_BYTES=text)
    else:
        assert read(PLANTAO_MAX_BODY_BYTES=text).max_body_bytes == size


@pytest.mark.parametrize(
    ("host", "sender"),
    [
        ("mail.example.com", "plantao@mail.example.com"),
        ("127.0.0.1", "plantao@[127.0.0.1]"),
        ("[::1]", "plantao@[IPv6:::1]"),
    ],
)
def test_without_a_sender_mail_comes_from_the_mail_host(host: str, sender: str) -> None:
    settings = read(PLANTAO_SMTP_URL=f"smtp://{host}")
    assert settings.sender == sender
    assert not Address(addr_spec=sender).addr_spec.endswith("@")
    given = read(PLANTAO_SMTP_URL=f"smtp://{host}", PLANTAO_EMAIL_FROM="a@example.com")
    assert given.sender == "a@example.com"


def test_a_link_secret_that_can_be_guessed() -> None:
    problems = refused(PLANTAO_LINK_SECRET="x" * 31)
    assert "at least 32 characters" in problems["PLANTAO_LINK_SECRET"]


def test_an_empty_variable_is_not_set() -> None:
    assert read(PLANTAO_PORT="", SLACK_BOT_TOKEN="", PLANTAO_NONSENSE="") == read()


def test_unknown_variables_of_ours_are_listed(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PLANTAO_TYPO=1\nSOMETHING=2\n")
    variables = {"PLANTAO_HOSTT": "x", "PLANTAO_PORT_FILE": "x", "HOME": "/"}
    settings = read_settings(variables, dotenv)
    assert settings.unknown == ("PLANTAO_HOSTT", "PLANTAO_PORT_FILE", "PLANTAO_TYPO")


def test_the_environment_has_precedence_over_dotenv(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("from a file\n")
    dotenv = tmp_path / ".env"
    dotenv.write_text("PLANTAO_PORT=1\nPLANTAO_HOST=localhost\nSLACK_BOT_TOKEN=from-dotenv\n")
    settings = read_settings({"PLANTAO_PORT": "2", "SLACK_BOT_TOKEN_FILE": str(token)}, dotenv)
    assert (settings.host, settings.port) == ("localhost", 2)
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "from a file"


def test_problems_name_the_file_they_come_from(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PLANTAO_PORT=http\n")
    with pytest.raises(ConfigError) as caught:
        read_settings({}, dotenv)
    expected = f"{dotenv}: PLANTAO_PORT: expected a whole number, found 'http'"
    assert str(caught.value) == expected
    dotenv.write_bytes(b"A=\xff")
    with pytest.raises(ConfigError, match="cannot be read: it is not UTF-8 text"):
        read_settings({}, dotenv)


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_come_from_a_file(name: str, tmp_path: Path) -> None:
    values = {
        "PLANTAO_DATABASE_URL": "postgresql+psycopg://u:secret@db/x",
        "PLANTAO_SMTP_URL": "smtp://u:secret@mail",
        "PLANTAO_LINK_SECRET": "secret" * 6,
    }
    text = values.get(name, "https://u:secret@example.com")
    path = tmp_path / "secret"
    path.write_text(f"{text}\r\n")
    from_file, direct = read(**{f"{name}_FILE": str(path)}), read(**{name: text})
    assert from_file == direct != read()
    for settings in (from_file, direct):
        assert "secret" not in f"{settings!r} {settings}".replace("webhook_secret", "").replace(
            "link_secret", ""
        )


def test_secret_files_that_cannot_be_used(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff")
    assert refused(
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_BOT_TOKEN_FILE=str(empty),
        SLACK_APP_TOKEN_FILE="/nonexistent/token",
        SLACK_SIGNING_SECRET_FILE=str(empty),
        PLANTAO_WEBHOOK_TOKEN_FILE=str(tmp_path),
        PLANTAO_API_TOKENS_FILE=str(binary),
    ) == {
        "SLACK_BOT_TOKEN_FILE": "expected only one of SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE,"
        " found both",
        "SLACK_APP_TOKEN_FILE": "names a file that cannot be read: No such file or directory",
        "SLACK_SIGNING_SECRET_FILE": "names a file that is empty",
        "PLANTAO_WEBHOOK_TOKEN_FILE": "names a file that cannot be read: Is a directory",
        "PLANTAO_API_TOKENS_FILE": "names a file that is not UTF-8 text",
    }


def test_every_bad_variable_is_named_with_what_was_expected() -> None:
    url = "expected a URL that begins with http:// or https:// and names a host"
    assert refused(
        PLANTAO_PORT="65536",
        PLANTAO_DATABASE_URL="postgres://u:hunter2@h/d",
        PLANTAO_PUBLIC_URL="plantao.example.com",
        PLANTAO_ALERTMANAGER_URL="http://a:9093,b:9093",
        PLANTAO_PROMETHEUS_URL="http://a:hunter2",
        MLFLOW_TRACKING_URI="databricks",
        MLFLOW_TRACKING_INSECURE_TLS="perhaps",
        MLFLOW_TRACKING_SERVER_CERT_PATH=__file__,
        PLANTAO_SMTP_URL="smtp://u:hunt#er2@h",
        PLANTAO_EMAIL_TO="a@example.com,b",
        PLANTAO_SLACK_CHANNEL="fraude",
        PLANTAO_LOCALE="pt",
        PLANTAO_TIMEZONE="America",
        PLANTAO_LOG_FORMAT="text",
    ) == {
        "PLANTAO_PORT": "expected a whole number up to 65535, found '65536'",
        "PLANTAO_DATABASE_URL": "expected a URL that begins with sqlite:/// or"
        " postgresql+psycopg://",
        "PLANTAO_PUBLIC_URL": url,
        "PLANTAO_ALERTMANAGER_URL": url,
        "PLANTAO_PROMETHEUS_URL": url,
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_TRACKING_INSECURE_TLS": "expected true or false, found 'perhaps'",
        "MLFLOW_TRACKING_SERVER_CERT_PATH": "expected a file of certificates,"
        f" found {__file__}: no certificate in PEM form",
        "PLANTAO_SMTP_URL": "expected smtp://user:password@host:port"
        " (write / ? # @ in a password as %2F %3F %23 %40)",
        "PLANTAO_EMAIL_TO": "expected an address such as plantao@example.com, found 'b'",
        "PLANTAO_SLACK_CHANNEL": 'expected a channel such as "#plantao", or its id such as'
        " C0123456789, found 'fraude'",
        "PLANTAO_LOCALE": "expected 'en' or 'pt-BR', found 'pt'",
        "PLANTAO_TIMEZONE": "expected a time zone such as America/Sao_Paulo or UTC,"
        " found 'America'",
        "PLANTAO_LOG_FORMAT": "expected 'console' or 'json', found 'text'",
    }


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", SmtpServer("mail", 25)),
        ("smtp://mail?tls=starttls", SmtpServer("mail", 587, tls="starttls")),
        ("smtp://mail:2525/?tls=none", SmtpServer("mail", 2525)),
        ("smtps://mail", SmtpServer("mail", 465, tls="tls")),
        ("smtps://mail:466?tls=tls", SmtpServer("mail", 466, tls="tls")),
        (
            "smtp://me%40example.com:p%3A%2F%25@[::1]:587?tls=starttls",
            SmtpServer("::1", 587, "me@example.com", "p:/%", "starttls"),
        ),
    ],
)
def test_mail_servers(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server
    assert read(PLANTAO_SMTP_URL=url).smtp == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://hunter2@mail",
        "smtp://",
        "smtp://u:hunter2@",
        "smtp://hunter2@mail",
        "smtp://u:hunter2@mail:0",
        "smtp://u:hunter2@mail:port",
        "smtp://u:hunter2/x@mail",
        "smtp://u:hunter2@mail?tls=maybe",
        "smtp://u:hunter2@mail?starttls",
        "smtp://u:hunter2@mail?tls=starttls&tls=none",
        "smtps://u:hunter2@mail?tls=none",
        "smtp://[u:hunter2@mail",
    ],
)
def test_bad_mail_servers_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parse_smtp_url(url)
    assert "hunter2" not in str(caught.value)
    assert "PLANTAO_SMTP_URL" in refused(PLANTAO_SMTP_URL=url)


def test_a_mail_server_does_not_print_its_password() -> None:
    assert "hunter2" not in repr(parse_smtp_url("smtp://u:hunter2@mail"))


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("[::1]", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.7", True),
        ("plantao.example.com", True),
    ],
)
def test_an_exposed_service_without_tokens_refuses_to_start(host: str, exposed: bool) -> None:
    settings = read(PLANTAO_HOST=host)
    assert settings.exposed is exposed
    why = settings.refusal_to_start()
    assert (why is not None) is exposed
    if why:
        assert host in why
        assert "PLANTAO_API_TOKENS" in why
    assert read(PLANTAO_HOST=host, PLANTAO_API_TOKENS="t").refusal_to_start() is None


def test_the_default_configuration_file_is_used_if_present(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read().config_file is None
    (tmp_path / "plantao.yml").touch()
    assert read().config_file == Path("plantao.yml")


def test_keyword_arguments_alone_see_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("PLANTAO_PORT", "1")
    assert Settings().port == 8080
    assert Settings(port=0).port == 0
    assert read_settings(dotenv=None).port == 1
