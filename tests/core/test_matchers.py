"""Matchers mean here what they mean to Alertmanager."""

import copy
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.matchers import Matcher, MatcherError, Op, parse_matcher, parse_matchers

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VALUES = st.text(st.characters(exclude_categories=["Cs"]))
ANY_TEXT = st.text() | st.text(alphabet='ab{}=!~,"\\n \t\né')


def spelled(text: str) -> list[str]:
    return [str(matcher) for matcher in parse_matchers(text)]


# Alertmanager's own examples (pkg/labels/parse_test.go, matcher/parse/parse_test.go).
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("{}", []),
        ('{foo="bar"}', ['foo="bar"']),
        ('{foo=~"bar.*"}', ['foo=~"bar.*"']),
        ('{foo!="bar"}', ['foo!="bar"']),
        ('{foo!~"bar.*"}', ['foo!~"bar.*"']),
        ('{foo="bar", baz!="quux"}', ['foo="bar"', 'baz!="quux"']),
        ('{foo="bar", baz!~".*quux",}', ['foo="bar"', 'baz!~".*quux"']),
        ("foo=bar,dings!=bums", ['foo="bar"', 'dings!="bums"']),
        (
            '{quote="She said: \\"Hi, ladies! That\'s gender-neutral…\\""}',
            [r'quote="She said: \"Hi, ladies! That' + "'" + r's gender-neutral…\""'],
        ),
        ("job=", ['job=""']),
        (r'job="a\nb"', [r'job="a\nb"']),
        (r'job=~"\d+\.x"', [r'job=~"\\d+\\.x"']),  # not Go's escapes: they stand for themselves
        (r'job="\t"', [r'job="\\t"']),  # both parsers can read it: the classic one has the word
        ('job="a\nb"', [r'job="a\nb"']),
        ("  job  =  value with spaces  ", ['job="value with spaces"']),
        ("job=value\\", [r'job="value\\"']),
        ("job=http://a/b?c=d", ['job="http://a/b?c=d"']),
        ("a:b=c", ['a:b="c"']),
        ('"foo"="bar"', ['foo="bar"']),
        ('"dépôt.name"="x", sévérité!=haute', ['dépôt.name="x"', 'sévérité!="haute"']),
        ('"a b"="c"', ['"a b"="c"']),
        (r'"é"="\x41\u00e9\U0001f600\101\t"', ['é="Aé😀A\t"']),
        ('{"quoted"="x",}', ['quoted="x"']),
        ("🙂=🙂", ['🙂="🙂"']),
        ("{a=b", ['a="b"']),  # the classic parser asks for no pair of braces
    ],
)
def test_text_is_read_as_alertmanager_reads_it(text: str, expected: list[str]) -> None:
    assert spelled(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "at character 2 of 'a': expected an operator such as '=', '!=', '=~' or '!~', found"),
        ("=b", "at character 1 of '=b': expected a label name, found '='"),
        ("a!b", "at character 2 of 'a!b': expected '!=' or '!~'"),
        ('a="b', "expected a closing double quote for the one opened here"),
        ('a="b" c="d"', "at character 7 of 'a=\"b\" c=\"d\"': expected a comma, found 'c'"),
        ('{"é"="b"', 'at character 9 of \'{"é"="b"\': expected a comma or a closing brace, found'),
        ('"é"="b"}', "expected a comma, found '}'"),
        ("a=b,,c=d", "at character 5 of 'a=b,,c=d': expected a label name, found ','"),
        (",", "at character 1 of ',': expected a label name, found ','"),
        ('""="x"', 'expected a label name, found ""'),
        (r'"é"="\q"', r"expected an escape such as '\"', '\\' or '\n'"),
        (r'"é"="\U7fffffff"', "expected an escape"),
        (r'"é"="\ud800"', "expected an escape"),
        (r'"é"="\xff"', "expected escapes that make up valid UTF-8"),
        ('"é"="a\nb"', r"expected '\n' in place of a line break inside quotes"),
        ("é='x'", 'at character 3 of "é=\'x\'": expected no "\'" here (put names and values in'),
        ('a=~"("', "bad regular expression '(': missing ): ("),
        ('a=~"(?=b)"', "bad regular expression '(?=b)': invalid perl operator"),
        ('a=~"a{1001}"', "invalid repetition size: {1001}"),
        ("a=\ud800", "half a surrogate pair"),
    ],
)
def test_a_problem_says_where_and_what_was_expected(text: str, problem: str) -> None:
    with pytest.raises(MatcherError) as caught:
        parse_matchers(text)
    assert problem in str(caught.value)


def test_bad_regular_expressions_write_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MatcherError):
        Matcher("a", "=~", "(")
    assert capfd.readouterr() == ("", "")


def test_one_matcher_stands_alone() -> None:
    assert parse_matcher("a=b,c") == Matcher("a", "=", "b,c")
    assert parse_matcher('"é"="}"') == Matcher("é", "=", "}")
    for text in ("{a=b}", "a=b}", "", 'é="x",ü="y"'):
        with pytest.raises(MatcherError):
            parse_matcher(text)


@pytest.mark.parametrize(
    ("op", "value", "label", "fulfilled"),
    [
        ("=", "x", "x", True),
        ("=", "x", "y", False),
        ("=", "", None, True),
        ("!=", "", None, False),
        ("!=", "x", None, True),
        ("=~", "", None, True),
        ("=~", ".+", None, False),
        ("!~", ".+", None, True),
        ("=~", "a|b", "b", True),
        ("=~", "a|b", "ab", False),  # anchored at both ends, around the whole alternative
        ("=~", "a", "a\n", False),
        ("=~", "a.b", "a\nb", False),  # Alertmanager compiles with no flags
        ("=~", "(?s)a.b", "a\nb", True),
        ("=~", "(?i)PIX", "pix", True),
        ("=~", ".", "é", True),
        ("=~", r"\p{Greek}+", "λόγος", True),
        ("!~", "x.*", "xyz", False),
        ("=~", "a)|(b", "axx", True),  # as in Go: the parentheses pair with the anchors' own
        ("=~", ".", "\ud800", True),
    ],
)
def test_matching(op: Op, value: str, label: str | None, fulfilled: bool) -> None:
    labels = {} if label is None else {"name": label}
    assert Matcher("name", op, value).matches(labels) is fulfilled


@given(name=NAMES, value=VALUES, op=st.sampled_from(["=", "!="]))
def test_what_is_written_is_read_back(name: str, value: str, op: Op) -> None:
    matcher = Matcher(name, op, value)
    assert parse_matcher(str(matcher)) == matcher
    assert parse_matchers(f"{{{matcher}, {matcher},}}") == (matcher, matcher)


@given(name=NAMES, words=st.lists(VALUES, max_size=3), op=st.sampled_from(["=~", "!~"]))
def test_regular_expressions_are_read_back(name: str, words: list[str], op: Op) -> None:
    value = "|".join("".join(f"\\x{{{ord(char):x}}}" for char in word) for word in words)
    matcher = Matcher(name, op, value)
    assert parse_matcher(str(matcher)) == matcher
    for word in words:
        assert matcher.matches({name: word}) is (op == "=~")


@given(text=ANY_TEXT)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        matchers = parse_matchers(text)
    except MatcherError:
        return
    assert parse_matchers(",".join(map(str, matchers))) == matchers


def test_matching_takes_linear_time() -> None:
    matcher = Matcher("a", "=~", "(a*)*(a|aa)*b")
    began = time.perf_counter()
    assert not matcher.matches({"a": "a" * 20_000})
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "a=" + " " * 50_000 + "x!,,",
        '"' * 50_001,
        '"é"="' + r"\n" * 50_000,
        "a=" + "\\" * 50_000 + '",',
        'a=~"' + "(" * 50_000 + '"',
    ],
    ids=["spaces", "quotes", "escapes", "backslashes", "parentheses"],
)
def test_long_texts_are_refused_at_once_and_in_short(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(MatcherError) as caught:
        parse_matchers(text)
    assert time.perf_counter() - began < 2
    assert len(str(caught.value)) < 300


def test_a_matcher_is_a_plain_value() -> None:
    matcher = Matcher("a", "=~", "b.*")
    assert pickle.loads(pickle.dumps(matcher)) == copy.deepcopy(matcher) == matcher  # noqa: S301
    assert hash(matcher) == hash(parse_matcher('a=~"b.*"'))
    assert (matcher.is_regex, matcher.is_equal) == (True, True)
    assert (Matcher("a", "!=", "b").is_regex, Matcher("a", "!=", "b").is_equal) == (False, False)
