"""What is said about silences, in both languages."""

from __future__ import annotations

import pytest

from app.core.notices import Notice
from app.notifiers import email_body, silence_wording, slack_blocks, telling
from app.notifiers.wording import words
from tests.notifiers.samples import ZONE, hostile
from tests.notifiers.silences import LINK, every_silence

NOTICES = dict(every_silence())


def lines(name: str, locale: str) -> list[str]:
    return silence_wording.lines(words(locale, ZONE), NOTICES[name])


def last(name: str, locale: str) -> str:
    shown = NOTICES[name]
    return telling.told(words(locale, ZONE), shown, shown.entries[-1])


@pytest.mark.parametrize(
    ("name", "line", "linha"),
    [
        ("silenced", "🔕 Silenced until 04:12 by Ana", "🔕 Silenciado até 04:12 por Ana"),
        (
            "silenced in part",
            "🔕 Silenced until 04:12 by Ana · 1 of 2 firing alerts",
            "🔕 Silenciado até 04:12 por Ana · 1 de 2 alertas disparados",
        ),
        (
            "silenced elsewhere",
            "🔕 Silenced until 25 Nov, 03:12 by Bia",
            "🔕 Silenciado até 25/11 03:12 por Bia",
        ),
        (
            "silence unknown",
            "🔕 Silenced until 04:12 by Ana · not confirmed: Alertmanager does not answer",
            "🔕 Silenciado até 04:12 por Ana · sem confirmação: o Alertmanager não responde",
        ),
        (
            "silence waiting",
            "⏳ To be silenced until 04:12 by Ana: as soon as Alertmanager answers",
            "⏳ A silenciar até 04:12, a pedido de Ana: assim que o Alertmanager responder",
        ),
    ],
)
def test_what_mutes_it_now(name: str, line: str, linha: str) -> None:
    assert lines(name, "en") == [line]
    assert lines(name, "pt-BR") == [linha]


def test_of_several_the_longest_comes_first() -> None:
    assert [line.split(" by ")[1] for line in lines("silenced twice", "en")] == ["Bia", "Ana"]


@pytest.mark.parametrize("name", ["silence over", "silence ended", "silence lost"])
def test_one_that_is_over_mutes_nothing(name: str) -> None:
    assert lines(name, "en") == []


@pytest.mark.parametrize(
    ("name", "line", "linha"),
    [
        (
            "silenced",
            f"1 firing alert silenced until 04:12 by Ana: “restarted the scorer”. {LINK}",
            f"1 alerta disparado silenciado até 04:12 por Ana: “restarted the scorer”. {LINK}",
        ),
        (
            "silenced elsewhere",
            "1 firing alert is silenced until 25 Nov, 03:12, by Bia in Alertmanager: "
            f"“restarted the scorer”. {LINK}",
            "1 alerta disparado está silenciado até 25/11 03:12, por Bia no Alertmanager: "
            f"“restarted the scorer”. {LINK}",
        ),
        (
            "silenced for longer",
            "The silence by Ana lasts until 04:42 now, not 04:12",
            "O silêncio de Ana agora vai até 04:42, não mais até 04:12",
        ),
        (
            "silence expiring",
            "The silence by Ana ends at 04:12, and 1 alert still fires",
            "O silêncio de Ana vai só até 04:12, e 1 alerta ainda está disparado",
        ),
        ("silence over", "The silence by Ana is over", "O silêncio de Ana terminou"),
        (
            "silence ended",
            "Silence ended by Bia, it was to last until 04:12",
            "Silêncio encerrado por Bia, iria até 04:12",
        ),
        (
            "silence lost",
            "Silence by Ana ended in Alertmanager, it was to last until 04:12",
            "Silêncio de Ana encerrado no Alertmanager, iria até 04:12",
        ),
        (
            "silence too late",
            "Not silenced, although Ana asked for it: Alertmanager did not answer before it "
            "was over",
            "Não foi silenciado, embora Ana tenha pedido: o Alertmanager não respondeu antes "
            "do fim",
        ),
    ],
)
def test_what_happened_to_it(name: str, line: str, linha: str) -> None:
    assert last(name, "en") == line
    assert last(name, "pt-BR") == linha


def test_every_transport_shows_who_silenced_it_and_until_when() -> None:
    speech, shown = words("en", ZONE), NOTICES["silenced"]
    said = "Silenced until 04:12 by Ana"
    mail = email_body.root(speech, shown, plain=False)
    for text in (
        str(slack_blocks.root(speech, shown, buttons=True)),
        str(slack_blocks.root_text(speech, shown)),
        mail["text"],
        mail["html"],
    ):
        assert said in text
        assert LINK in text


def test_a_hostile_silence_leads_nowhere() -> None:
    shown: Notice = hostile()
    assert silence_wording.links(words("en", ZONE), shown) == []
    (line,) = silence_wording.lines(words("en", ZONE), shown)
    assert "\n" not in line
