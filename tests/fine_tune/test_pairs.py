"""Pairs in a JSONL file: what can be used of each line, and a sentence for what cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.catalog import load_catalog
from zega_core.errors import InvalidInput
from zega_core.fine_tune import pairs
from zega_core.fine_tune.pairs import Line, Pair


def line(number: int) -> str:
    return json.dumps({"prompt": f"Prompt {number}", "completion": f"It rained {number} times."})


def of(source: Path | list[str | bytes]) -> list[Line]:
    return list(pairs.read(source, "wide.jsonl", load_catalog()))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{'prompt': 'single quotes'}", "not JSON"),
        ("plain words", "not JSON"),
        ('{"prompt": "cut o', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"prompt": ' + "9" * 5_000 + ', "completion": "x"}', "not JSON"),
        ('[{"prompt": "a", "completion": "b"}]', "is a list"),
        ('"text"', "is text"),
        ("null", "is null"),
        ("17", "is a number"),
        ("{}", 'neither "prompt"'),
        ('{"instruction": "a", "output": "b"}', 'neither "prompt"'),
        ('{"prompt": "a"}', '"completion" is missing'),
        ('{"prompt": null, "completion": "b"}', '"prompt" is missing'),
        ('{"prompt": 5, "completion": "b"}', '"prompt" must be text, not a number'),
        ('{"prompt": "a", "completion": ["b"]}', '"completion" must be text, not a list'),
        ('{"prompt": true, "completion": "b"}', "not true or false"),
        ('{"prompt": " ", "completion": "b"}', '"prompt" is empty'),
        ('{"prompt": "a", "completion": "\\u0000 "}', '"completion" is empty'),
        ('{"messages": "hello"}', "must be a list"),
        ('{"messages": ["hello"]}', "must be a list"),
        ('{"messages": []}', 'no message with the role "assistant"'),
        ('{"messages": [{"role": "user", "content": "a"}]}', 'no message with the role "assistant"'),
        ('{"messages": [{"role": "assistant", "content": "a"}]}', "asked before answer 1 is missing"),
        ('{"messages": [{"role": "user", "content": [1]}, {"role": "assistant", "content": "a"}]}', "not a list"),
        ('{"messages": [{"role": "tool"}, {"role": "assistant", "content": "a"}]}', "The role of each"),
        (json.dumps({"prompt": "a", "completion": "b" * pairs.LONGEST}), "longer than 2,000,000 bytes"),
        (b'{"prompt": "caf\xe9", "completion": "b"}', "not in UTF-8"),
    ],
)
def test_a_bad_line_has_its_sentence(tmp_path: Path, bad: str | bytes, said: str):
    raw = bad if isinstance(bad, bytes) else bad.encode()
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(line(1).encode() + b"\n\n" + raw + b"\n" + line(2).encode())
    first, wrong, last = of(file)
    assert (first.number, wrong.number, last.number) == (1, 3, 4)
    assert said in " ".join(wrong.faults)
    assert [one.pairs[0].prompt for one in (first, last)] == ["Prompt 1", "Prompt 2"]
    assert not first.faults + last.faults


def test_the_good_turns_of_a_chat_are_taken():
    turns = [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B."}, {"role": "judge"}]
    (found,) = of([json.dumps({"messages": turns, "genre": "Horror", "element": "dialogue"})])
    assert found.pairs == [Pair("A?", "B.", "horror", "dialogue")]
    assert len(found.faults) == 1


def test_marks_of_editors_and_systems_do_not_matter(tmp_path: Path):
    file = tmp_path / "windows.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(line(number).encode() for number in range(3)) + b"\r\n\r\n")
    assert [one.pairs[0].prompt for one in of(file)] == ["Prompt 0", "Prompt 1", "Prompt 2"]
    assert len(of(["\ufeff" + line(7), line(8).encode()])) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named_with_what_to_do(tmp_path: Path, encoding: str):
    file = tmp_path / "wide.jsonl"
    file.write_bytes(line(1).encode(encoding))
    with pytest.raises(InvalidInput, match=r"wide\.jsonl is in UTF-16 or is no text.*UTF-8"):
        of(file)


@pytest.mark.parametrize("over", [-1, 0, 1, 70_000, 200_000])
def test_a_line_around_the_limit_does_not_swallow_the_next(tmp_path: Path, over: int):
    frame = len(json.dumps({"prompt": "a", "completion": ""}))
    long = json.dumps({"prompt": "a", "completion": "b" * (pairs.LONGEST + over - frame)})
    file = tmp_path / "long.jsonl"
    file.write_text(f"{long}\n{line(1)}\n{long}", encoding="utf-8", newline="")
    found = of(file)
    assert [one.number for one in found] == [1, 2, 3]
    assert found[1].pairs[0].prompt == "Prompt 1"
    assert bool(found[0].faults) == (over > -1)
    assert bool(found[2].faults) == (over > 0)
    assert found[-1].end <= file.stat().st_size


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["prompt", "completion", "messages", "role", "content", "genre"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.text(max_size=60) | JSON.map(json.dumps), max_size=8))
def test_any_line_gives_pairs_or_sentences(lines: list[str | bytes]):
    try:
        found = of(lines)
    except InvalidInput as error:
        assert "UTF-8" in str(error)
        return
    for one in found:
        assert one.pairs or one.faults
        assert all(pair.prompt.strip() and pair.completion.strip() for pair in one.pairs)
