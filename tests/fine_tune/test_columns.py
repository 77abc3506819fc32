"""Tables and JSON lines: columns are found, mapped, and read back; what is wrong is told by its row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zega_core.catalog import load_catalog
from zega_core.errors import InvalidInput
from zega_core.fine_tune import pairs
from zega_core.fine_tune.columns import LARGEST, lines, look
from zega_core.fine_tune.written import table
from zega_core.tables import Example

MAPPING = {"prompt": "prompt", "completion": "completion"}


def taken(data: bytes, mapping: dict[str, str] | None = None, name: str = "pairs.csv") -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(data, name, mapping or MAPPING) if line.strip()]


def test_a_plain_table_is_found_out():
    data = b"Instruction,Output,genre\nWrite,A text,horror\nAgain,Another,\n"
    found = look(data, "pairs.csv")
    assert (found.names, found.rows, found.form) == (("Instruction", "Output", "genre"), 2, "csv")
    assert found.guess == {"prompt": "Instruction", "completion": "Output", "genre": "genre"}
    assert found.first == [["Write", "A text", "horror"], ["Again", "Another", ""]]
    assert taken(data, found.guess)[0] == {"prompt": "Write", "completion": "A text", "genre": "horror"}


@pytest.mark.parametrize(
    "head", ["question,answer", "PROMPT,Completion", "input,output", "query,response", "Prompt:,Text"]
)
def test_columns_are_guessed_by_their_names(head: str):
    asked, told = head.split(",")
    assert look(f"{head}\na,b\n".encode(), "x.csv").guess == {"prompt": asked, "completion": told}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str):
    rows = [["prompt", "completion"], ['Say "no", now', "One; two, three"], ["b", "c\nd"]]
    quoted = "\r\n".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    found = taken(quoted.encode())
    assert [(one["prompt"], one["completion"]) for one in found] == [tuple(row) for row in rows[1:]]


def test_what_excel_says_of_the_delimiter_is_believed():
    assert taken(b"sep=|\r\nprompt|completion\r\na,b,c|d,e,f\r\n") == [{"prompt": "a,b,c", "completion": "d,e,f"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_found_out(encoding: str):
    text = "prompt;completion\nÜber den Fluß;Die Brücke hieß „alt“ und trug überall Moos. Später hörte man Möwen.\n" * 5
    found = taken(text.encode(encoding))
    assert found[0]["completion"].startswith("Die Brücke hieß")
    assert found[0]["prompt"] == "Über den Fluß"


def test_another_encoding_than_utf_8_is_told():
    data = "prompt;completion\nÜber;Später hörte man Möwen über der Brücke\n".encode("cp1252")
    assert look(data, "x.csv").notes[0].startswith("It is not in UTF-8")


def test_without_names_the_long_column_is_the_text():
    data = b"Write,A long text about the sea and its ships\nAgain,Another one of the same length or so\n"
    found = look(data, "x.csv")
    assert found.names == ("Column 1", "Column 2")
    assert found.guess == {"prompt": "Column 1", "completion": "Column 2"}
    assert len(taken(data, found.guess)) == 2


def test_names_in_another_language_are_names():
    data = ("Frage,Antwort\nWas war?," + "Ein langer Text. " * 6 + "\n").encode()
    found = look(data, "x.csv")
    assert (found.names, found.rows, found.guess) == (("Frage", "Antwort"), 1, {})
    assert len(taken(data, {"prompt": "Frage", "completion": "Antwort"})) == 1


def test_two_columns_of_one_name_are_told_apart():
    found = look(b"prompt,text,text,\na,b,c,d\n", "x.csv")
    assert found.names == ("prompt", "text", "text (3)", "Column 4")


def test_what_is_wrong_has_the_number_of_its_row():
    data = b'prompt,completion\na,"two\nlines"\n\nonly\nc,d,more\n,e\n'
    found = list(pairs.read(lines(data, "x.csv", MAPPING), "x.csv", load_catalog()))
    assert [(one.number, one.faults) for one in found] == [
        (2, []),
        (4, ['"completion" is missing.']),
        (5, []),
        (6, ['"prompt" is empty.']),
    ]
    assert "2 rows with more or fewer cells" in look(data, "x.csv").notes[0]


def test_zeros_in_a_table_are_left_out():
    assert taken(b"prompt,completion\na\x00b,c\x00\n") == [{"prompt": "ab", "completion": "c"}]


def test_tags_are_one_cell():
    data = b'prompt,completion,tags\na,b,"Sea, night ; sea,,"\n'
    found = next(pairs.read(lines(data, "x.csv", {**MAPPING, "tags": "tags"}), "x.csv", load_catalog()), None)
    assert found is not None
    assert found.pairs[0].tags == ("Sea", "night")


def test_json_lines_with_other_names():
    data = b'{"question": "a", "answer": "b", "n": 1}\nno json\n\n{"question": "c"}\n'
    found = look(data, "x.jsonl")
    assert (found.form, found.names, found.rows) == ("jsonl", ("question", "answer", "n"), 3)
    assert found.guess == {"prompt": "question", "completion": "answer"}
    read = list(pairs.read(lines(data, "x.jsonl", found.guess), "x", load_catalog()))
    assert [(one.number, len(one.pairs)) for one in read] == [(1, 1), (2, 0), (4, 0)]


def test_chats_need_no_columns():
    data = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    found = look(data, "x.jsonl")
    assert found.guess == {}
    assert found.notes
    read = list(pairs.read(lines(data, "x.jsonl", {}), "x", load_catalog()))
    assert read[0].pairs[0].prompt == "a"


@pytest.mark.parametrize(
    "data, says",
    [
        (b"", "empty"),
        (b"prompt,completion\n", "no rows"),
        (b"one column\nonly\n", "only one column"),
        (b"PK\x03\x04 a workbook", "Save it as CSV"),
        (bytes(range(1, 32)) * 50, "no text"),
        (b"," * 300 + b"\n", "no rows"),
        (b"a," * 300 + b"\n", "columns"),
        (b"x" * (LARGEST + 1), "MB"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, says: str):
    with pytest.raises(InvalidInput, match=says):
        look(data, "x.csv")


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {"prompt": "prompt"},
        {"prompt": "prompt", "completion": "prompt"},
        {**MAPPING, "genre": "x"},
        {**MAPPING, "x": "y"},
    ],
)
def test_columns_that_do_not_fit_are_refused(mapping: dict[str, str]):
    with pytest.raises(InvalidInput):
        list(lines(b"prompt,completion\na,b\n", "x.csv", mapping))


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1, max_size=40)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_what_is_exported_is_imported_as_it_was(texts: list[tuple[str, str]]):
    rows = [
        Example(user_id="ana", genre="", element="", status="kept", prompt=f"p{asked}", completion=told, tags=["a"])
        for asked, told in texts
        if not told.startswith(("'", "\t"))
    ]
    data = b"".join(table(rows))
    found = taken(data, {**MAPPING, "tags": "tags"}, "zega.csv") if rows else []
    assert [(one["prompt"], one["completion"]) for one in found] == [(one.prompt, one.completion) for one in rows]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(st.sampled_from('a,;|"\n\r\t{}:\x00é'), max_size=80).map(str.encode))
def test_no_file_brings_anything_but_a_sentence(data: bytes):
    try:
        found = look(data, "x")
        mapping = {"prompt": found.names[0], "completion": found.names[1]} if len(found.names) > 1 else {}
        list(pairs.read(lines(data, "x", mapping), "x", load_catalog()))
    except InvalidInput as error:
        assert str(error)
