"""What an incident is found by, and what a query asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.incidents import Incident, Note
from app.core.searching import ANY_LABEL, Document, Phrase, document, label_word, phrases, words

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def begun(*found: str) -> Phrase:
    return Phrase(found, begun=True)


def whole(*found: str) -> Phrase:
    return Phrase(found, begun=False)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", []),
        ("  % _ ()", []),
        ("kafka", [begun("kafka")]),
        ("Kafka LAG", [begun("kafka"), begun("lag")]),
        ("model_latency", [begun("model", "latency")]),
        ('"is happening"', [whole("is", "happening")]),
        ('lag "of kafka', [whole("of", "kafka"), begun("lag")]),
        ('""', []),
        ("transação", [begun("transacao")]),
        ("a OR b NEAR c*", [begun("a"), begun("or"), begun("b"), begun("near"), begun("c")]),
    ],
)
def test_phrases(query: str, found: list[Phrase]) -> None:
    assert list(phrases(query)) == found


@given(st.text())
def test_words_are_what_is_found_again(text: str) -> None:
    made = Document(words(text), [])
    assert made.has(phrases(text.replace('"', " ")))


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("kafka", True),
        ("lag", True),
        ("consumer lag", True),
        ("con", True),
        ("onsumer", False),
        ('"lag high"', True),
        ('"high lag"', False),
        ('"consumer la"', False),
        ("pod api-7", True),
        ("disk", False),
    ],
)
def test_a_document_holds_what_its_incident_says(query: str, fits: bool) -> None:
    incident = Incident("k", ("oncall",), AT, AT, title="KafkaConsumerLagHigh: much")
    labels = {"alertname": "KafkaConsumerLagHigh", "pod": "api-7f"}
    made = document(incident, [(labels, {"summary": "Fila da transação"})], [])
    assert made.has(phrases(query)) is fits
    assert label_word("pod", "api-7f") in made.labels
    assert label_word("pod", "api") not in made.labels


def test_an_incident_of_too_many_labels_is_looked_at_for_each() -> None:
    incident = Incident("k", ("oncall",), AT, AT)
    made = document(incident, [({"pod": str(n)}, {}) for n in range(21_000)], [])
    assert ANY_LABEL in made.labels


@pytest.mark.parametrize("letters", ["abcdefgh", "αβγδεζηθ", "𐐨𐐩𐐪𐐫𐐬𐐭𐐮𐐯"])
def test_a_document_is_no_longer_than_postgresql_takes(letters: str) -> None:
    """A tsvector holds 1,048,575 bytes: a word, up to three beside it, and two for each place."""
    words_ = ["".join(each) * 40 for each in islice(product(letters, repeat=5), 6_000)]
    incident = Incident("k", ("oncall",), AT, AT, title="KafkaLag: much", firing=1)
    note = Note(1, "Ana", AT, "it was the broker")
    made = document(incident, [({"pod": "api-7"}, {"said": " ".join(words_)})], [note])
    assert 800_000 < sum(len(word.encode()) + 5 for word in made.words) < 1_000_000
    assert made.has(phrases('kafkalag much "the broker" pod-api-7'))
    assert made.has([whole(words_[0], words_[1])])
    assert not made.has([whole(words_[-1])])


def test_a_document_keeps_what_is_said_again_and_again() -> None:
    incident = Incident("k", ("oncall",), AT, AT, firing=1)
    said = " ".join([f"{'x' * 190}"] * 15_000)
    assert len(document(incident, [({}, {"said": said})], []).words) == 15_000
