"""What to ask a writer next: how difficult, about what their data lacks, and never the same twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from zega_core.catalog import Brief, load_catalog
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.free_prompt import guess_genre
from zega_core.providers.storyteller import Storyteller
from zega_core.questions import grammar
from zega_core.questions.book import load_book
from zega_core.questions.coverage import Coverage, Lack, lacks, works_in
from zega_core.questions.grammar import Drawn, Plan
from zega_core.questions.likeness import ALIKE, Asked
from zega_core.questions.purpose import Purpose, read_purpose

__all__ = ["DIFFICULTIES", "Aim", "Past", "Question", "aim", "by_grammar", "next_difficulty"]

DIFFICULTIES = ("easy", "medium", "hard")
UP, DOWN = 3, 2
"""Good answers in a row that make the next question harder, and skipped or left out ones that make it easier."""
GOOD_LENGTH = 0.6
"""Of the words asked for: a shorter answer says nothing about the difficulty."""
FREE = 3
"""Every so many questions are about anything: whoever is asked only for what is missing sees the plan."""
FRESH, TRIES, MOST_TRIES = 0.4, 16, 120
"""A question this unlike all others is taken at once; otherwise the least alike of so many, or of more while it is
alike to one of them."""


@dataclass(frozen=True, slots=True)
class Question:
    """``lack`` says why it is asked, may be empty; genre and element are empty for what is no fiction; ``words`` is
    about how many it asks for."""

    text: str
    kind: str
    context: str
    difficulty: str
    genre: str
    element: str
    modifier: str
    words: int
    lack: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class Past:
    """A question asked before. ``state`` is ``answered`` or ``skipped``, anything else while it is open; ``words`` are
    those of its answer, ``asked_words`` how many it asked for."""

    question: str
    difficulty: str
    state: str
    kept: bool
    words: int
    asked_words: int


@dataclass(frozen=True, slots=True)
class Aim:
    """What the next question should be, whoever asks it."""

    plan: Plan
    purpose: Purpose
    lack: str


def next_difficulty(past: Sequence[Past]) -> str:
    """One step up after ``UP`` kept answers of good length at a level, one down after ``DOWN`` skipped or left out: a
    hard question asks for up to three times the words of an easy one, and may be answered on a phone."""
    level = good = bad = 0
    for one in past:
        rank = _rank(one.difficulty)
        if one.state == "answered" and one.kept:
            full = one.words >= GOOD_LENGTH * (one.asked_words or grammar.LENGTHS[DIFFICULTIES[rank]][0])
            good, bad = good + (full and rank >= level), 0
        elif one.state in ("answered", "skipped") and rank <= level:
            good, bad = 0, bad + 1
        if good >= UP or bad >= DOWN:
            level = min(max(level + (1 if good >= UP else -1), 0), len(DIFFICULTIES) - 1)
            good = bad = 0
    return DIFFICULTIES[level]


def by_grammar(purpose: str, coverage: Coverage, past: Sequence[Past], *, seed: int) -> Question:
    """The storyteller's next question. Any purpose is accepted; the same arguments give the same question."""
    draw = Random(f"{seed}|{len(past)}|question")
    target = aim(purpose, coverage, past, seed=seed)
    asked = Asked((one.question for one in past), about=" ".join(target.purpose.topics))
    best, nearest = _draw(target, draw), 1.1
    for number in range(MOST_TRIES):
        drawn = best if number == 0 else _draw(target, draw)
        like = asked.likeness(drawn.text)
        if like < nearest and len(drawn.text) <= grammar.MOST_CHARS:
            best, nearest = drawn, like
        if nearest < FRESH or (number >= TRIES and nearest < ALIKE):
            break
    return asked_for(target, best.text, best.kind, best.context, "storyteller")


def asked_for(target: Aim, text: str, kind: str, context: str, asked_by: str) -> Question:
    plan = target.plan
    return Question(
        text=text,
        kind=kind,
        context=context,
        difficulty=plan.difficulty,
        genre=plan.genre,
        element=plan.element,
        modifier=plan.modifier,
        words=plan.words,
        lack=target.lack,
        asked_by=asked_by,
    )


def aim(purpose: str, coverage: Coverage, past: Sequence[Past], *, seed: int) -> Aim:
    """What the next question should be: what the writer's data lacks in turn, now and then anything."""
    read, difficulty = read_purpose(purpose), next_difficulty(past)
    draw, turn = Random(f"{seed}|{len(past)}|aim"), len(past)
    order = past[0].question if past else str(seed)
    genres = _genres(read, coverage)
    missing = lacks(coverage, genres=genres)
    moods = [one for one in missing if one.modifier]
    mood = _next(moods, turn, order) if difficulty != "easy" and draw.random() < 0.6 else None
    lengths = [one.length for one in missing if one.length]
    words = grammar.about_words(difficulty, lengths[0] if lengths and draw.random() < 0.6 else "", draw)
    if not read.fiction:
        return Aim(Plan(difficulty, "", "", "", words), read, "")
    cell = (
        _next(_cells(missing, genres, bool(read.genres or read.topics)), turn - turn // FREE, order)
        if turn % FREE != FREE - 1
        else None
    )
    modifier = mood.modifier if mood else ""
    if cell is not None:
        return Aim(Plan(difficulty, cell.genre, cell.element, modifier, words), read, cell.words_for_it)
    element = draw.choice([one.key for one in load_catalog().elements])
    genre = draw.choice(genres or [one.key for one in load_catalog().genres])
    return Aim(Plan(difficulty, genre, element, modifier, words), read, _why(missing, genre, element, mood))


def example_by_storyteller(question: str, genre: str, element: str, *, seed: int) -> str:
    """What the storyteller writes to a question, at once. Where it is no fiction, an answer of a general kind."""
    if not genre and not element:
        return Random(f"{seed}|{question}").choice(load_book().task_example)
    catalog = load_catalog()
    known = genre if any(one.key == genre for one in catalog.genres) else guess_genre(question, catalog)
    brief = Brief(question, known, catalog.element(element or "scene"))
    return Storyteller().complete([Message("user", question)], GenerationOptions(seed=seed, brief=brief)).text


def _rank(difficulty: str) -> int:
    return DIFFICULTIES.index(difficulty) if difficulty in DIFFICULTIES else 0


def _draw(target: Aim, draw: Random) -> Drawn:
    write = grammar.fiction if target.purpose.fiction else grammar.task
    return write(target.plan, target.purpose, draw)


def _genres(purpose: Purpose, coverage: Coverage) -> list[str]:
    """The purpose's; none known for a purpose that names subjects only; without one those the writer works in."""
    if purpose.genres:
        return list(purpose.genres)
    return [""] if purpose.topics else works_in(coverage)


def _cells(missing: Sequence[Lack], genres: Sequence[str], only: bool) -> list[Lack]:
    """Genres and elements that are wanted most: of other genres once these lack nothing, and with ``only`` never."""
    cells = [one for one in missing if one.element]
    own = [one for one in cells if one.genre in genres]
    return own if own or only else cells


def _next(wanted: Sequence[Lack], turn: int, order: str) -> Lack | None:
    """In turn, in an order of the conversation's own; what there is least of first."""
    shuffled = sorted(Random(order).sample(wanted, len(wanted)), key=lambda one: one.count)
    return shuffled[turn % len(shuffled)] if shuffled else None


def _why(missing: Sequence[Lack], genre: str, element: str, mood: Lack | None) -> str:
    found = next((one for one in missing if (one.genre, one.element) == (genre, element)), mood)
    return found.words_for_it if found else ""
