"""What is masked, what stays, and that masking twice is masking once."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.alerts import Alert, AlertStatus
from app.core.identifiers import card_is_valid, cnpj_is_valid, cpf_is_valid
from app.core.incidents import Entry, EntryKind, Incident
from app.core.notices import Links, Notice
from app.core.privacy import KINDS, NAMES, Masks, mask
from app.core.transitions import AlertState

EVP = "123e4567-e89b-42d3-a456-426614174000"
MASKED_EVP = "********-****-****-****-********4000"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)

MASKED = {
    "cpf": [
        ("529.982.247-25", "***.982.247-**"),
        ("52998224725", "***982247**"),
        ("529982247-25", "***982247-**"),
        ("529 982 247 25", "*** 982 247 **"),
        ("529.982.247/25", "***.982.247/**"),
        ("529.982.247\u201125", "***.982.247\u2011**"),
        ("CPF:529.982.247-25, fim", "CPF:***.982.247-**, fim"),
        ("cpf52998224725", "cpf***982247**"),
        ("extrato_52998224725.pdf", "extrato_***982247**.pdf"),
        ("a,52998224725,b", "a,***982247**,b"),
        ("3,52998224725", "3,***982247**"),
        (r"linha\n52998224725\tfim", r"linha\n***982247**\tfim"),
        ('{"cpf":"52998224725"}', '{"cpf":"***982247**"}'),
        ("529.982.247-25 e 111.444.777-35", "***.982.247-** e ***.444.777-**"),
        ("529.982\u200b.247-25", "***.982.247-**"),
        ("00000000191", "***000001**"),
    ],
    "cnpj": [
        ("12.345.678/0001-95", "**.345.678/****-**"),
        ("12345678000195", "**345678******"),
        ("12345678/0001-95", "**345678/****-**"),
        ("12.ABC.345/01DE-35", "**.ABC.345/****-**"),
        ("12.abc.345/01de-35", "**.abc.345/****-**"),
        ("12ABC34501DE35", "**ABC345******"),
        ("CNPJ 12ABC34501DE35.", "CNPJ **ABC345******."),
    ],
    "card": [
        ("4111 1111 1111 1111", "**** **** **** 1111"),
        ("4111111111111111", "************1111"),
        ("4111-1111-1111-1111", "****-****-****-1111"),
        ("cartao-5555555555554444", "cartao-************4444"),
        ("2223003122003222", "************3222"),
        ("378282246310005", "***********0005"),
        ("3782 822463 10005", "**** ****** *0005"),
        ("30569309025904", "**********5904"),
        ("6362970000457013", "************7013"),
        ("6062826786276634", "************6634"),
    ],
    "phone": [
        ("+5511987654321", "+*********4321"),
        ("+55 11 98765-4321", "+** ** *****-4321"),
        ("+55 (11) 9 8765-4321", "+** (**) * ****-4321"),
        ("+14155550100", "+*******0100"),
        ("+351 912 345 678", "+*** *** **5 678"),
        ("(11) 98765-4321", "(**) *****-4321"),
        ("(011) 3456-7890", "(***) ****-7890"),
        ("ligar 11 98765-4321 já", "ligar ** *****-4321 já"),
        ("5511987654321", "*********4321"),
        ("55 11 98765-4321", "** ** *****-4321"),
        ("tel: 1134567890", "tel: ******7890"),
        ("phone_number=11987654321", "phone_number=*******4321"),
        ("WhatsApp 11987654321", "WhatsApp *******4321"),
    ],
    "email": [
        ("ana.silva@gmail.com", "a***@gmail.com"),
        ("Ana <ana@banco.com.br>", "Ana <a***@banco.com.br>"),
        ("mailto:a@b.com", "mailto:***@b.com"),
        ("joão@exemplo.com.br", "j***@exemplo.com.br"),
        ("a+tag_1@x.co", "a***@x.co"),
    ],
    "pix": [
        (f"chave {EVP}", f"chave {MASKED_EVP}"),
        (f"chave pix aleatória: {EVP}", f"chave pix aleatória: {MASKED_EVP}"),
        (f"pix_key={EVP}", f"pix_key={MASKED_EVP}"),
        (f'"pixKey": "{EVP}"', f'"pixKey": "{MASKED_EVP}"'),
        (f"Pix {EVP.upper()}", f"Pix {MASKED_EVP}"),
        (f"EVP={EVP}", f"EVP={MASKED_EVP}"),
        (f"payee key {EVP}", f"payee key {MASKED_EVP}"),
        (
            "00020126330014br.gov.bcb.pix011152998224725520400005303986",
            "00020126330014br.gov.bcb.pix0111*******4725520400005303986",
        ),
    ],
    "secret": [
        ("password=hunter2", "password=***"),
        ("db_password: 's p a c e'", "db_password: '***'"),
        ('{"senha": "abc", "x": 1}', '{"senha": "***", "x": 1}'),
        ("{password=abc, user=ana}", "{password=***, user=ana}"),
        ("SLACK_TOKEN=abc123def", "SLACK_TOKEN=***"),
        ("api-key: 0a1b2c", "api-key: ***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("curl -H 'Bearer a1b2c3d4e5'", "curl -H 'Bearer ***'"),
        ("postgresql://plantao:s3cr@t@db/x", "postgresql://plantao:***@db/x"),
        ("https://x.example/?token=abc123&y=1", "https://x.example/?token=***&y=1"),
        ("https://x.example/?a=1&sig=a1b2c3%2Fd4", "https://x.example/?a=1&sig=***"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA***"),
        ("xoxb-123456789012-abcdef", "xoxb-***"),
        ("xapp-1-A0123-4567-abcdef", "xapp-***"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_***"),
        ("github_pat_11ABCDEFG0abcdefghijkl_mn", "github_pat_***"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/***"),
        ("dapi0123456789abcdef0123456789abcdef", "dapi***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "eyJ***"),
        (
            "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
            "a\n***PRIVATE KEY***\nb",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "***PRIVATE KEY***"),
    ],
    "cut_off": [
        ("a payer 529.982.247-2…", "a payer ***.***.***-*…"),
        ("card 4111 1111 11…", "card **** **** **…"),
        ("mail to ana.silva@gma…", "mail to ***@…"),
        ("of 12.ABC.345/01D…", "of **.***.***/***…"),
        ("chave 123e4567-e89b-42d3-a456-4266…", "chave ********-****-****-****-****…"),
    ],
}

STAYS = [
    # numbers
    "123.456.789-00",  # a CPF's form, other check digits
    "529.982.247-26",
    "111.111.111-11",
    "52998224726",
    "0.52998224725",
    "1252998224725",
    "52998224725a",
    "a52998224725",
    "52998224725.5",
    "12.345.678/0001-96",
    "12.ABC.345/01DE-36",
    "12abc34501de35",  # how machines write a hash
    "4111111111111112",
    "1234567890123456",
    "9111111111111111",
    "0000 0000 0000 0000",
    "411111111111111",  # Visa's prefix, too short
    "1732333333333",  # ms
    "1732333333333333",  # µs
    "1732333333333333333",  # ns
    "20261123060000",
    "2026-11-23T06:00:00.123456Z",
    "2026-11-23 06:00:00+03:00",
    "offset 98765432101234 lag 52998224726 partition 11",
    "11987654321",  # a phone's digits, and nothing that says so
    "98765-4321",
    "ports 9090-9099, 8080-8090",
    "10.0.0.12:9090",
    "192.168.100.200:9090",
    "177.220.130.42",
    "[2001:db8::8a2e:370:7334]:9100",
    "1.234.567,89",
    "v1.2.3-rc.4+5512345",
    # names of machines' own
    "3f2504e04f8941d39a0c0305e82c3301",
    "7c9e6679f7425404",
    "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "scorer-7d9f8b6c5-x2x4z",
    "kafka-broker-0.kafka-headless.pix.svc.cluster.local:9092",
    "E1234567820261123060012345678901",  # the end-to-end id of a Pix
    f"run_id={EVP}",
    f"trace {EVP}",
    f"pix-fraud run {EVP}",
    f"pix transaction {EVP}",
    f"idempotency_key={EVP}",
    f"chave do cliente, id {EVP}",
    "12345678-4111-1111-1111-111111111111",
    EVP,
    # what has an @
    "postgresql@15-main.service",
    "git@github.com:org/repo.git",
    "image@sha256:0a1b2c",
    "Bar@1a2b3c",
    "user@host",
    "icon@2x.png",
    "rate(x[5m] @ 1609746000)",
    # words beside no secret
    "secret=tls-cert-prod-7f9c",
    "tokens=52, token_count=7",
    "invalid token: }",
    "basic authentication failed",
    "bearer certificates expire",
    "auth=basic",
    "pwd=/home/app1",
    "password=***",
    "password=<secret>",
    "password_policy=strong1",
    "risk-learn-model-serving-production",
    "sk-learn-model-serving-production-v2",
    "monkey=abc123def456",
    "progress 12345…",
    "run 123e4567-e89b-42d3-a456-4266…",
    "50% of 100%, 5%20",
    "http://prometheus:9090/graph?g0.expr=rate%28errors%5B5m%5D%29+%3E+0.05&g0.tab=1",
    "",
    "\ud800",
]


@pytest.mark.parametrize(
    ("kind", "text", "masked"),
    [(kind, *pair) for kind, pairs in MASKED.items() for pair in pairs],
)
def test_what_is_masked_and_what_of_it_stays(kind: str, text: str, masked: str) -> None:
    masks = Masks()
    assert masks.text(text) == masked
    assert masks.counts[kind] >= 1
    again = Masks()
    assert again.text(masked) == masked
    assert not +again.counts


def test_every_kind_has_its_cases() -> None:
    assert set(MASKED) == set(NAMES) == {kind.name for kind in KINDS}


@pytest.mark.parametrize("text", STAYS)
def test_what_stays(text: str) -> None:
    masks = Masks()
    assert masks.text(text) == text
    assert not +masks.counts


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        ("password", "two words", "***"),
        ("db_password", "***", "***"),
        ("api_key", "none", "none"),
        ("token", "a1b2c3d4", "***"),
        ("secret", "tls-cert", "tls-cert"),  # a Kubernetes object
        ("pix_key", EVP, MASKED_EVP),
        ("chave", EVP, MASKED_EVP),
        ("key", EVP, MASKED_EVP),
        ("run_id", EVP, EVP),
        ("trace_id", EVP, EVP),
        ("pix_id", EVP, EVP),
        ("telefone", "11987654321", "*******4321"),
        ("celular", "(11) 3456-7890", "(**) ****-7890"),
        ("offset", "11987654321", "11987654321"),
        ("pix_key", "52998224725", "***982247**"),
        ("52998224725", "x", "x"),
    ],
)
def test_a_labels_name_says_what_its_value_is(name: str, text: str, masked: str) -> None:
    assert mask(text, name) == masked
    assert Masks().of({name: text}) == {mask(name): masked}


@pytest.mark.parametrize(
    ("link", "masked"),
    [
        ("http://g/d?cpf=529.982.247-25&x=1", "http://g/d?cpf=***.982.247-**&x=1"),
        (
            "http://p/graph?g0.expr=x%7Bcpf%3D%2252998224725%22%7D&g0.tab=1",
            "http://p/graph?g0.expr=x%7Bcpf%3D%22***982247**%22%7D&g0.tab=1",
        ),
        ("http://g/?to=ana%40gmail.com", "http://g/?to=a***@gmail.com"),
        ("http://g/?tel=%2B5511987654321", "http://g/?tel=+*********4321"),
        (
            "http://g/?u=http%3A%2F%2Fh%2F%3Fq%3D529.982.247-25",
            "http://g/?u=http:%2F%2Fh%2F%3Fq%3D***.982.247-**",
        ),
        ("http://g/?u=%252252998224725%2522", "http://g/?u=%22***982247**%22"),
        ("http://ana:hunter2@g/x", "http://ana:***@g/x"),
    ],
)
def test_a_link_does_not_tell_either(link: str, masked: str) -> None:
    assert mask(link) == masked
    assert mask(masked) == masked


def test_escapes_within_escapes_end() -> None:
    text = "%" + "25" * 100_000 + "41"
    assert mask(text) == text


# --- check digits


@given(st.text("0123456789", min_size=9, max_size=9))
@example("000000001")
def test_every_cpf_is_masked_however_it_is_written(base: str) -> None:
    cpf = base + _cpf_digits(base)
    if len(set(cpf)) == 1:
        return
    written = f"{cpf[:3]}.{cpf[3:6]}.{cpf[6:9]}-{cpf[9:]}"
    for text in (cpf, written, f"de {cpf} para", f"[{written}]"):
        assert cpf not in mask(text)
        assert written not in mask(text)


@given(st.text("0123456789", min_size=11, max_size=11))
def test_eleven_digits_that_are_no_cpf_stay(digits: str) -> None:
    if digits[9:] != _cpf_digits(digits[:9]) or len(set(digits)) == 1:
        assert mask(digits) == digits


@given(st.text(string.digits + string.ascii_uppercase, min_size=12, max_size=12))
def test_every_cnpj_is_masked_however_it_is_written(base: str) -> None:
    cnpj = base + _cnpj_digits(base)
    if len(set(cnpj)) == 1:
        return
    assert cnpj_is_valid(cnpj)
    written = f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}"
    for text in (cnpj, written, written.lower()):
        assert mask(text) != text
        assert mask(text).count("*") == 8


@given(st.text("0123456789", min_size=15, max_size=15))
def test_a_card_needs_an_issuer_and_its_check_digit(base: str) -> None:
    numbers = [base + str(digit) for digit in range(10)]
    valid = [number for number in numbers if card_is_valid(number)]
    assert len(valid) <= 1
    for number in numbers:
        assert (mask(number) != number) == (number in valid)


def _cpf_digits(base: str) -> str:
    """Computed another way: both digits times their weights, and the sum modulo 11."""
    first = sum(int(d) * w for w, d in enumerate(base, start=1)) % 11 % 10
    second = sum(int(d) * w for w, d in enumerate(base + str(first))) % 11 % 10
    return f"{first}{second}"


def _cnpj_digits(base: str) -> str:
    """Computed another way: weights 2 to 9 from the right, again and again."""
    for _ in range(2):
        total = sum((ord(c) - 48) * (2 + n % 8) for n, c in enumerate(reversed(base)))
        base += str((11 - total % 11) % 11 % 10)
    return base[-2:]


def test_known_numbers() -> None:
    assert cpf_is_valid("52998224725")
    assert not cpf_is_valid("11111111111")
    assert cnpj_is_valid("12ABC34501DE35")  # Serpro's own example
    assert not cnpj_is_valid("00000000000000")
    assert card_is_valid("4111111111111111")
    assert not card_is_valid("7111111111111111")


# --- anything


_PIECES = st.sampled_from(
    [text for pairs in MASKED.values() for pair in pairs for text in pair]
    + STAYS
    + list(" .,:;=&?/-_@%…*'\"\n0147aZ")
)


@given(st.lists(_PIECES, max_size=6).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked


def test_ordinary_numbers_stay_in_bulk() -> None:
    """About one number in a hundred passes for a CPF or CNPJ, as their check digits allow."""
    numbers = random.Random(1)  # noqa: S311
    for digits in (8, 9, 10, 12, 15, 17, 18, 20):
        texts = [str(numbers.randrange(10 ** (digits - 1), 10**digits)) for _ in range(500)]
        assert sum(mask(text) != text for text in texts) <= 5
    milliseconds = [str(1_700_000_000_000 + n * 7_919) for n in range(2000)]
    assert all(mask(text) == text for text in milliseconds)


# --- more than texts


def incident() -> Incident:
    return Incident(
        key="k",
        receivers=("52998224725",),
        opened_at=NOW,
        updated_at=NOW,
        title="Payer 529.982.247-25",
        labels={"payer": "52998224725"},
        acknowledged_by="ana@example.com",
    )


def test_all_of_a_notice_but_who_acted() -> None:
    alert = Alert(
        "7c9e6679f7425404",
        AlertStatus.FIRING,
        {"52998224725": "x", "token": "a1b2c3d4"},
        {"summary": "mail ana@gmail.com"},
        NOW,
        generator_url="http://p/?q=52998224725",
    )
    note = Entry(EntryKind.NOTE, NOW, "ana@example.com", {"text": "tel (11) 98765-4321"})
    given = Notice(
        incident(),
        [AlertState(alert, NOW)],
        [note],
        links=Links(graph="http://p/?q=52998224725"),
        first_steps=("call +5511987654321",),
    )
    masks = Masks()
    shown = masks.of(given)
    assert shown.incident.title == "Payer ***.982.247-**"
    assert shown.incident.labels == {"payer": "***982247**"}
    assert shown.incident.receivers == ("52998224725",)
    assert shown.incident.acknowledged_by == "ana@example.com"
    (state,) = shown.alerts
    assert state.alert.labels == {"***982247**": "x", "token": "***"}
    assert state.alert.fingerprint == alert.fingerprint
    assert (shown.entries[0].actor, shown.entries[0].data) == (
        "ana@example.com",
        {"text": "tel (**) *****-4321"},
    )
    assert shown.links.graph == "http://p/?q=***982247**"
    assert shown.first_steps == ("call +*********4321",)
    assert masks.counts.keys() == {"cpf", "secret", "email", "phone"}


def test_what_holds_nothing_is_not_even_copied() -> None:
    plain = replace(incident(), title="x", labels={"a": "b"}, annotations={"c": "d"})
    assert Masks().of(plain) is plain


def test_what_is_ours_stays() -> None:
    masks = Masks(frozenset({"ana@example.com", "@banco.com.br", "12.345.678/0001-95"}))
    ours = "Ana@example.com, bia@banco.com.br, 12.345.678/0001-95"
    assert masks.text(ours) == ours
    assert masks.text("caio@example.com") == "c***@example.com"
    assert masks.text("password=x1@banco.com.br") == "password=***"
    assert +masks.counts == {"email": 1, "secret": 1}
