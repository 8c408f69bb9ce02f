"""What the sources said, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.context import Context
from app.core.facts import Change, Changed
from app.core.notices import Notice
from app.core.registry import (
    ModelState,
    RegistryState,
    VersionState,
    alias_deleted,
    alias_moved,
    differences,
    model_created,
    tag_changed,
    version_created,
)
from app.core.watching import STANDARD, Figure, noticed
from app.enrichers.promql import Reason
from app.notifiers import background, change_wording, facts_wording
from app.notifiers.charting import chart_of, described
from app.notifiers.wording import words
from tests.notifiers import known
from tests.notifiers.known import MINUTE, START
from tests.notifiers.samples import ZONE, every_kind, notice, with_context

NOTICES = dict(every_kind())
WATCHED = {"instance": "a:1", "table": "pix", "operation": "MERGE"}


def brief(shown: Notice, locale: str = "en") -> list[str]:
    return [line.text for line in background.brief(words(locale, ZONE), shown)]


def whole(shown: Notice, locale: str = "en") -> dict[str, list[str]]:
    parts = background.whole(words(locale, ZONE), shown)
    return {
        part.title: [f"{line.text} {line.code}".strip() for line in part.lines] for part in parts
    }


def test_the_first_message_answers_the_first_questions() -> None:
    assert brief(NOTICES["known"]) == [
        "830 ms, above 500 ms for 4 min (worst of 3 series: instance=scorer-2)",
        "Probably because of #11 KafkaConsumerLag: 182,340 messages behind (kafka)",
        "Serving pix-fraud v3 (champion for 4 min, before: v2)",
        "pix-fraud: champion 2 → 3, 4 min before (and 2 more)",
        "3rd time in 90 days, usually 12 min, usually ends by itself; "
        "last time #17: “restarted the scorer”",
    ]
    assert brief(NOTICES["known"], "pt-BR") == [
        "830 ms, acima de 500 ms há 4 min (a pior de 3 séries: instance=scorer-2)",
        "Provável causa: #11 KafkaConsumerLag: 182,340 messages behind (kafka)",
        "Servindo pix-fraud v3 (champion há 4 min, antes: v2)",
        "pix-fraud: champion 2 → 3, 4 min antes (e mais 2)",
        "3ª vez em 90 dias, em geral 12 min, costuma terminar sozinho; "
        "última vez #17: “restarted the scorer”",
    ]


def test_nothing_known_is_nothing_said() -> None:
    assert brief(NOTICES["triggered"]) == []
    assert whole(NOTICES["triggered"]) == {}
    assert background.first_steps(words("en", ZONE), NOTICES["triggered"]) is None


@pytest.mark.parametrize(
    ("name", "line", "linha"),
    [
        (
            "half known",
            "Not known: Prometheus (did not answer within 2.5 s)",
            "Sem dados: Prometheus (não respondeu em 2,5 s)",
        ),
        (
            "nobody knows",
            "Not known: changes, history, MLflow, models, Prometheus",
            "Sem dados: mudanças, histórico, MLflow, modelos, Prometheus",
        ),
        (
            "recorded",
            "Serving pix-fraud v3 (champion for 4 min, before: v2, by our record of the alias)",
            "Servindo pix-fraud v3 (champion há 4 min, antes: v2, segundo nosso registro do alias)",
        ),
        (
            "registry",  # which began to serve only after the alert: that is no age
            "Serving pix-fraud v3 (champion, by the registry as of now)",
            "Servindo pix-fraud v3 (champion, segundo o registro de modelos agora)",
        ),
        (
            "rollout",
            "Serving pix-fraud v3 (for 4 min, before: v2, rollout under way: v2, v3)",
            "Servindo pix-fraud v3 (há 4 min, antes: v2, troca em andamento: v2, v3)",
        ),
        (
            "first time",
            "No changes recorded in the 2 h before",
            "Nenhuma mudança registrada no período de 2 h antes",
        ),
        ("first time", "First time in 90 days", "Primeira vez em 90 dias"),
        (
            "unseen",
            "pix-fraud: champion 2 → 3, between 00:12 and 03:08",
            "pix-fraud: champion 2 → 3, entre 00:12 e 03:08",
        ),
        (
            "unseen for a day",
            "pix-fraud: champion 2 → 3, between 22 Nov, 03:12 and 23 Nov, 03:08",
            "pix-fraud: champion 2 → 3, entre 22/11 03:12 e 23/11 03:08",
        ),
        (
            "around it",
            "pix-fraud: champion 2 → 3, between 03:11 and 03:12",
            "pix-fraud: champion 2 → 3, entre 03:11 e 03:12",
        ),
        (
            "no threshold",
            "The rule fires when the series is absent.",
            "A regra dispara quando a série está ausente.",
        ),
        ("no value", "Fires at <= 5%", "Dispara com <= 5%"),
        (
            "value alone",
            "830 ms when it fired (worst of 3 series: instance=scorer-2)",
            "830 ms ao disparar (a pior de 3 séries: instance=scorer-2)",
        ),
        (
            "is >=",
            "1,234, at least 1,000 for 4 min (worst of 2 series)",
            "1.234, no mínimo 1.000 há 4 min (a pior de 2 séries)",
        ),
        (
            "is <",
            "1,234, below 1,000 for 4 min (worst of 2 series)",
            "1.234, abaixo de 1.000 há 4 min (a pior de 2 séries)",
        ),
        (
            "after 1",
            "2nd time in 90 days, usually 12 min; "
            "last time #17, noted in #15: “restarted the scorer”",
            "2ª vez em 90 dias, em geral 12 min; "
            "última vez #17, nota no #15: “restarted the scorer”",
        ),
        (
            "no note",
            "3rd time in 90 days, usually 12 min, usually ends by itself; last time #17",
            "3ª vez em 90 dias, em geral 12 min, costuma terminar sozinho; última vez #17",
        ),
    ],
)
def test_lines(name: str, line: str, linha: str) -> None:
    assert line in brief(NOTICES[name])
    assert linha in brief(NOTICES[name], "pt-BR")


@pytest.mark.parametrize(
    ("earlier", "ordinal"), [(1, "2nd"), (3, "4th"), (10, "11th"), (11, "12th"), (21, "22nd")]
)
def test_ordinals(earlier: int, ordinal: str) -> None:
    assert brief(NOTICES[f"after {earlier}"])[-1].startswith(f"{ordinal} time")


def test_everything_else_is_below() -> None:
    said = whole(NOTICES["known"])
    assert list(said) == [
        "Values",
        "Model",
        "Changes before",
        "Along the pipeline",
        "Also firing",
        "History",
    ]
    assert "Now: 762 ms (03:22)" in said["Values"]
    assert "Yesterday at this hour: 123 ms · a week ago: 118 ms" in said["Values"]
    assert "831 ms · instance=scorer-2" in said["Values"]
    assert "Targets down: scorer-3:8000" in said["Values"]
    assert f"Expression: {known.EXPRESSION}" in said["Values"]
    assert "auc 0.981 (v2: 0.979) · recall_at_1pct_fpr 0.743 (v2: 0.751)" in said["Model"]
    assert "v3: Registered by ana, 23 Nov, 02:22" in said["Model"]
    assert "Challenger: v4" in said["Model"]
    assert said["Changes before"][1] == "scorer 1.8.2 deployed, 52 min before (ci)"
    assert said["Also firing"][0] == "kafka: KafkaConsumerLag, KafkaUnderReplicated"
    assert said["Along the pipeline"][1].startswith("Likely affects #14 PixDecisionsLate")
    assert "Acknowledged after 3 min as a rule" in said["History"][1]


@pytest.mark.parametrize(
    ("name", "line", "linha"),
    [
        ("known", "Targets down: scorer-3:8000", "Targets fora do ar: scorer-3:8000"),
        ("all up", "All 3 targets up", "Todos os 3 targets no ar"),
        ("one up", "1 target up", "1 target no ar"),
    ],
)
def test_whether_the_targets_are_up(name: str, line: str, linha: str) -> None:
    assert line in whole(NOTICES[name])["Values"]
    assert linha in whole(NOTICES[name], "pt-BR")["Valores"]


@pytest.mark.parametrize(
    ("name", "line", "linha"),
    [
        (
            "known",
            "By what the serving process said of itself",
            "Segundo o próprio processo que serve o modelo",
        ),
        ("recorded", "by our record of the alias", "segundo nosso registro do alias"),
        ("registry", "by the registry as of now", "segundo o registro de modelos agora"),
    ],
)
def test_which_of_the_three_says_what_served(name: str, line: str, linha: str) -> None:
    assert line in " ".join(whole(NOTICES[name])["Model"])
    assert linha in " ".join(whole(NOTICES[name], "pt-BR")["Modelo"])


OURS = [
    (model_created("m", at=START), "m: registrado"),
    (version_created("m", "4", at=START), "m: versão 4 registrada"),
    (alias_moved("m", "champion", "3", previous="2", at=START), "m: champion 2 → 3"),
    (alias_moved("m", "champion", "3", at=START), "m: champion → 3"),
    (alias_deleted("m", "champion", previous="3", at=START), "m: champion excluído, era 3"),
    (alias_deleted("m", "champion", at=START), "m: champion excluído"),
    (tag_changed("m", "4", "validated", "yes", at=START), "m: versão 4, tag validated = yes"),
    (tag_changed("m", "4", "validated", None, at=START), "m: versão 4, tag validated excluída"),
    *(
        (change, linha)
        for change, linha in zip(
            differences(
                RegistryState(
                    {
                        "gone": ModelState(),
                        "m": ModelState(
                            {
                                "1": VersionState(),
                                "2": VersionState("Staging"),
                                "3": VersionState("Production"),
                                "4": VersionState(),
                            }
                        ),
                    }
                ),
                RegistryState(
                    {
                        "m": ModelState(
                            {
                                "1": VersionState("Staging"),
                                "2": VersionState(),
                                "3": VersionState("Archived"),
                            }
                        )
                    }
                ),
                at=START,
            ),
            [
                "gone: excluído",
                "m: versão 1 sem estágio → Staging",
                "m: versão 2 Staging → sem estágio",
                "m: versão 3 Production → Archived",
                "m: versão 4 excluída",
            ],
            strict=True,
        )
    ),
    *(
        (change, linha)
        for watch, linha in zip(
            STANDARD,
            [
                "O Prometheus releu sua configuração (a:1)",
                "Driver do Spark reiniciado (a:1)",
                "pix: MERGE",
            ],
            strict=True,
        )
        for change in noticed(
            watch,
            [Figure(WATCHED, 2.0, START)],
            {frozenset(WATCHED.items()): 1.0 if watch.falls else 3.0},
            since=START,
            now=START,
        )
    ),
    (Change("ci", "deploy", "scorer 1.8.2 deployed", START), "scorer 1.8.2 deployed"),
]


@pytest.mark.parametrize(("change", "linha"), OURS, ids=[linha for _, linha in OURS])
def test_what_we_saw_ourselves_is_told_in_the_reader_s_language(change: Change, linha: str) -> None:
    assert change_wording.title(words("pt-BR", ZONE), change.title) == linha
    assert change_wording.title(words("en", ZONE), change.title) == change.title


def test_every_reason_of_a_rule_has_words() -> None:
    for reason in Reason:
        facts = replace(known.MEASURED, no_threshold=str(reason))
        assert facts_wording.no_threshold(words("en", ZONE), facts) == reason
        assert facts_wording.no_threshold(words("pt-BR", ZONE), facts) != reason


def test_why_a_source_is_missing() -> None:
    assert whole(NOTICES["nobody knows"], "pt-BR")["Sem dados"] == [
        "mudanças (respondeu 503: busy)",
        "histórico (falhou de modo inesperado; veja o log)",
        "MLflow (não respondeu em 3 s)",
        "modelos (não respondeu em 3 s)",
        "Prometheus (está fora do ar e não é consultado por ora)",
    ]


@pytest.mark.parametrize(
    ("reason", "said", "dito"),
    [
        (
            "Prometheus did not answer within 2.5 s.",
            "did not answer within 2.5 s",
            "não respondeu em 2,5 s",
        ),
        ("Prometheus cannot be reached.", "cannot be reached", "fora de alcance"),
        (
            "MLflow cannot be reached: ConnectError.",
            "cannot be reached: ConnectError",
            "fora de alcance: ConnectError",
        ),
        ("Prometheus answered 422: bad_data.", "answered 422: bad_data", "respondeu 422: bad_data"),
        (
            "Prometheus answered with more than 16 MB.",
            "answered with more than 16 MB",
            "respondeu com mais de 16 MB",
        ),
        ("MLflow answered with status 500.", "answered 500", "respondeu 500"),
        (
            "MLflow refuses our credentials (401).",
            "refuses our credentials (401)",
            "recusa nossas credenciais (401)",
        ),
        (
            "MLflow does not know the model pix.",
            "does not know the model pix",
            "não conhece o modelo pix",
        ),
        (
            "No version of pix carries the alias champion.",
            "no version of pix carries the alias champion",
            "nenhuma versão de pix tem o alias champion",
        ),
        ("No MLflow is configured.", "is not configured", "não está configurado"),
        ("Something else.", "Something else", "Something else"),
    ],
)
def test_reasons_of_the_sources(reason: str, said: str, dito: str) -> None:
    for locale, told in (("en", said), ("pt-BR", dito)):
        line = facts_wording.source_missing(words(locale, ZONE), "prometheus", reason)
        assert line == f"Prometheus ({told})"


def test_what_the_first_message_said_is_not_said_again_below() -> None:
    shown = NOTICES["known"]
    again = {line.text for part in background.rest(words("en", ZONE), shown) for line in part.lines}
    assert not again & set(brief(shown))


def test_time_alone_changes_nothing_in_the_first_message() -> None:
    later = replace(known.MEASURED, now=0.05, yesterday=None, worst=())
    shown = with_context(known.context(known.MEASURED, known.CHANGED, now=later))
    before = with_context(known.context(known.MEASURED, known.CHANGED))
    assert brief(shown) == brief(before)
    assert "Now: 50 ms (03:22)" in whole(shown)["Values"]


def test_other_incidents_are_links() -> None:
    lines = background.brief(words("en", ZONE), NOTICES["known"])
    links = {line.name: line.link for line in lines if line.link}
    assert links == {
        "#11": "https://plantao.example.com/console/incidents/11",
        "#17": "https://plantao.example.com/console/incidents/17",
        "pix-fraud": "https://mlflow.example.com/#/models/pix-fraud",
    }


@pytest.mark.parametrize(
    ("context", "worth"),
    [
        (Context(), False),
        (known.full(), True),
        (known.nobody_knows(), False),
        (dict(known.odd())["first time"], False),
        (known.context(known.CHANGED), True),
        (known.context(known.EARLIER), True),
    ],
)
def test_what_is_worth_a_mail(context: Context, worth: bool) -> None:
    assert background.worth_telling(context) is worth


# The chart


def test_a_chart_of_what_was_measured() -> None:
    chart = chart_of(words("pt-BR", ZONE), NOTICES["known"])
    assert chart is not None
    assert chart.threshold == known.MEASURED.threshold
    assert chart.firing == (START, None)
    assert chart.now == known.MEASURED.line[-1].at
    assert [marker.label for marker in chart.markers][:2] == [
        "champion 2 → 3",
        "scorer 1.8.2 deployed",
    ]
    language = chart.language
    assert (language.firing, language.decimal, language.zone_label) == ("disparado", ",", "UTC-3")
    assert (language.clock(START), language.day(START)) == ("03:12", "23/11")


def test_the_chart_of_what_is_over_says_until_when() -> None:
    chart = chart_of(words("en", ZONE), NOTICES["known, over"])
    assert chart is not None
    assert chart.firing == (START, START + MINUTE)


def test_no_chart_without_a_line() -> None:
    assert chart_of(words("en", ZONE), notice()) is None
    without = with_context(known.context(replace(known.MEASURED, line=())))
    assert chart_of(words("en", ZONE), without) is None


def test_the_chart_is_described_for_those_who_do_not_see_it() -> None:
    said = described(words("en", ZONE), NOTICES["known"])
    assert said.startswith("Chart of ScoringLatencyHigh: 830 ms, above 500 ms")


def test_what_changed_nobody_knows_when_is_not_drawn() -> None:
    shown = with_context(known.context(known.MEASURED, Changed(MINUTE, [known.UNSEEN])))
    chart = chart_of(words("en", ZONE), shown)
    assert chart is not None
    assert chart.markers == []


def test_a_change_without_a_subject_is_named_whole() -> None:
    bare = Change("ci", "deploy", "x: ", START)
    shown = with_context(known.context(known.MEASURED, Changed(MINUTE, [bare])))
    chart = chart_of(words("en", ZONE), shown)
    assert chart is not None
    assert chart.markers[0].label == "x:"
