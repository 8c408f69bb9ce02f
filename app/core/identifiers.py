"""What names a person or a company in Brazil: CPF, CNPJ, cards, phones, e-mail, Pix keys.

Each is told from an ordinary number by its check digits, else by its form; a mask keeps what
helps to recognise it among others and does not tell it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.core.masking import DASH, HEAD, TAIL, Kind, stars

# --- CPF and CNPJ


def cpf_is_valid(digits: str) -> bool:
    """Whether eleven digits are a CPF: the last two are weighted sums modulo 11 of the others.

    Eleven equal digits add up, and are nobody's: the Receita Federal gives none of them out.
    """
    values = [int(digit) for digit in digits]
    first = _check(values[:9], range(10, 1, -1))
    second = _check(values[:10], range(11, 1, -1))
    return values[9:] == [first, second] and len(set(digits)) > 1


def cnpj_is_valid(text: str) -> bool:
    """Whether twelve digits or capitals and two digits are a CNPJ.

    A character counts as its code in ASCII less 48, so that the digits, and all numbers given
    out before July 2026, stay as they were. Source: IN RFB 2.229/2024.
    """
    values = [ord(each) - ord("0") for each in text]
    first = _check(values[:12], _CNPJ_WEIGHTS[1:])
    second = _check(values[:13], _CNPJ_WEIGHTS)
    return values[12:] == [first, second] and len(set(text)) > 1


_CNPJ_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def _check(values: Sequence[int], weights: Sequence[int]) -> int:
    rest = sum(v * w for v, w in zip(values, weights, strict=True)) % 11
    return 11 - rest if rest > 1 else 0


def _cpf(found: re.Match[str]) -> str:
    """The first three digits and the two check digits go, as public acts show it under the LGPD.

    Source: Sefa/PA, Instrução Normativa 19/2025.
    """
    digits = _digits(found[0])
    return stars(found[0], keep=range(3, 9)) if cpf_is_valid(digits) else found[0]


def _cnpj(found: re.Match[str]) -> str:
    """Like a CPF: what tells neighbours apart stays, both ends go."""
    text = re.sub(r"[^0-9A-Z]", "", found[0].upper())
    return stars(found[0], keep=range(2, 8)) if cnpj_is_valid(text) else found[0]


# --- cards

UUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"

#: Issuers by their first digits (ISO/IEC 7812) and how long their numbers are.
_ISSUERS = (
    (re.compile("4"), (16, 19)),  # Visa, and Elo's older ones
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),  # Mastercard
    (re.compile(r"5041|506[67]|509|62|636|637|64[4-9]|65|6011"), (16, 19)),  # Elo, Hiper, Discover
    (re.compile(r"606282|3841"), (16, 19)),  # Hipercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"30[0-5]|36|3[89]"), (14,)),  # Diners Club
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),  # JCB
)


def card_is_valid(digits: str) -> bool:
    """Whether these digits can be a card's number: issuer, length, and the check digit of Luhn."""
    known = any(p.match(digits) and len(digits) in lengths for p, lengths in _ISSUERS)
    return known and _luhn(digits) and len(set(digits)) > 1


def _luhn(digits: str) -> bool:
    """Source: ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _card(found: re.Match[str]) -> str:
    """The last four stay, which is less than PCI DSS (v4.0, 3.4.1) lets anybody see."""
    is_one = found["card"] and card_is_valid(_digits(found[0]))
    return stars(found[0], last=4) if is_one else found[0]


# --- phones

#: Source: Anatel, Plano Geral de Códigos Nacionais.
_AREA = "(?:[14689][1-9]|2[12478]|3[1-578]|5[1345]|7[134579])"  # 67 of them
#: The same, but for the first digit, which is behind us.
_REST_OF_AREA = "(?:(?<=[14689])[1-9]|(?<=2)[12478]|(?<=3)[1-578]|(?<=5)[1345]|(?<=7)[134579])"
_GAP = r"[\s.\-\u2010-\u2013]?"
_MOBILE = rf"9{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}"
_LANDLINE = rf"[2-5][0-9]{{3}}{_GAP}[0-9]{{4}}"
_PLUS = re.compile(
    # E.164: no leading zero, at most fifteen digits. Brazil's own are the form of a Pix key.
    rf"\+{HEAD}[1-9](?:[\s().\-\u2010-\u2013]{{0,2}}[0-9]){{9,14}}{TAIL}"
)
_PHONE = re.compile(
    rf"[(0-9]{HEAD}(?:"
    rf"(?<=\()0?{_AREA}\){_GAP}(?:{_MOBILE}|{_LANDLINE})"
    rf"|(?<=[0-9]){_REST_OF_AREA}[\s.-]9{_GAP}[0-9]{{4}}{DASH}[0-9]{{4}}"
    rf"|(?<=5)5{_GAP}{_AREA}{_GAP}9[0-9]{{4}}{_GAP}[0-9]{{4}}"
    rf"){TAIL}"
)
_CALLED = re.compile(
    r"((?i:(?<![a-z])(?:tele(?:fone|phone)|phone|fone|tel|celular|cel|mobile|msisdn|whats(?:app)?)"
    r"(?:[ _.-]?(?:number|num|n[uú]mero))?)(?![a-zA-Z])[\s.:=\"'(]{1,4})"
    rf"(\+?[0-9](?:[\s().-]{{0,2}}[0-9]){{7,14}}){TAIL}"
)


def _phone(found: re.Match[str]) -> str:
    return stars(found[0], last=4)


def _called(found: re.Match[str]) -> str:
    """Plain digits are a phone only where a word says so."""
    return found[1] + stars(found[2], last=4)


# --- e-mail

_EMAIL = re.compile(
    r"(?<![\w.+-])([\w.+-]+)@((?:[^\W_](?:[\w-]*[^\W_])?\.)+([^\W\d_]{2,24}))(?![\w@-])"
)
#: What stands after an @ and is no domain: systemd's units, files, names of a closed network.
_NO_DOMAIN = frozenset(
    "service socket timer mount automount target scope slice device swap path local localdomain"  # noqa: SIM905
    " localhost internal svc lan intranet png jpg svg py jar json yaml yml conf log txt".split()
)


def _email(found: re.Match[str]) -> str:
    """The first letter and the domain stay."""
    name, domain = found[1], found[2]
    if found[3].lower() in _NO_DOMAIN or name == "git":
        return found[0]
    return f"{name[0] if len(name) > 1 else ''}***@{domain}"


# --- Pix keys that are nothing else

_KEY_WORD = (
    # What it is for may stand between, but no word that makes it the id of something.
    r"(?i:(?<![a-z])((?:chave|evp|(?:pix|dict|payee|payer|receiver|recipient|sender|creditor"
    r"|debtor|recebedor|pagador|destinat[aá]rio)[ _.-]?key)[^0-9\n]{0,24}?"
    r"|pix[\s:=\"'(]{1,4}|(?<![\w-])key=[\"']?))(?<![0-9A-Za-z])"
)
_EVP = re.compile(rf"{_KEY_WORD}({UUID})(?![0-9A-Za-z])")
_OF_SOMETHING = re.compile(r"(?i)(?<![a-z])id(?![a-z])|uuid|run|trace|span|job|query|request|txn")
_BR_CODE = re.compile(r"(?i)(br\.gov\.bcb\.pix01)([0-9]{2})(\S{1,77})")


def _evp(found: re.Match[str]) -> str:
    """A random key (EVP) is a UUID, as are the ids of runs, jobs, traces and queries, which
    people need: only a word beside it tells them apart. Source: BCB, API do DICT, "Chaves"."""
    word, key = found[1], found[2]
    return found[0] if _OF_SOMETHING.search(word) else word + stars(key, last=4)


def _br_code(found: re.Match[str]) -> str:
    """The key in a QR code's text. Source: BCB, Manual de Padrões para Iniciação do Pix."""
    length = int(found[2])
    key, rest = found[3][:length], found[3][length:]
    return f"{found[1]}{found[2]}{stars(key, last=4, also='@.+-_')}{rest}"


# --- what was cut off before anybody could tell what it was

_CUT_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[\s.()/-]{0,2}[0-9]){5,18}[\s.()/-]{0,2}(?=…)")
_CUT_CNPJ = re.compile(rf"[0-9A-Z]{HEAD}[0-9A-Z]\.[0-9A-Z]{{3}}\.[0-9A-Z]{{3}}[0-9A-Z/-]*(?=…)")
_CUT_EVP = re.compile(rf"{_KEY_WORD}([0-9A-Fa-f]{{8}}-[0-9A-Fa-f-]{{0,27}})(?=…)")
_CUT_EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]+)@[\w.-]*(?=…)")


def _cut_number(found: re.Match[str]) -> str:
    return stars(found[0])


def _cut_evp(found: re.Match[str]) -> str:
    return found[1] + stars(found[2])


def _cut_email(_found: re.Match[str]) -> str:
    return "***@"


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


_CPF = re.compile(
    rf"[0-9]{HEAD}[0-9]{{2}}([.\s]?)[0-9]{{3}}\1[0-9]{{3}}(?:{DASH}|[/\s])?[0-9]{{2}}{TAIL}"
)
_CNPJ = re.compile(
    rf"[0-9A-Za-z]{HEAD}[0-9A-Za-z]\.[0-9A-Za-z]{{3}}\.[0-9A-Za-z]{{3}}/[0-9A-Za-z]{{4}}"
    rf"{DASH}?[0-9]{{2}}{TAIL}"
)
#: Without the points, only capitals: small letters are how machines write what they count.
_BARE_CNPJ = re.compile(rf"[0-9A-Z]{HEAD}[0-9A-Z]{{7}}/?[0-9A-Z]{{4}}{DASH}?[0-9]{{2}}{TAIL}")
_CARD = re.compile(
    rf"[0-9A-Fa-f]{HEAD}(?:[0-9A-Fa-f]{{7}}-(?:[0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}}"
    rf"|(?P<card>(?<=[0-9])[0-9]{{3}}(?:"
    r"([\s.-]?)[0-9]{4}\2[0-9]{4}\2[0-9]{4}(?:\2[0-9]{3})?"
    rf"|([\s.-]?)[0-9]{{6}}\3[0-9]{{4,5}})){TAIL})"
)

IDENTIFIERS: tuple[Kind, ...] = (
    Kind("pix", _BR_CODE, _br_code, signs=("br.gov.bcb.pix",)),
    Kind("pix", _EVP, _evp, form=re.compile("-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-")),
    Kind("email", _EMAIL, _email, signs=("@",)),
    Kind("cnpj", _CNPJ, _cnpj, form=re.compile(f"/[0-9A-Za-z]{{4}}{DASH}?[0-9]{{2}}")),
    Kind("cnpj", _BARE_CNPJ, _cnpj, form=re.compile("[0-9A-Z]{8}/?[0-9A-Z]{4}")),
    Kind("card", _CARD, _card),
    Kind("cpf", _CPF, _cpf),
    Kind("phone", _PLUS, _phone, form=re.compile(r"\+[1-9]")),
    Kind("phone", _PHONE, _phone),
    Kind("phone", _CALLED, _called),
    Kind("cut_off", _CUT_EVP, _cut_evp, signs=("…",)),
    Kind("cut_off", _CUT_NUMBER, _cut_number, signs=("…",)),
    Kind("cut_off", _CUT_CNPJ, _cut_number, signs=("…",)),
    Kind("cut_off", _CUT_EMAIL, _cut_email, signs=("…",)),
)
