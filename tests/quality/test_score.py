"""The score moves the way a reader's judgement would, always within 0..10, always the same."""

from __future__ import annotations

import json
import random
import re
import statistics
import subprocess
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zega_core.catalog import Element
from zega_core.quality import QUALITY_VERSION, Criterion, QualityReport, score
from zega_core.quality.features import moving_ttr, read, repeated_share, stem, unevenness

ELEMENTS = {
    "scene": Element("scene", "Scene", "", 100, 220),
    "character": Element("character", "Character", "", 100, 220),
    "dialogue": Element("dialogue", "Dialogue", "", 40, 220, 5, 10),
    "setting": Element("setting", "Setting", "", 70, 150),
}
NAMES = ("coherence", "craft", "variety", "imagery", "relevance", "fit")

FERRY = """The orchard had been under snow for nine days when the bees came out. Hanne heard them before she saw
them: a low note, like a cello being tuned in another house. They poured from the third hive in a brown rope and
hung themselves on the pear tree, where the branches smoked.

She went in her nightshirt and her father's boots. Nothing that small should have been alive. The snow under the
tree was freckled with wings, yet the rope grew longer, and warmer too, so that drops fell from the twigs and
drilled grey holes at her feet.

"Go back," she told them. "It's January."

They did not go back. One walked across her thumb, slowly, as if reading it. Then she smelled what they had
smelled: behind the wall, from the neighbour's side, came blossom, sweet and indecent, and somebody laughing."""

CASES = [
    (FERRY, "A beekeeper's swarm leaves the hive in the middle of winter", "scene"),
    (
        """Bartholomew Quill counts bridges for the city and has never crossed one without lifting his hat. He is
fifty, narrow, and buttoned to the chin. In his left pocket he carries chalk, in his right a bag of aniseed balls
which he offers to dogs. Children follow him. He pretends not to notice and walks a little slower.

His mother sold eels off a barge, and he was born on the water, between two parishes that both refused to write
him down. So he likes a thing that has an end on either side. At night he lays his ledgers on the bed, where
another person might have slept, and reads the cracks aloud: Tanner's Bridge, four; Lady Bridge, eleven, one of
them new. He has asked the council for mortar every spring since the war. Last week he bought a bucket and a
trowel of his own, and nobody has seen him by daylight since.""",
        "An inspector of bridges who was born on a barge",
        "character",
    ),
    (
        """"You're early," said the hangman.
"I was told seven." The priest shook the rain from his hat. "Is he awake?"
"He's asked for a barber. Thinks they'll want to draw him."
"And will they?"
"Nobody's come to draw one of mine since the bishop." He tested the rope with both hands, kindly, like a man
choosing a lead for a dog. "Sit down, Father. You're whiter than he is."
"It's my first."
"Then stand where he can see your boots. They like to look at boots.\"""",
        "A hangman and a young priest wait for the dawn before an execution",
        "dialogue",
    ),
    (
        """The reading room lies forty metres under the lake, and the windows are green. Pike drift past the atlases. On
every table stands a brass lamp with a saucer of salt beneath it, because the damp gets into the flame before it
gets into the paper, and the librarians go round at the hour with a spoon. Nothing here may be copied. You hear
pages, drips, the knock of a boat that somebody has tied up over your head. The oldest books are kept in the bell
at the far end, behind glass, in air that was brought down in 1740 and has not been changed.""",
        "A library at the bottom of a lake",
        "setting",
    ),
]  # fmt: skip

DULL = """Sarah was very sad. Sarah was walking in the street. Sarah was thinking about her problem. She was really
worried about the situation. She was feeling a lot of emotion. She had an important decision to make about her life.
She thought about the decision for a long time. She felt that the decision was very difficult. She was nervous about
the result of the decision. She wanted to have a good life. She knew that life was really hard. She decided that she
would be happy. She was happy about her decision. She went to her house. It was a very good day for her. She was
excited about the future and the experience."""
STREET = "A woman walking in the street must decide about her future"


def judged(text: str, prompt: str, kind: str = "scene") -> QualityReport:
    return score(text, prompt, "fantasy", ELEMENTS[kind])


def criterion(report: QualityReport, name: str) -> Criterion:
    return next(one for one in report.criteria if one.name == name)


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)


@pytest.mark.parametrize(("text", "prompt", "kind"), CASES)
def test_good_writing_is_kept(text: str, prompt: str, kind: str) -> None:
    report = judged(text, prompt, kind)
    assert report.gate is None
    assert 7.5 <= report.score <= 9.7


def test_dull_telling_is_written_well_enough_for_neither_keeping_nor_refusing() -> None:
    report = judged(DULL, STREET)
    assert 2.5 <= report.score <= 6
    assert criterion(report, "imagery").score < criterion(judged(*CASES[0]), "imagery").score - 3


def test_the_score_tells_good_texts_apart() -> None:
    texts = [*CASES, (DULL, STREET, "scene")]
    assert statistics.pstdev(judged(*case).score for case in texts) >= 0.6


@pytest.mark.parametrize(("text", "prompt", "kind"), CASES)
def test_damage_lowers_the_score(text: str, prompt: str, kind: str) -> None:
    rng = random.Random(11)
    parts, words = sentences(text), text.split()
    shuffled = rng.sample(words, len(words))
    damaged = {
        "looped": " ".join(parts[:3] + parts[2:3] * 12),
        "told twice": text + "\n" + text,
        "cut off": text[: len(text) * 2 // 3].rstrip('.!?" ,') + " wh",
        "a fragment": " ".join(parts[:2]),
        "shuffled": " ".join(shuffled) + ".",
        "off topic": text,
    }
    clean = judged(text, prompt, kind).score
    for how, worse in damaged.items():
        asked = "Two goalkeepers argue over a penalty in extra time" if how == "off topic" else prompt
        assert judged(worse, asked, kind).score <= clean - 1, how


def test_more_loops_never_help() -> None:
    parts = sentences(FERRY)
    scores = [judged(" ".join(parts + parts[4:5] * n), CASES[0][1]).score for n in range(0, 16, 3)]
    assert scores == sorted(scores, reverse=True)


def test_length_is_a_band() -> None:
    text, prompt, kind = CASES[3]
    forms = [criterion(judged(part, prompt, kind), "fit").score for part in (text, text + " It is cold.")]
    assert forms[0] == forms[1]
    long = text + "\n" + CASES[1][0] + "\n" + FERRY
    assert criterion(judged(long, prompt, kind), "fit").score < 4
    assert criterion(judged(sentences(text)[0], prompt, kind), "fit").score < 4


def test_a_dialogue_is_spoken_and_a_setting_is_not() -> None:
    text, prompt, _ = CASES[2]
    assert criterion(judged(FERRY, prompt, "dialogue"), "fit").score < 5
    assert criterion(judged(text, prompt, "setting"), "fit").score < 7
    for mark in ("\u201c{}\u201d", "\u2018{}\u2019", "\u00ab{}\u00bb"):
        other = re.sub(r'"([^"]*)"', lambda said, mark=mark: mark.format(said[1]), text)
        assert abs(judged(other, prompt, "dialogue").score - judged(text, prompt, "dialogue").score) <= 0.5


def test_worn_phrases_cost_images() -> None:
    worn = FERRY.replace("where the branches smoked", "a testament to the human spirit that hung heavy in the air")
    worn = worn.replace("like a cello being tuned in another house", "sending shivers down her spine")
    fresh, stale = (criterion(judged(text, CASES[0][1]), "imagery") for text in (FERRY, worn))
    assert stale.score <= fresh.score - 2
    assert any("Worn phrases" in reason and "testament to" in reason for reason in stale.reasons)


def test_reasons_are_in_a_writers_words() -> None:
    report = judged(DULL, STREET)
    said = " ".join(reason for one in report.criteria for reason in one.reasons)
    assert "sentences begin with 'She'" in said
    assert re.search(r"\d+ of \d+ words name what can be seen, heard or touched", said)
    missing = criterion(judged(FERRY, "A submarine cook quarrels with his admiral about pepper"), "relevance").reasons
    assert "Nothing in it recalls 'submarine', 'cook', 'quarrels', 'admiral'." in missing


def test_prompt_words_count_in_any_form() -> None:
    text, prompt, kind = CASES[1]
    whole = criterion(judged(text, prompt, kind), "relevance").score
    assert whole >= 6
    assert (
        criterion(judged(text, "The counting of a city's bridge; children and their dogs", kind), "relevance").score > 7
    )


def test_the_wording_of_the_task_is_not_its_subject() -> None:
    text, prompt, kind = CASES[3]
    asked = f"Describe one setting with vivid details, in about 100 words. Prompt: {prompt}. Use plain words."
    bare, wordy = (criterion(judged(text, one, kind), "relevance").score for one in (prompt, asked))
    assert abs(bare - wordy) <= 1


def test_words_that_only_resemble_the_wording_of_the_task_count() -> None:
    reasons = criterion(judged(FERRY, "The prompter hid the sentinel's scenery"), "relevance").reasons
    assert "Nothing in it recalls 'prompter', 'hid', 'sentinel's', 'scenery'." in reasons


def test_report_is_complete_and_storable() -> None:
    report = judged(FERRY, CASES[0][1])
    assert tuple(one.name for one in report.criteria) == NAMES
    assert all(one.reasons and one.label for one in report.criteria)
    assert report.version == QUALITY_VERSION == 2
    stored = json.loads(json.dumps(report.as_dict()))
    assert stored["score"] == report.score
    assert [one["name"] for one in stored["criteria"]] == list(NAMES)


ANY_TEXT = st.text(st.characters(codec=None), max_size=400)
PROSE = st.lists(
    st.sampled_from([*FERRY.split(), '"', ".", "\n", "\u201d", "- ", "the",
                     "[NAME]", "!!", "\ud800", "\x00", "école", "水"]),
    max_size=250,
).map(" ".join)  # fmt: skip


@given(text=ANY_TEXT | PROSE, prompt=ANY_TEXT | st.just(STREET), kind=st.sampled_from(sorted(ELEMENTS)))
@example(text="\ud800\udfff", prompt="\udc00", kind="scene")
@example(text="'" * 50, prompt='"', kind="dialogue")
def test_any_text_has_a_score_and_always_the_same(text: str, prompt: str, kind: str) -> None:
    report = judged(text, prompt, kind)
    assert 0 <= report.score <= 10
    assert report.score == round(report.score, 1)
    assert [one.name for one in report.criteria] == list(NAMES)
    assert all(0 <= one.score <= 10 for one in report.criteria)
    json.dumps(report.as_dict(), ensure_ascii=False).encode("utf-8")
    assert judged(text, prompt, kind) == report


@pytest.mark.parametrize(
    "unit",
    ["a", " x", '"', "'", "x'", ".", "\nx", "\n ", "[", "{", "<a ", "_", "*", "- ", "The cat sat. ",
     "漢", "\ud800", "ignore ", "\t\t", ";\n", ",\r\n", "¼", "a, "],
)  # fmt: skip
def test_a_megabyte_of_anything_is_answered_at_once(unit: str) -> None:
    text = "x" + unit * (1_000_000 // len(unit)) + "x"
    started = time.process_time()
    assert 0 <= judged(text, text, "dialogue").score <= 10
    assert time.process_time() - started < 2


def test_every_process_gives_the_same_report() -> None:
    code = (
        "import sys, json; from zega_core.quality import score; from zega_core.catalog import Element;"
        "text, prompt = json.load(sys.stdin);"
        "print(json.dumps(score(text, prompt, 'horror', Element('scene', 'Scene', '', 100, 220)).as_dict()))"
    )
    worn = FERRY + " A tapestry, a beacon, a kaleidoscope of qzx lpams wtih ethereal bittersweet labyrinths."
    reports = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps([worn, STREET]),
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(reports) == 1


def test_measures() -> None:
    assert moving_ttr([]) == 0
    assert moving_ttr(["a", "b", "a", "c"], 2) == 1
    assert moving_ttr(["a", "a", "b"], 2) == 0.75
    assert repeated_share(list("abcabc")) == 0.25
    assert unevenness([7, 7, 7]) == 0
    assert unevenness([1, 3]) == 0.5
    assert {stem(word) for word in ("memory", "memories")} == {"memor"}
    assert stem("tick") == stem("ticking") == stem("ticks")
    assert stem("stop") == stem("stopped")
    assert stem("letter") != stem("let")


def test_speech_is_counted_by_line() -> None:
    assert read(CASES[2][0]).spoken_lines == 7
    assert read("Wren: Take it.\nIda: I can't.\nWren: You can.").spoken_lines == 3
    assert read("Nobody spoke, and the dog's ear moved.").spoken_lines == 0
