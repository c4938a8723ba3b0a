"""JSON as it is read: what it says, and nothing twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.strict_json import loads
from domain.refusal import Refusal

BLANK = st.text(" \t\n\r", max_size=2)
NAME = st.sampled_from(["a", "b", "a b", "ab", 'a":', "a :", "\\", "ä", ""])


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    written = st.sampled_from([True, False])
    members = st.builds(
        lambda name, ascii, before, after, value: (
            f"{before}{json.dumps(name, ensure_ascii=ascii)}{before}:{after}{value}"
        ),
        NAME,
        written,
        BLANK,
        BLANK,
        values,
    )
    return st.lists(members, max_size=4).map(lambda each: f"{{{','.join(each)}}}")


def lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=3).map(lambda each: f"[{' , '.join(each)}]")


LEAF = st.sampled_from(["1", "-0", "1e5", "1.50", "true", "null", '""', '"x : y"', '"\\":"', '"\\u0041"'])
TEXT = st.recursive(LEAF, lambda values: objects(values) | lists(values), max_leaves=12)


def says_something_twice(text: str) -> bool:
    found = []
    json.loads(text, object_pairs_hook=lambda pairs: found.append(len(dict(pairs)) < len(pairs)))
    return any(found)


@given(TEXT)
def test_it_is_refused_exactly_if_a_name_stands_twice_in_one_object(text: str) -> None:
    if says_something_twice(text):
        with pytest.raises(Refusal, match="twice") as refusal:
            loads(text.encode())
        assert refusal.value.code == "malformed"
    else:
        assert loads(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"amount":"5","amount":"5000"}',
        '{"amount": "5", "amount": "5000"}',
        '{"amount":"5","\\u0061mount":"5000"}',
        '{"lines":[{"amount":"1"},{"amount" :"5","text":"a","amount"\n:"5"}]}',
    ],
)
def test_the_name_is_told(text: str) -> None:
    with pytest.raises(Refusal, match="'amount' stands twice in one object") as refusal:
        loads(text.encode())
    assert refusal.value.facts == {"field": "amount"}


@pytest.mark.parametrize("depth", [300, 965, 1024, 5_000, 200_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ('{"a" : [', "]}")])
def test_what_is_too_deep_is_malformed(depth: int, begin: str, end: str) -> None:
    with pytest.raises(Refusal) as refusal:
        loads((begin * depth + "1" + end * depth).encode())
    assert refusal.value.code == "malformed"


@pytest.mark.parametrize("text", ["", "{", "NaN", "1e400", "9" * 5_000, '"\\ud800"', '"\x01"', "\ufeff{}", "{}{}"])
def test_what_is_not_json_is_malformed_in_few_words(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        loads(text.encode())
    assert refusal.value.code == "malformed"
    assert len(refusal.value.message) < 200


def test_a_long_name_is_told_in_short() -> None:
    name = "x" * 100_000
    with pytest.raises(Refusal) as refusal:
        loads(f'{{"{name}":1,"{name}":2}}'.encode())
    assert len(refusal.value.message) + len(str(refusal.value.facts)) < 300
