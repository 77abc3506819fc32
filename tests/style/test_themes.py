"""Themes and kinds of character: found where they are, not where they are not, and never by one word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.labelled import MOTIFS, TOGETHER
from zega_core.catalog import DATA
from zega_core.errors import ConfigError
from zega_core.style import themes
from zega_core.style.themes import confirmed, find, load_motifs, tally


def test_there_are_as_many_as_a_writer_needs():
    kinds = [motif.archetype for motif in load_motifs().values()]
    assert kinds.count(False) >= 20
    assert kinds.count(True) >= 14


def test_every_one_has_a_labelled_text():
    assert set(MOTIFS) == set(load_motifs())


@pytest.mark.parametrize("key", MOTIFS)
def test_it_is_found_in_its_text_and_no_other_theme_is(key: str):
    found = find(MOTIFS[key]).sure
    assert key in found
    assert found <= {key} | TOGETHER.get(key, set())


def test_a_single_word_makes_no_theme_however_often_it_stands_there():
    plain = "He walked to the shop and bought a loaf. "
    assert not find(plain + "Revenge. " * 50).sure
    assert find(plain + "He wanted revenge. They murdered his father, and he would get even.").sure == {"revenge"}


def test_words_count_whole():
    assert not find("The warden was aware of the reward, and the warm steward warned the toward-facing guard.").sure


def test_a_longer_text_wants_more():
    words = "He wanted revenge. They murdered his father. He hated them. "
    padding = "The shop sold tea and paint, and a cup stood beside each tin of it. "
    assert "revenge" in find(words).sure
    assert "revenge" not in find(words + padding * 60).sure


@given(st.text(max_size=400))
def test_any_text_can_be_looked_through(text: str):
    assert find(text).sure.isdisjoint(find(text).open)


def test_the_meaning_decides_where_words_leave_it_open():
    text = "He wanted revenge. They murdered somebody."
    found = find(text)
    assert "revenge" in found.open
    asked: list[str] = []

    def embed(texts: list[str], like: float) -> NDArray[np.float32]:
        asked.extend(texts)
        rows = [[1.0, 0.0]] * (len(texts) - 1) + [[like, (1 - like**2) ** 0.5]]
        return np.array(rows, dtype=np.float32)

    assert confirmed([text], [found], lambda texts: embed(list(texts), 0.9)) == [found.sure | found.open]
    assert confirmed([text], [found], lambda texts: embed(list(texts), 0.1)) == [found.sure]
    assert load_motifs()["revenge"].meaning in asked


def test_nothing_is_embedded_where_words_are_enough():
    def embed(_: object) -> NDArray[np.float32]:
        raise AssertionError("nobody should be asked")

    sure = themes.Found(frozenset({"war"}), frozenset())
    assert confirmed(["any"], [sure], embed) == [frozenset({"war"})]


def test_shares_are_weighted_and_counts_are_not():
    both, archetypes = tally([(frozenset({"war", "warrior"}), 3.0), (frozenset(), 1.0), (frozenset({"hope"}), 1.0)])
    assert [(one.key, one.count, one.share) for one in both] == [("war", 1, 0.6), ("hope", 1, 0.2)]
    assert [(one.key, one.count) for one in archetypes] == [("warrior", 1)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('core = ["forbidden', 'kern = ["forbidden'), "kern"),
        (('key = "sacrifice"', 'key = "quest"'), "twice"),
        (('"codex', '"Codex'), "themes.toml"),
    ],
)
def test_a_mistake_in_the_catalog_is_said_with_its_line(tmp_path: Path, change: tuple[str, str], said: str):
    source = (DATA / "themes.toml").read_text(encoding="utf-8").replace('"grimoire|grimoires|codex', '"codex')
    (tmp_path / "themes.toml").write_text(source.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"themes\.toml, line \d+") as told:
        load_motifs(tmp_path)
    assert said in str(told.value)
