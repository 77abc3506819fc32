"""One question put together: an ask of a kind, what it is about, constraints by difficulty, and how long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from zega_core.catalog import DATA, PLACE, load_catalog
from zega_core.providers.grammar import load_grammar
from zega_core.providers.prose import article, fill, tidy, words_of
from zega_core.quality.features import FUNCTION_WORDS
from zega_core.questions.book import NESTED, Book, Kind, load_book
from zega_core.questions.purpose import Purpose

LENGTHS = {"easy": (40, 80), "medium": (80, 150), "hard": (120, 220)}
"""Words that a question of each difficulty asks for."""
OF_LENGTH = {"short": (0, 55), "middle": (60, 175), "long": (180, 10_000)}
MOST_CHARS = 600
OWN_FIGURE, OWN_PLACE, OWN_SUBJECT, OWN_TONE = 0.5, 0.6, 0.8, 0.2
"""How often what the writer's purpose names is taken, where it names any."""
_SLOT = re.compile(r"\{(\w+)\}")
_PRONOUNS = {"she": ("she", "her", "her", "herself"), "he": ("he", "him", "his", "himself")}
_TALES = {
    "fantasy": "a fantasy",
    "dark_fantasy": "a dark fantasy",
    "sci_fi": "a science fiction story",
    "mystery": "a mystery",
    "horror": "a horror story",
    "romance": "a romance",
    "adventure": "an adventure story",
    "thriller": "a thriller",
    "": "a story",
}
_ANY_GENRE = ("mystery", "romance", "adventure")
"""Whose people and things serve where no genre is known."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a question is to be: ``modifier`` is a mood to ask for, may be empty."""

    difficulty: str
    genre: str
    element: str
    modifier: str
    words: int


@dataclass(frozen=True, slots=True)
class Drawn:
    text: str
    kind: str
    context: str


@dataclass(frozen=True, slots=True)
class _Stock:
    """Figures, things, places and names of one genre."""

    figures: tuple[str, ...]
    roles: tuple[str, ...]
    objects: tuple[str, ...]
    places: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]


def fiction(plan: Plan, purpose: Purpose, draw: Random) -> Drawn:
    """A question for a piece of fiction."""
    book = load_book()
    kinds = [kind for kind in book.kinds if kind.element == plan.element and (kind.key != "purpose" or purpose.topics)]
    kind = draw.choices(kinds, [_weight(one) for one in kinds])[0]
    slots = _slots(plan, purpose, book, draw)
    ask = _asked(draw.choice(kind.ask), slots, draw)
    used = set(_SLOT.findall(ask))
    parts = [ask, *_own(ask, slots, purpose, book, draw), *_constraints(kind, plan, used, book, draw)]
    context = draw.choice([one for one in kind.context if used.issuperset(_SLOT.findall(one))])
    if plan.genre and "tale" not in used:
        context = f"{draw.choice(book.added['from'])} {context}"
    parts.append(draw.choice(book.added["length"]))
    return Drawn(_finished(parts, slots, draw), kind.key, _finished([context], slots, draw))


def task(plan: Plan, purpose: Purpose, draw: Random) -> Drawn:
    """A question for something else than fiction: a message to answer, a subject to explain."""
    book = load_book()
    words = {key: _sayable(book.task_words[key], purpose) for key in ("message", "complaint")}
    asks = {kind: _sayable(kind.ask, purpose) for kind in book.tasks}
    given = {"reply": len(words["message"]), "complaint": len(words["complaint"])}
    kind = draw.choices([*asks], [given.get(one.key, 2 * len(own)) for one, own in asks.items()])[0]
    ask = draw.choice(asks[kind])
    slots = {key: _told(draw.choice(sentences), book, draw) for key, sentences in words.items()}
    slots |= {
        "asker": purpose.asker[:1].upper() + purpose.asker[1:],
        "asker_small": purpose.asker,
        "n": str(plan.words),
    }
    slots["topic"] = draw.choice(purpose.topics) if purpose.topics else ""
    parts = [_asked(ask, slots, draw)]
    if purpose.topics and "{topic}" not in parts[0] and draw.random() < OWN_SUBJECT:
        parts.append(draw.choice(book.added["concerns"]))
    if plan.difficulty == "hard" and draw.random() < 0.5:
        parts.append(draw.choice(book.task_turn))
    elif plan.difficulty != "easy":
        parts += draw.sample(book.task_constraint, 2 if plan.difficulty == "hard" else 1)
    if purpose.tones and draw.random() < OWN_TONE:
        parts.append(draw.choice(book.added["tone"]).replace("{tone}", draw.choice(purpose.tones)))
    parts.append(draw.choice(book.added["length"]))
    return Drawn(_finished(parts, slots, draw), kind.key, draw.choice(kind.context))


def _told(message: str, book: Book, draw: Random) -> str:
    """Every other message says something of whoever writes it, too."""
    return f"{message} {draw.choice(book.task_words['detail'])}" if draw.random() < 0.5 else message


def about_words(difficulty: str, length: str, draw: Random) -> int:
    """A number of words for this difficulty, of this length (``short``, ``middle``, ``long``) where it allows that."""
    low, high = LENGTHS[difficulty]
    least, most = OF_LENGTH.get(length, (0, high))
    if max(low, least) <= min(high, most):
        low, high = max(low, least), min(high, most)
    return draw.randrange(-(-low // 10) * 10, high + 1, 10)


def _weight(kind: Kind) -> float:
    """By how many different questions it has in it; those that give a text have one for each."""
    return {"continue": 10.0, "rewrite": 10.0}.get(kind.key, float(len(kind.ask)))


def _sayable(sentences: Sequence[str], purpose: Purpose) -> list[str]:
    return [one for one in sentences if purpose.topics or "{topic}" not in one]


def _asked(ask: str, slots: Mapping[str, str], draw: Random) -> str:
    """The ask with the text that it gives, whose own slots are still open."""
    for key in NESTED:
        if f"{{{key}}}" in ask:
            ask = ask.replace(f"{{{key}}}", slots[key])
    return ask


def _own(ask: str, slots: Mapping[str, str], purpose: Purpose, book: Book, draw: Random) -> list[str]:
    """What brings the writer's own words in, where the ask does not have any of them."""
    said = words_of(fill(ask, slots, draw))
    own = {word for topic in purpose.topics for word in words_of(topic) if word not in FUNCTION_WORDS}
    added = list[str]()
    if own and own.isdisjoint(said) and draw.random() < OWN_SUBJECT:
        added.append(draw.choice(book.added["topic"]))
    if purpose.tones and draw.random() < OWN_TONE:
        added.append(draw.choice(book.added["tone"]).replace("{tone}", draw.choice(purpose.tones)))
    return added


def _constraints(kind: Kind, plan: Plan, used: set[str], book: Book, draw: Random) -> list[str]:
    """None for an easy question, one for a medium one, two or a turn for a hard one. The mood asked for is one."""
    mood = [draw.choice(book.mood[plan.modifier])] if plan.modifier else []
    if plan.difficulty == "easy":
        return []
    pool = [one for key in kind.constraint for one in book.constraint[key]]
    if plan.difficulty == "medium":
        return mood or [draw.choice(pool)]
    if kind.turns and draw.random() < 0.6:
        return [*mood, draw.choice(book.turn)]
    return [*mood, draw.choice(pool)] if mood else draw.sample(pool, 2)


def _finished(parts: Sequence[str], slots: Mapping[str, str], draw: Random) -> str:
    text = tidy(" ".join(fill(part, slots, draw) for part in parts))
    return re.sub(r"([.!?]”? )([a-z])", lambda found: found[1] + found[2].upper(), text)


def _slots(plan: Plan, purpose: Purpose, book: Book, draw: Random) -> dict[str, str]:
    stock = _stock(plan.genre or draw.choice(_ANY_GENRE))
    gender, opposite = draw.sample(["she", "he"], 2)
    name = draw.choice(stock.names[gender])
    other = draw.choice([one for one in stock.names[opposite] if one[0] != name[0]])
    figure = purpose.figure if purpose.figure and draw.random() < OWN_FIGURE else draw.choice(stock.figures)
    role = draw.choice([one for one in stock.roles if not set(words_of(one)) & set(words_of(figure))])
    located = purpose.place if purpose.place and draw.random() < OWN_PLACE else draw.choice(stock.places)
    found = PLACE.fullmatch(located)
    place = found[2] if found else located.split(" ", 1)[-1]
    slots = {key: draw.choice(values) for key, values in book.words.items()}
    slots |= dict(zip(("they", "them", "their", "themself"), _PRONOUNS[gender], strict=True))
    slots |= {"name": name, "other": other, "figure": figure, "a_figure": article(figure)}
    slots |= {"role": role, "a_role": article(role), "place": place, "to_place": f"to {place}", "at_place": located}
    slots |= {"tale": _TALES[plan.genre], "n": str(plan.words), "topic": _topic(purpose, draw)}
    for key, values in (("object", stock.objects), ("event", book.words["event"])):
        slots[key], slots[f"{key}2"] = draw.sample(values, 2)
    for key in ("smell", "sound"):
        slots[key], slots[f"{key}2"] = draw.sample(book.words[key], 2)
    slots |= {"an_object": article(slots["object"]), "an_object2": article(slots["object2"])}
    slots["sound_start"] = slots["sound"][:1].upper() + slots["sound"][1:]
    return slots


def _topic(purpose: Purpose, draw: Random) -> str:
    return draw.choice(purpose.topics) if purpose.topics else ""


@cache
def _stock(genre: str) -> _Stock:
    grammar, prompts = load_grammar(DATA, genre), load_catalog().prompts_of(genre)
    own = grammar.defaults
    return _Stock(
        figures=tuple(dict.fromkeys([*own["figure"], *(prompt.figure for prompt in prompts)])),
        roles=own["other_role"],
        objects=tuple(dict.fromkeys([*own["object"], *(one.object for one in prompts if "of" not in one.object)])),
        places=tuple(dict.fromkeys([*own["place"], *(prompt.place for prompt in prompts)])),
        names=grammar.names,
    )
