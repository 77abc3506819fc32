"""What is said of a proof: no more than was measured, and something sensible of any row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import proved
from zega_core import figure_words
from zega_core import proof_words as words
from zega_core.catalog import Brief, load_catalog, request
from zega_core.proof.figures import Axis, Change, Copies, Duel, Figures, Style, read_figures
from zega_core.proof_tables import Proof, ProofText
from zega_core.tables import RunStatus, now

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


def row(**more: Any) -> Proof:
    values: dict[str, Any] = {"user_id": "ana", "run_id": "1", "trigger": "writer", "version_number": 3}
    values["status"] = RunStatus.done
    return Proof(**values | more)


def text(place: int, score_before: float | None, score_after: float | None, **more: Any) -> ProofText:
    values: dict[str, Any] = {"proof_id": 1, "place": place, "prompt": "A lamp", "source": "shipped", "seed": 1}
    both: dict[str, Any] = {"before": "Old.", "after": "New.", "score_before": score_before, "score_after": score_after}
    return ProofText(**values | both | more)


def line(found: list[figure_words.Row], what: str) -> figure_words.Row:
    return next(one for one in found if one.what == what)


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"verdict": "better"}, "Better"),
        ({"verdict": "not_shown"}, "Not shown to be better"),
        ({"verdict": "worse"}, "Worse"),
        ({"verdict": "worse", "status": RunStatus.running}, "Worse"),
        ({"status": RunStatus.queued}, "Proof waits"),
        ({"status": RunStatus.running}, "Being proved"),
        ({"status": RunStatus.stopped}, "Proof stopped"),
        ({"status": RunStatus.failed}, "Proof failed"),
        ({"status": "of tomorrow", "verdict": "splendid"}, "No verdict"),
    ],
)
def test_a_badge_has_a_word_for_every_state(values: dict[str, Any], label: str):
    assert words.badge(row(**values)).label == label


def test_verdicts_differ_in_word_and_icon_and_not_in_colour_alone():
    found = [*words.VERDICTS.values(), words.badge(None)]
    assert len({one.label for one in found}) == len({one.icon for one in found}) == 4


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": "queued"}, (0.0, "Waiting to be proved")),
        ({"status": "queued", "verdict": "worse"}, (0.0, "Waiting to ask the judge")),
        ({"status": "running", "phase": "preparing"}, (0.0, "Proving it: choosing the prompts")),
        ({"status": "running", "verdict": "better"}, (0.0, "Asking the judge")),
        (
            {"status": "running", "phase": "writing", "done": 12, "total": 72, "seconds_left": 40.2},
            (12 / 72, "Proving it: 12 of 72 texts written · 40 s left"),
        ),
        (
            {"status": "running", "phase": "writing", "done": 12, "total": 72, "seconds_left": 600.0},
            (12 / 72, "Proving it: 12 of 72 texts written · about 10 minutes left"),
        ),
        ({"status": "running", "phase": "measuring"}, (1.0, "Proving it: measuring both on texts that they never saw")),
        (
            {"status": "running", "phase": "judging", "done": 5, "total": 36},
            (5 / 36, "Asking the judge: 5 of 36 pairs judged"),
        ),
        (
            {"status": "running", "phase": "writing", "done": 99, "total": 72},
            (1.0, "Proving it: 72 of 72 texts written"),
        ),
        ({"status": "running", "phase": "writing", "total": -1}, (0.0, "Proving it: choosing the prompts")),
        ({"status": "stopping", "done": 36, "total": 72}, (0.5, "Stopping. What is written stays.")),
    ],
)
def test_progress_says_how_far_it_is(values: dict[str, Any], said: tuple[float, str]):
    assert words.progress(row(**values)) == said


def test_a_verdict_is_a_sentence_without_figures():
    assert words.verdict(row(verdict="better", against=2), proved.figures()) == (
        "Version 3 writes nearer to your style than version 2, and about as well."
    )
    assert words.verdict(row(verdict="worse"), None) == "Version 3 writes worse than the base model."
    assert words.verdict(row(), proved.figures()) == ""


def test_who_was_compared_on_what():
    assert words.compared(row(against=2), proved.figures()) == (
        "v3 against v2, each on the same 36 prompts, 12 of them yours."
    )
    assert words.compared(row(), proved.figures(prompts=1, held_out_prompts=0)) == (
        "v3 against the base model, each on the same 1 prompt."
    )
    assert words.compared(row(), None) == "v3 against the base model."


@pytest.mark.parametrize(
    ("verdict", "promote", "in_use", "said"),
    [
        ("better", True, 3, "So v3 was put in use by itself."),
        ("better", False, 3, ""),
        ("better", True, 2, "It is not in use: v2 writes. You can choose it yourself."),
        ("worse", True, None, "So the base model goes on writing."),
        ("not_shown", True, 2, "So v2 goes on writing."),
        ("not_shown", True, 3, "It is in use all the same."),
        ("", True, 3, ""),
    ],
)
def test_what_the_verdict_did(verdict: str, promote: bool, in_use: int | None, said: str):
    assert words.use(row(verdict=verdict, promote=promote), in_use, proved.figures()) == said
    assert words.use(row(verdict=verdict, promote=promote), in_use, None) == said


def test_a_verdict_that_blind_choices_may_have_made_is_not_said_to_have_put_anything_in_use():
    chosen = proved.figures(blind=Duel(9, 1, 0, 0.9, 0.52, 0.99))
    assert words.use(row(verdict="better", promote=True), 3, chosen) == ""


def test_what_did_not_help_says_so_and_what_does():
    assert "This training did not help." in words.helps(row(verdict="worse"), proved.figures())
    assert "choose blind" in words.helps(row(verdict="not_shown"), proved.figures())
    assert "This training did not help" not in words.helps(row(verdict="not_shown"), proved.figures())
    assert "more examples" in words.helps(row(verdict="not_shown"), proved.figures(missing=["Too few prompts."]))
    assert words.helps(row(verdict="better"), proved.figures()) == ""
    assert words.helps(row(), None) == ""


def test_guards_that_tripped_are_named_once():
    found = proved.figures(copies=Copies(4, 60, 0.0, 0.5, 0.0, "word for word"), length=Change(150, 20, -140, -120))
    said = words.guards(found, ())
    assert len(said) == 2
    assert any("very short" in one for one in said)
    assert any("stands word for word" in one for one in said)
    assert words.guards(found, said[:1]) == said[1:]
    assert words.guards(proved.figures(), ()) == []


def test_the_table_has_both_and_what_a_difference_means():
    found = figure_words.table(proved.figures(judged=[proved.judged()], blind=Duel(7, 2, 1, 0.75, 0.4, 0.9)))
    style = line(found, "Distance to your style")
    assert (style.before, style.after, style.means) == ("1.21", "0.94", "nearer to your style")
    assert style.interval == "-0.33 to -0.18"
    assert line(found, "Quality score, of 10").means == "higher on 20, lower on 12"
    assert line(found, "Perplexity on unseen texts").means == "less surprised by your texts"
    assert line(found, "Words of the prompt taken up").means == "no difference shown"
    judge = line(found, "Chosen by Ollama · llama3.2:3b")
    assert (judge.before, judge.after, judge.means) == ("8", "18", "of 36 pairs, 10 alike")
    assert line(found, "Chosen by you, blind").after == "7"


@pytest.mark.parametrize(
    ("low", "high", "means"),
    [(-0.3, -0.1, "nearer to your style"), (-0.1, 0.1, "no difference shown"), (0.1, 0.2, "further from your style")],
)
def test_only_an_interval_without_zero_means_something(low: float, high: float, means: str):
    found = figure_words.table(proved.figures(style=Style(Change(1.0, 0.9, low, high), proved.axes(), 5000, True)))
    assert line(found, "Distance to your style").means == means


def test_what_was_not_measured_has_no_line():
    found = [one.what for one in figure_words.table(proved.figures(style=None, perplexity=None))]
    assert found == ["Quality score, of 10", "Words of the prompt taken up"]


def test_the_pair_that_rose_most_is_first_then_the_one_that_fell_most_then_one_from_the_middle():
    texts = [text(0, 5, 5.5), text(1, 5, 2), text(2, 5, 9), text(3, 5, 5.1), text(4, None, 7), text(5, 5, 6)]
    found = words.pairs(texts)
    assert [(one.text.place, one.remark) for one in found] == [
        (2, "Where its score rose most"),
        (1, "Where its score fell most"),
        (0, "From the middle"),
        (3, ""),
        (4, ""),
        (5, ""),
    ]
    assert [words.change(one.text) for one in found[-2:]] == ["Not scored", "Its score rose by 1.0"]


def test_a_prompt_is_shown_without_what_is_said_to_every_model():
    catalog = load_catalog()
    prompt = catalog.prompts[0]
    whole = request(Brief(prompt.text, prompt.genre, catalog.elements[0]), catalog)
    assert words.asked(text(0, 5, 6, prompt=whole)) == prompt.text
    assert words.asked(text(0, 5, 6, prompt="A lamp in my own words")) == "A lamp in my own words"


def test_few_pairs_are_each_shown_once():
    assert [one.text.place for one in words.pairs([text(4, 5, 6)])] == [4]
    assert sorted(one.text.place for one in words.pairs([text(0, 5, 6), text(1, 5, 5)])) == [0, 1]
    assert words.pairs([text(0, 5, 6, after=None), text(1, 5, 5, before=None)]) == []


def test_what_only_fell_is_not_said_to_have_risen():
    found = words.pairs([text(0, 5, 4), text(1, 5, 3), text(2, 5, 1)])
    assert [one.remark for one in found] == ["Where its score did best", "Where its score fell most", "From the middle"]


def test_style_says_where_it_came_nearer_and_where_not():
    axes = [
        Axis("a", "Sentence length", 0.0, 1.0, 1.2),
        Axis("b", "Dialogue", 0.5, 1.5, 0.0),
        Axis("c", "Adverbs", 0.5, 0.51, 0.0),
        Axis("d", "Unreadable", float("nan"), 0.5, 0.0),
    ]
    found = Style(Change(1, 0.9, -0.2, -0.1), axes, 5000, True)
    assert figure_words.style(found, row(against=2)) == (
        "v3 came nearer to you in sentence length, and is further away in dialogue."
    )
    assert len(figure_words.sides(found)) == 3
    still = Style(found.change, axes[2:], 5000, False)
    assert figure_words.style(still, row(against=2)) == (
        "v3 is about as near to the texts that you kept as v2, on every side."
    )
    assert "Dialogue: +0.5, +1.5, +0.0" in figure_words.style_in_numbers(found, row())


def test_without_enough_text_it_is_said_why_there_is_no_radar():
    found = proved.figures(style=None, missing=["There are 312 words of your own; it takes 3,000."])
    assert "312 words of your own" in figure_words.no_style(row(verdict="better"), found)


def test_pairs_whose_names_were_read_are_not_asked_blind():
    texts = [text(0, 5, 6), text(1, 5, 6), text(2, 5, 6, choice="tie"), text(3, 5, 6), text(4, 5, 6, after=None)]
    assert [one.place for one in words.waiting(texts, {0}, {3})] == [1]


def test_the_tally_counts_what_was_chosen():
    texts = [text(place, 5, 6, choice="after") for place in range(7)]
    texts += [text(8, 5, 6, choice="before"), text(9, 5, 6, choice="tie"), text(10, 5, 6, choice="tie"), text(11, 5, 6)]
    assert words.tally(texts, row(against=2)) == "You chose v3 7 of 10 times and v2 1; 2 seemed alike."
    assert words.tally([text(0, 5, 6)], row()) == ""


def test_what_choices_count_for():
    assert "7 to go" in words.counts_for(3)
    assert "to go" not in words.counts_for(10)
    assert "you change yourself" in words.counts_for(10)


def test_the_last_choice_is_the_one_made_last():
    early = text(5, 5, 6, choice="after", chosen_at=now() - timedelta(minutes=1))
    late = text(1, 5, 6, choice="before", chosen_at=now())
    assert words.last_chosen([early, late, text(2, 5, 6)]) is late
    assert words.last_chosen([text(2, 5, 6)]) is None
    assert words.last_choice(late, row()) == "Last time you chose the base model."


def test_a_judge_is_told_with_how_far_it_can_be_relied_on():
    said = words.judge(proved.judged(unusable=2), row(against=2))
    assert said == (
        "Ollama · llama3.2:3b chose v3 in 18 of 36 pairs and v2 in 8. In 9 it named another text when the two were "
        "swapped: these count as alike. It named the text that came first in 38 of 72 answers. Of 2 pairs it made no "
        "judgement that can be used."
    )


def test_what_asking_a_judge_takes_is_said_before():
    texts = [text(place, 5, 6, before="x" * 800, after="y" * 800) for place in range(36)]
    assert words.judging(texts, lambda asked, answered: 0.0) == (
        "It reads 36 pairs twice, in both orders: about 54,000 tokens, which cost nothing."
    )
    assert words.judging(texts, lambda asked, answered: (asked + answered) / 1e6).endswith(", for about 0.0627 €.")
    assert "not known" in words.judging(texts, lambda asked, answered: None)


@given(
    JSON, JSON, st.floats() | st.none(), st.integers(), st.integers(), st.text(max_size=10), st.sampled_from(RunStatus)
)
def test_any_row_has_words(
    reasons: Any, notes: Any, left: float | None, done: int, total: int, phase: str, status: RunStatus
):
    one = row(reasons=reasons, notes=notes, seconds_left=left, done=done, total=total, phase=phase, status=status)
    assert all(isinstance(said, str) for said in [*words.why(one), *words.notes(one)])
    share, said = words.progress(one)
    assert 0 <= share <= 1
    assert said
    assert words.badge(one).label


NUMBERS = st.floats() | st.integers(-(10**6), 10**6).map(float)


@given(st.lists(NUMBERS, min_size=8, max_size=8), st.integers(0, 100))
def test_any_figures_have_words(values: list[float], count: int):
    change, duel = Change(*values[:4]), Duel(count, count, count, *values[:3])
    found = proved.figures(
        quality=duel,
        quality_mean=change,
        length=change,
        unknown=change,
        follows=change,
        diversity=change,
        blind=duel,
        echo_after=values[4],
        unended_after=values[5],
        copies=Copies(count, count, values[6], values[7], values[4], "\x00" * 400),
        style=Style(change, [Axis("a", "A side", *values[:3])], count, False),
    )
    for one in [*figure_words.table(found), *figure_words.details(found)]:
        assert "nan" not in f"{one.before} {one.after} {one.interval}"
        assert "inf" not in f"{one.before} {one.after} {one.interval}"
    assert figure_words.style(found.style or Style(change, [], 0, True), row())
    assert all(isinstance(said, str) for said in words.guards(found, ()))


def test_stored_figures_come_back():
    found = proved.figures(judged=[proved.judged()])
    assert isinstance(found, Figures)
    assert read_figures(found.as_dict()) == found
