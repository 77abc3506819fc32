"""The file of the questions: what is wrong in it is named with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from zega_core.catalog import DATA
from zega_core.errors import ConfigError
from zega_core.questions.book import load_book


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in DATA.glob("*.toml"):
        shutil.copy(path, tmp_path)
    return tmp_path


def change(folder: Path, old: str, new: str) -> int:
    """Change one place of the file; the line it is in."""
    path = folder / "questions.toml"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    return source[: source.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Describe {place} {time}.", "Describe {plaice} {time}.", "unknown slot"),
        ("Describe {place} {time}.", "Describe a {object}.", "a or an before a slot"),
        ('constraint = ["any", "told", "scene"]', 'constraint = ["any", "tolled"]', "'constraint' must name"),
        ('key = "opening"\n', 'key = "scene"\n', "twice"),
        ("turns = true", 'turns = "yes"', "true or false"),
        ("wit = [", "wits = [", "no key 'wits'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Path, old: str, new: str, why: str):
    change(folder, old, new)
    with pytest.raises(ConfigError, match=rf"questions\.toml, line \d+: .*{why}"):
        load_book(folder)


def test_the_line_is_that_of_the_mistake(folder: Path):
    line = change(folder, "Describe {place} {time}.", "Describe {plaice} {time}.")
    with pytest.raises(ConfigError, match=rf"line {line}: "):
        load_book(folder)


def test_every_kind_has_a_name_of_its_own():
    labels = load_book().labels()
    assert len(labels) == len(set(labels.values())) == len(load_book().kinds) + len(load_book().tasks)


def test_every_element_has_a_kind():
    assert {kind.element for kind in load_book().kinds} == {"scene", "character", "dialogue", "setting"}
