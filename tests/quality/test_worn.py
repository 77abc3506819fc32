"""Worn phrases: found in any text, counted, and a list that each writer makes their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality.test_sameness import ANYTHING, steps
from zega_core.catalog import DATA
from zega_core.configs import TasteConfig
from zega_core.errors import ConfigError, InvalidInput
from zega_core.quality import worn
from zega_core.quality.sameness import Written

HOLDING = "let out a breath she didn't know she was holding"


class TestFinding:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("He let out a breath he hadn't realized he'd been holding.", [HOLDING]),
            ("It was a Testament to her skill.", ["testament to"]),
            ("Shivers\nran down her spine.", ["shivers ran down her spine"]),
            ("That sent a shiver down my back.", ["sent shivers down her spine"]),
            ("LITTLE DID THE know", ["little did she know"]),
            (
                "a rollercoaster of emotions, and a ghost of a smile",
                ["a rollercoaster of emotions", "a ghost of a smile"],
            ),
            ("a journey of self discovery", ["a journey of self-discovery"]),
            ("He couldn’t help but smile.", ["could not help but feel"]),
            ("Her heart skipped a beat. Her heart missed a beat.", ["heart skipped a beat"] * 2),
            ("It was a testament. To her, nothing.", []),
            ("The tapestry hung in the hall; his heart was in it.", []),
            ("", []),
        ],
    )
    def test_phrases_are_found_whatever_their_case_and_ending(self, text: str, found: list[str]):
        assert worn.find(text) == found

    def test_the_longest_phrase_counts_and_counts_once(self):
        both = worn.with_phrase(worn.with_phrase(TasteConfig(), "a cold stone"), "a cold stone in her chest")
        assert worn.worn_list(both).find("It lay like a cold stone in her chest, a cold stone.") == [
            "a cold stone in her chest",
            "a cold stone",
        ]

    def test_every_phrase_of_the_list_is_found_as_it_is_shown(self):
        phrases = worn.worn_list().phrases
        assert len(phrases) >= 250
        assert [phrase for phrase in phrases if not worn.find(f"And then {phrase} again.")] == []

    def test_every_phrase_of_the_list_can_be_taken_off(self):
        phrases = worn.worn_list().phrases
        off = TasteConfig(not_worn=phrases)
        assert worn.worn_list(off).phrases == ()
        assert not worn.worn_list(off).find(" ".join(phrases))


class TestReport:
    def test_times_pieces_and_density_overall_and_by_teacher(self):
        texts = [
            Written(1, "A testament to it. " * 2 + "word " * 92, model="groq/a", source="auto"),
            Written(2, "A testament to it. " + "word " * 96, model="groq/a", source="auto"),
            Written(3, "word " * 300, model="", source="manuscript"),
        ]
        report = worn.report(texts, worn.worn_list())
        (phrase,) = report.phrases
        assert (phrase.phrase, phrase.times, phrase.ids) == ("testament to", 3, (1, 2))
        assert (report.total.words, report.total.times, report.total.per_thousand) == (500, 3, 6.0)
        assert [(one.name, one.per_thousand) for one in report.models] == [("groq/a", 15.0), ("", 0.0)]
        assert [(one.name, one.times) for one in report.sources] == [("auto", 3), ("manuscript", 0)]

    def test_nothing_has_no_density(self):
        report = worn.report([], worn.worn_list())
        assert (report.total.per_thousand, report.phrases) == (0.0, ())

    def test_published_fiction_is_there_to_compare_with(self):
        shipped = worn.load_shipped()
        assert 0 < shipped.reference < 1
        assert shipped.reference_words > 1_000_000


class TestTheWritersList:
    def test_a_phrase_is_added_as_it_will_be_found(self):
        config = worn.with_phrase(TasteConfig(), "  A  Heart’s   Stone ")
        assert config.worn == ("a heart's stone",)
        assert worn.worn_list(config).find("It was a heart’s stone.") == ["a heart's stone"]
        assert worn.find("It was a heart’s stone.") == []

    @pytest.mark.parametrize(
        ("typed", "why"),
        [
            ("", "2 to 60"),
            ("a", "2 to 60"),
            ("x" * 61, "2 to 60"),
            ("<b>bold</b>", "made of letters"),
            ("breath {she|he}", "made of letters"),
            ("*stars*", "made of letters"),
            ("the", "every text needs"),
            ("Testament  To", "already"),
            ("end-", "made of letters"),
        ],
    )
    def test_what_cannot_be_a_phrase_is_refused_in_plain_words(self, typed: str, why: str):
        with pytest.raises(InvalidInput, match=why):
            worn.with_phrase(TasteConfig(), typed)

    def test_the_list_of_ones_own_has_an_end(self):
        full = TasteConfig(worn=tuple(f"phrase {number}" for number in range(500)))
        with pytest.raises(InvalidInput, match="Remove one"):
            worn.with_phrase(full, "one more phrase")

    def test_a_phrase_of_the_catalog_is_taken_off_and_comes_back(self):
        off = worn.without_phrase(worn.without_phrase(TasteConfig(), "testament to"), "testament to")
        assert off.not_worn == ("testament to",)
        assert worn.worn_list(off).find("a testament to it") == []
        assert worn.with_phrase(off, "Testament to") == TasteConfig()

    def test_a_phrase_of_ones_own_is_gone_when_taken_off(self):
        assert worn.without_phrase(worn.with_phrase(TasteConfig(), "cold as slate"), "cold as slate") == TasteConfig()

    def test_other_choices_stay_as_they_are(self):
        config = worn.without_phrase(
            worn.with_phrase(TasteConfig(avoid=False, keep_score=6), "cold as slate"), "tapestry of"
        )
        assert (config.avoid, config.keep_score) == (False, 6)


class TestTheFile:
    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            ('"tapestry of"', '"Tapestry of"', "small letters"),
            ('"tapestry of"', '"tapestry <of>"', "small letters"),
            ('"tapestry of"', '"testament to"', "twice"),
            ('"little did _ know"', '"_ did she know"', "begins with a word"),
            ('"little did _ know"', '"little di(d|) know"', "cannot be part"),
            ('"little did _ know"', '"li* did _ know"', "cannot be part"),
            ('"little did _ know"', '"much did _ know"', "its own shape"),
            ('"little did _ know"', '"little ' + "{a|b|c|d|e|f|g} " * 6 + '"', "spellings"),
            ("per_thousand = ", "per_thousand = -", "0 or more"),
            ("[reference]", "[reverence]", "reverence"),
        ],
    )
    def test_a_mistake_is_named_with_its_line(self, tmp_path: Path, old: str, new: str, why: str):
        folder = Path(shutil.copytree(DATA, tmp_path / "catalog"))
        file = folder / "worn.toml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ConfigError, match=rf"worn\.toml, line \d+: .*{why}"):
            worn.load_shipped(folder)


class TestHostile:
    @given(ANYTHING)
    @settings(deadline=None, max_examples=300)
    def test_any_text_is_read(self, text: str):
        found = worn.find(text)
        assert set(found) <= set(worn.worn_list().phrases)
        assert worn.find(f"{text}\n\ntestament to\n\n{text}")[len(found)] == "testament to"

    @given(st.text(st.characters(exclude_categories=()), max_size=70))
    @settings(deadline=None, max_examples=300)
    def test_anything_typed_is_a_phrase_or_refused(self, typed: str):
        try:
            config = worn.with_phrase(TasteConfig(), typed)
        except InvalidInput:
            return
        (phrase,) = config.worn
        assert worn.worn_list(config).find(f"… {phrase} …") == [phrase]

    @pytest.mark.parametrize(
        "unit",
        [
            "a ",
            "let out a breath she ",
            "heart heart ",
            "a mix of a and ",
            "’",
            "a'a",
            "\n",
            ".",
            "sent a ",
            "\x00",
            "ש ",
        ],
    )
    def test_work_grows_with_the_text_and_not_faster(self, unit: str):
        def work(size: int) -> int:
            text = unit * (size // len(unit))
            return steps(lambda: worn.find(text))

        assert work(80_000) <= 2.1 * work(40_000) + 100

    def test_a_megabyte_is_read(self):
        assert len(worn.find("It was a testament to her. " * 40_000)) == 40_000
