"""What the judges heard, in words: which habits of a text raised or lowered their opinion most.

The part of each measure is its weight in a judge's plain predictor times its place among that judge's texts, by the
judge's share. Measures of one habit are taken together; how much of the habit there is decides the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zega_core.quality.learned import Model, Verdict

LEAST = 0.1
"""In standard deviations: what a habit must move before it is worth a reason."""
MOST = 2


@dataclass(frozen=True, slots=True)
class Habit:
    """``measures`` maps each name to 1 where more of it is more of the habit, to -1 where it is less."""

    side: str
    much: str
    little: str
    measures: Mapping[str, int]
    good: int = 0
    """1 where much of it is good whatever some judge said, -1 where it is a fault, 0 where tastes differ. What goes
    against that is no advice, and is not told."""


def _all(names: str, sign: int = 1) -> dict[str, int]:
    return dict.fromkeys(names.split(), sign)


HABITS = (
    Habit(
        "craft",
        "sentences of very different lengths",
        "sentences nearly all of one length",
        _all("sentence_unevenness sentence_change"),
    ),
    Habit("craft", "long sentences", "short sentences", _all("sentence_mean sentence_longest sentence_long_share")),
    Habit(
        "craft",
        "long words",
        "plain, short words",
        {**_all("word_mean word_spread word_long_share syllables"), "reading_ease": -1},
    ),
    Habit("craft", "sentences that trail off in -ing", "few sentences that trail off in -ing", _all("trailing_ing")),
    Habit("craft", "lists of three", "few lists of three", _all("triad")),
    Habit("craft", "many comparisons", "few comparisons", _all("simile")),
    Habit(
        "craft",
        "the large words of machine prose ('tapestry', 'echo', 'whisper')",
        "hardly any of the large words of machine prose",
        _all("grand worn"),
        -1,
    ),
    Habit("craft", "turns like 'not just this, but that'", "no turns like 'not just this, but that'", _all("not_only")),
    Habit("craft", "a lesson at the end", "no lesson at the end", _all("moral tale_end"), -1),
    Habit("craft", "a fairy tale's beginning", "a beginning of its own", _all("tale_start"), -1),
    Habit("craft", "words for ideas", "few words for ideas alone", _all("vague")),
    Habit("craft", "feelings by name", "few feelings by name", _all("telling emotion")),
    Habit("craft", "much speech", "little speech", _all("spoken_words spoken_lines saying mark_quote")),
    Habit(
        "variety",
        "words that seldom return",
        "words that return often",
        {
            **_all("variety_25 variety_50 variety_100 variety_mtld once_only content_variety"),
            **_all("top_stem top_three_stems", -1),
        },
    ),
    Habit(
        "variety",
        "sentences that begin alike",
        "sentences that begin in many ways",
        {**_all("opening_top opening_pair_top opening_pronoun"), "opening_kinds": -1},
        -1,
    ),
    Habit(
        "coherence",
        "runs of words that repeat",
        "hardly any runs that repeat",
        {
            **_all("repeated_2 repeated_3 repeated_4 repeated_6 repeated_sentences"),
            **_all("compressed compressed_start", -1),
        },
        -1,
    ),
    Habit(
        "coherence",
        "sentences that take up what came before",
        "sentences far apart in what they speak of",
        {
            **_all("shared_stems given given_late near_mean near_least near_low second_mean own_mean own_least"),
            **_all("own_length before_mean before_least"),
            **_all("all_new near_spread own_spread", -1),
        },
        1,
    ),
    Habit(
        "coherence",
        "slips of typing or grammar",
        "clean typing",
        {**_all("clashes odd_words spaced_marks unspaced_marks small_starts small_i double_spaces"), "closed": -1},
        -1,
    ),
    Habit(
        "coherence",
        "words that come as expected",
        "turns that nobody expects",
        {**_all("expected expected_more window_least window_low window_high"), **_all("pairs_new expected_spread", -1)},
    ),
    Habit("imagery", "things to see, hear and touch", "few things to see, hear and touch", _all("concrete"), 1),
)


def heard(said: Verdict, model: Model) -> dict[str, list[str]]:
    """Reasons by side of the quality: at most two habits that spoke for the text, and two against it."""
    index = {name: number for number, name in enumerate(model.names)}
    moved: list[tuple[float, Habit, str]] = []
    parts = {name: (said.shares[name] * model.judges[name].plain, place) for name, place in said.places.items()}
    for habit in HABITS:
        columns = [(index[name], sign) for name, sign in habit.measures.items() if name in index]
        force = sum(float(weight[i] * place[i]) for weight, place in parts.values() for i, _ in columns)
        amount = sum(
            sign * abs(float(weight[i])) * float(place[i]) for weight, place in parts.values() for i, sign in columns
        )
        if habit.good * force * amount >= 0:
            moved.append((force, habit, habit.much if amount >= 0 else habit.little))
    moved.sort(key=lambda one: one[0])
    found: dict[str, list[str]] = {}
    for force, habit, words in [*moved[:MOST], *moved[: -MOST - 1 : -1]]:
        if abs(force) >= LEAST:
            verb = "liked" if force > 0 else "minded"
            found.setdefault(habit.side, []).append(f"Readers of such texts {verb} that they had {words}.")
    return found
