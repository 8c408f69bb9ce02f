"""plantao.yml: what it may say, and what is said of what it may not."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from app.config import Config, EmailTarget, Receiver, SlackTarget, default_config, load
from app.core.matchers import parse_matcher
from app.core.routing import Route, match
from app.errors import ConfigError

EVERYTHING = """\
receivers:
  fraud-oncall: {slack: {channel: "#fraude-plantao"}, email: {to: [plantao@example.com]}}
  storage:      {email: {to: [dados@example.com]}, locale: pt-BR}
  log-only:     {console: true}
routes:
  receiver: fraud-oncall
  group_by: [alertname, component]
  routes:
    - {matchers: ['component="delta"', 'severity!="critical"'], receiver: storage, continue: true}
models:
  - {name: pix-fraud, alias: challenger, matchers: ['component=~"model|serving"']}
  - {name: pix-limits}
topology: [kafka -> spark -> delta, spark -> serving, kafka->spark]
reopen_within: 1h30m
runbooks: {base_url: "https://runbooks.example.com/"}
retention: {receipts: 30d, incidents: 1y}
verify: {every: 5s, orphan_after: 2m, stale_after: 6h, confirm_within: 30s}
alertmanager: {receivers: [plantao]}
silences: {warn_before: 5m, longest: 7d}
slack: {allowed_usergroups: [oncall, S0123], note_emoji: ":memo:"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plantao.yml"


def written(file: Path, text: str | bytes) -> Config:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(file)


def problems(file: Path, text: str | bytes) -> list[str]:
    """The problems of a file, each as people see it but without the folder."""
    with pytest.raises(ConfigError) as caught:
        written(file, text)
    return [str(problem).removeprefix(f"{file.parent}/") for problem in caught.value.problems]


def test_everything_that_may_be_said(file: Path) -> None:
    config = written(file, EVERYTHING)
    assert config.receivers["fraud-oncall"] == Receiver(
        slack=SlackTarget(channel="#fraude-plantao"), email=EmailTarget(to=("plantao@example.com",))
    )
    assert config.receivers["storage"].locale == "pt-BR"
    assert config.edges() == (("kafka", "spark"), ("spark", "delta"), ("spark", "serving"))
    assert config.reopen_within == timedelta(minutes=90)
    assert config.runbooks.base_url == "https://runbooks.example.com"
    assert config.retention.incidents == timedelta(days=365)
    assert config.verify.stale_after == timedelta(hours=6)
    assert config.silences.longest == timedelta(days=7)
    assert config.alertmanager.receivers == ("plantao",)
    assert config.slack.allowed_usergroups == ("oncall", "S0123")
    assert config.slack.note_emoji == "memo"


def test_the_route_tree_reaches_the_core(file: Path) -> None:
    root = written(file, EVERYTHING).root_route()
    child = Route(
        receiver="storage",
        matchers=(parse_matcher('component="delta"'), parse_matcher('severity!="critical"')),
        continue_=True,
        location="routes.routes[0]",
    )
    group_by = ("alertname", "component")
    assert root == Route(receiver="fraud-oncall", group_by=group_by, routes=(child,))
    assert match(root, {"component": "delta"})[0].receiver == "storage"


def test_models_say_which_alerts_concern_them(file: Path) -> None:
    fraud, limits = written(file, EVERYTHING).model_refs()
    assert (fraud.name, fraud.alias, limits.alias) == ("pix-fraud", "challenger", "champion")
    assert fraud.concerns({"component": "serving"})
    assert not fraud.concerns({"component": "kafka"})
    assert limits.concerns({})


@pytest.mark.parametrize("text", ["", "# nothing\n", "receivers:\nroutes:\nmodels:\n", "{}"])
def test_an_empty_file_is_the_default(file: Path, text: str) -> None:
    assert written(file, text) == default_config(slack_channel=None, email_to=())


def test_without_receivers_the_defaults_are_used(file: Path) -> None:
    defaults = default_config(slack_channel="#pix", email_to=["a@example.com"])
    file.write_text("reopen_within: 0s\nroutes: {receiver: default}")
    config = load(file, defaults)
    assert config.receivers == defaults.receivers
    assert config.reopen_within == timedelta()


def test_the_default_receiver_is_what_the_environment_names() -> None:
    config = default_config(slack_channel="#pix", email_to=["a@example.com"])
    assert config.receivers == {
        "default": Receiver(
            slack=SlackTarget(channel="#pix"),
            email=EmailTarget(to=("a@example.com",)),
            console=True,
        )
    }
    assert config.root_route() == Route("default")
    alone = default_config(slack_channel=None, email_to=())
    assert alone.receivers == {"default": Receiver(console=True)}


def test_without_routes_everything_goes_to_the_first_receiver(file: Path) -> None:
    config = written(file, "receivers: {b: {console: true}, a: {console: true}}")
    assert match(config.root_route(), {})[0].receiver == "b"


def test_anchors_and_merge_keys_may_be_used(file: Path) -> None:
    config = written(
        file,
        """\
receivers:
  a: &base {console: true, locale: en}
  b: {<<: *base, locale: pt-BR}
  c: *base
  d: {<<: [{console: false, email: {to: [d@example.com]}}, *base]}
""",
    )
    assert config.receivers["b"] == Receiver(console=True, locale="pt-BR")
    assert config.receivers["c"] == config.receivers["a"]
    assert config.receivers["d"].console is False
    assert config.receivers["d"].locale == "en"


def test_keys_are_as_they_are_documented(file: Path) -> None:
    text = """\
receivers: {a: {console: true}}
routes: {receiver: a, routes: [{receiver: a, continue_: true}]}
"""
    assert problems(file, text) == [
        "plantao.yml:2: routes.routes[0].continue_: unknown key; did you mean 'continue'?"
    ]


def test_a_list_of_what_is_wrong_is_not_empty(file: Path) -> None:
    assert problems(file, "receivers: {a: {email: {to: [notmail, 3]}}}") == [
        "plantao.yml:1: receivers.a.email.to[0]: expected an address such as plantao@example.com,"
        " found 'notmail'",
        "plantao.yml:1: receivers.a.email.to[1]: expected text (in quotes, if it looks like"
        " something else), found 3",
    ]


def test_every_problem_is_reported_at_its_line(file: Path) -> None:
    text = """\
receivers:
  slack: {slak: {channel: "#x"}, email: {to: [nobody, a@example.com]}}
  none: {}
  two:
    console: 1
    locale: pt
    timezone: Brasil
    slack:
      channel: #geral
    email: {to: []}
routes:
  continue: true
  matchers: [a=b]
  group_by: ['...', a]
  routes:
  - matchers: ['a=~"("', a, 3, '']
    reciever: two
    receiver: tow
    routes:
    - receiver: nowhere
      continue: maybe
modells: []
models:
- alias: x
  matchers: a=b
topology: [kafka - spark, a -> b, b -> c -> a, 7]
reopen_within: 30
retention: {receipts: 0s, incidents: 1 day}
runbooks: {base_url: "ftp://x"}
verify: []
alertmanager: {receivers: plantao}
"""
    assert problems(file, text) == [
        "plantao.yml:2: receivers.slack.email.to[0]: expected an address such as"
        " plantao@example.com, found 'nobody'",
        "plantao.yml:2: receivers.slack.slak: unknown key; did you mean 'slack'?",
        "plantao.yml:3: receivers.none: expected at least one destination: slack, email or"
        " console: true",
        "plantao.yml:5: receivers.two.console: expected true or false, found 1",
        "plantao.yml:6: receivers.two.locale: expected 'en' or 'pt-BR', found 'pt'",
        "plantao.yml:7: receivers.two.timezone: unknown key",
        "plantao.yml:9: receivers.two.slack.channel: expected a channel in quotes such as"
        ' "#plantao", found nothing',
        "plantao.yml:10: receivers.two.email.to: expected at least one entry, found a list",
        "plantao.yml:11: routes: expected a receiver: the first route must name one",
        "plantao.yml:12: routes.continue: expected no such key here: the first route takes every"
        " alert, and is alone",
        "plantao.yml:13: routes.matchers: expected no such key here: the first route takes every"
        " alert, and is alone",
        "plantao.yml:14: routes.group_by: expected '...' (all labels) to stand alone",
        "plantao.yml:16: routes.routes[0].matchers[0]: bad regular expression '(': missing ): (",
        "plantao.yml:16: routes.routes[0].matchers[1]: at character 2 of 'a': expected an operator"
        " such as '=', '!=', '=~' or '!~', found the end",
        "plantao.yml:16: routes.routes[0].matchers[2]: expected text (in quotes, if it looks like"
        " something else), found 3",
        "plantao.yml:16: routes.routes[0].matchers[3]: expected a matcher such as"
        " severity=\"critical\", found ''",
        "plantao.yml:17: routes.routes[0].reciever: unknown key; did you mean 'receiver'?",
        "plantao.yml:18: routes.routes[0].receiver: expected one of the receivers (slack, none,"
        " two), found 'tow'; did you mean 'two'?",
        "plantao.yml:20: routes.routes[0].routes[0].receiver: expected one of the receivers (slack,"
        " none, two), found 'nowhere'",
        "plantao.yml:21: routes.routes[0].routes[0].continue: expected true or false, found"
        " 'maybe'",
        "plantao.yml:22: modells: unknown key; did you mean 'models'?",
        "plantao.yml:24: models[0].name: expected this key, found nothing",
        "plantao.yml:25: models[0].matchers: expected a list, found 'a=b'",
        "plantao.yml:26: topology[2]: expected no cycle, found b -> c -> a -> b",
        "plantao.yml:26: topology[0]: expected components and arrows such as 'kafka -> spark',"
        " found 'kafka - spark'",
        "plantao.yml:26: topology[3]: expected text (in quotes, if it looks like something else),"
        " found 7",
        "plantao.yml:27: reopen_within: expected a duration such as 30m, 1h30m or 90d, found '30'",
        "plantao.yml:28: retention.receipts: expected a duration longer than 0s",
        "plantao.yml:28: retention.incidents: expected a duration such as 30m, 1h30m or 90d, found"
        " '1 day'",
        "plantao.yml:29: runbooks.base_url: expected a URL that begins with http:// or https:// and"
        " names a host",
        "plantao.yml:30: verify: expected a mapping of keys to values, found a list",
        "plantao.yml:31: alertmanager.receivers: expected a list, found 'plantao'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a", "plantao.yml:1: expected keys such as receivers and routes, found a list"),
        ("a: b: c", "plantao.yml:1: is not YAML: mapping values are not allowed here"),
        (
            "x:\n\t- b",
            "plantao.yml:2: is not YAML: while scanning for the next token,"
            " found character '\\t' that cannot start any token",
        ),
        ("x: 1\n---\ny: 2", "plantao.yml:2: is not YAML: expected a single document in the stream"),
        (b"x: 1\ny: \xff", "plantao.yml:2: is not UTF-8 text"),
        ("x: 1\ny: \x01", "plantao.yml:2: is not YAML: special characters are not allowed"),
        ("x: &a [*a]", "plantao.yml: is nested too deeply, or an alias refers to itself"),
        ("[" * 5000, "plantao.yml: is nested too deeply, or an alias refers to itself"),
        ("# " + "x" * 2**20, "plantao.yml: is larger than 1024 KiB"),
        (
            "verify: {}\nverify: {}",
            "plantao.yml:2: verify: duplicate key: it is already set on line 1",
        ),
        ("runbooks: {? [a] : b}", "plantao.yml:1: runbooks: expected a key that is text"),
        ("verify: {<<: [1]}", "plantao.yml:1: verify.<<: expected an alias of a mapping"),
        ("verify: !!set {}", "plantao.yml:1: verify: unknown tag tag:yaml.org,2002:set"),
        (
            "reopen_within: !!python/name:os.system x",
            "plantao.yml:1: reopen_within: cannot be read as os.system",
        ),
        (
            "reopen_within: 2024-13-45",
            "plantao.yml:1: reopen_within: cannot be read as timestamp",
        ),
        (
            'receivers: {"": {console: true}}',
            "plantao.yml:1: receivers.\"\": expected text that is not empty, found ''",
        ),
        ("receivers: []", "plantao.yml:1: receivers: expected a mapping of names to values"),
        (
            "routes: {receiver: default, routes: {}}",
            "plantao.yml:1: routes.routes: expected a list, found a mapping",
        ),
        (
            "routes: {receiver: default, group_by: [a, a]}",
            "plantao.yml:1: routes.group_by: expected different label names, none of them empty",
        ),
        ("topology: [a -> a]", "plantao.yml:1: topology[0]: expected no cycle, found a -> a"),
        (
            "receivers: {a: {slack: {channel: geral}}}",
            'plantao.yml:1: receivers.a.slack.channel: expected a channel such as "#plantao", or'
            " its id such as C0123456789, found 'geral'",
        ),
        (
            "slack: {note_emoji: 📌}",
            "plantao.yml:1: slack.note_emoji: expected the name of an emoji such as pushpin",
        ),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, str | bytes) else None,
)
def test_what_cannot_be_used_is_said(file: Path, text: str | bytes, problem: str) -> None:
    assert problems(file, text)[0].startswith(problem)


@pytest.mark.parametrize("form", ["[{}]", "{{<<: [{}]}}"])
def test_aliases_that_multiply_are_bounded(file: Path, form: str) -> None:
    levels = ["a0: &a0 {x: 1}"]
    for level in range(1, 30):
        aliases = ", ".join([f"*a{level - 1}"] * 9)
        levels.append(f"a{level}: &a{level} " + form.format(aliases))
    began = time.perf_counter()
    assert problems(file, "\n".join(levels)) == [
        "plantao.yml: holds more than 50000 values, aliases expanded"
    ]
    assert time.perf_counter() - began < 5


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "absent.yml")
    assert str(caught.value) == f"{tmp_path}/absent.yml: cannot be read: No such file or directory"
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_configuration_cannot_be_changed() -> None:
    config = default_config(slack_channel=None, email_to=())
    with pytest.raises(ValueError, match="frozen"):
        config.reopen_within = timedelta()  # type: ignore[misc]
