"""The built-in storyteller: a chat model made of hand-written sentences, no AI and no network.

The same brief and seed always give the same piece. Two briefs of one genre and element get choices that
agree in few places: a Reed-Solomon code spreads the briefs over the alternatives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from random import Random

from zega_core.catalog import ALTERNATIVES, DATA, PROMPTS_A_GENRE, Brief, Catalog, Prompt, load_catalog
from zega_core.providers import prose
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.free_prompt import guess_genre, read_prompt, topic
from zega_core.providers.grammar import (
    ARCS,
    BEAT_ALTERNATIVES,
    BEATS,
    CHARACTER,
    CHARACTERS,
    FAMILY,
    KEPT_MOVES,
    MOVE_ALTERNATIVES,
    MOVES,
    SCENES,
    SETTING,
    SETTINGS,
    Common,
    Families,
    Grammar,
    load_common,
    load_grammar,
)
from zega_core.providers.prose import fill, formal, head_noun, introduced, referring, slots_for, tidy, words_of
from zega_core.providers.spread import MODIFIERS, Row, spread, spread_counted

LONG_TALK = 130
"""Words above which a talk leaves out two of its moves instead of one."""
DRAFTS, MOST_DRAFTS = 8, 14
"""How many versions of a piece are tried; the one with the fewest faults is taken. More while none is fit."""
UNFIT = 100.0

_SENTENCE_END = re.compile(r'(?<=[.!?])["\s]+')
_HEAVY = {"scene": 0.36, "character": 0.29, "setting": 0.29, "dialogue": 0.31}
_TARGET = {"scene": 160, "character": 150, "setting": 110, "dialogue": 170}


class Storyteller:
    """A ``StreamingModel`` that always answers, at once."""

    name = "storyteller"
    label = "Built-in storyteller"
    in_flight = 8

    def __init__(self, folder: Path = DATA) -> None:
        self._folder = folder

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        """The piece for ``options.brief``, or for the last user message read as a prompt for a scene."""
        catalog = load_catalog(self._folder)
        asked = next((message.content for message in reversed(messages) if message.role == "user"), "")
        brief = options.brief or Brief(asked, guess_genre(asked, catalog), catalog.element("scene"))
        catalog.genre(brief.genre)
        text = self._write(catalog, brief, options.seed)
        kept = prose.first_words(text, max(options.max_tokens, 0))
        prompt_tokens = sum(len(message.content.split()) for message in messages)
        return Completion(kept, self.name, prompt_tokens, len(kept.split()), "stop" if kept == text else "length")

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        completion = self.complete(messages, options)
        yield completion.text
        return completion

    def _write(self, catalog: Catalog, brief: Brief, seed: int) -> str:
        grammar, common = load_grammar(self._folder, brief.genre), load_common(self._folder)
        prompt = brief.known or read_prompt(brief.prompt, brief.genre)
        task = _Task.of(catalog, brief, prompt, seed, grammar, common)
        drafts = [task.write(n) for n in range(DRAFTS)]
        while min(faults for faults, _ in drafts) >= UNFIT and len(drafts) < MOST_DRAFTS:
            drafts.append(task.write(len(drafts)))
        return min(drafts, key=itemgetter(0))[1]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A finished text, and how many of its words are in its two longest parts."""

    text: str
    heavy: int

    @classmethod
    def of(cls, text: str, parts: Sequence[str]) -> _Draft:
        return cls(tidy(text), sum(sorted(len(part.split()) for part in parts)[-2:]))


@dataclass(frozen=True, slots=True)
class _Task:
    """One piece to write: the sentences to choose from and what is fixed before any is chosen."""

    key: str
    place: tuple[int, int]
    turn: int
    brief: Brief
    prompt: Prompt
    grammar: Grammar
    common: Common
    slots: Mapping[str, str]
    nouns: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Catalog, brief: Brief, prompt: Prompt, seed: int, grammar: Grammar, common: Common) -> _Task:
        modifier = brief.modifier.key if brief.modifier else ""
        key = f"{seed}|{brief.genre}|{brief.element.key}|{modifier}|{prompt.text}"
        slots = slots_for(prompt, grammar, Random(f"{key}|words"), brief.avoid.names)
        slots["topic"] = (topic(brief.prompt, prompt) if brief.known is None else "") or f"the {slots['object']}"
        nouns = tuple(head_noun(slots[slot]) for slot in ("figure", "object", "place"))
        return cls(key, _place(catalog, prompt, modifier), _digest(seed), brief, prompt, grammar, common, slots, nouns)

    def draw(self, purpose: str) -> Random:
        return Random(f"{self.key}|{purpose}")

    def write(self, number: int) -> tuple[float, str]:
        """The draft with this number, after its faults."""
        draft = _WRITERS[self.brief.element.key](self, self.draw(f"draft {number}"))
        return self.faults(draft), draft.text

    def own(self, key: str, options: Sequence[str], draw: Random, index: int) -> str:
        """The prompt's own sentence, or for a prompt without any one that suits every prompt."""
        if not options:
            free, thing = self.common.free[key], f"the {self.slots['object']}"
            if self.slots["topic"] == thing:
                free = [one for one in free if "{topic}" not in one or "{object}" not in one]
            return draw.choice(free)
        return options[index % len(options)]

    def spread(self, arcs: int, levels: int, columns: int) -> Row:
        way, turn = (spread, self.turn) if self.brief.turn is None else (spread_counted, self.brief.turn)
        return way(*self.place, turn, arcs, levels, columns)

    def where(self, row: int) -> str:
        """A sentence with the prompt's place, thing or figure."""
        options = self.common.where[self.brief.element.key]
        return options[(row + 3 * self.place[0]) % len(options)]

    def modifier(self) -> str:
        """A sentence of the style asked for. Prompts next to each other get different ones."""
        if self.brief.modifier is None:
            return ""
        options = self.common.told[self.brief.modifier.key][self.brief.element.key]
        return options[(self.place[0] + self.turn % 2 * (len(options) // 2)) % len(options)]

    def faults(self, draft: _Draft) -> float:
        """How much is wrong with a draft: length, prompt words left out, repetition, two parts too long."""
        words, lower = words_of(draft.text), draft.text.lower()
        element = self.brief.element
        count = len(draft.text.split())
        faults = abs(count - _TARGET[element.key]) / 12
        faults += max(draft.heavy / count - _HEAVY[element.key], 0) * 120
        faults += UNFIT * (not element.min_words <= count <= element.max_words)
        absent = [noun not in lower for noun in self.nouns]
        faults += 6 * sum(absent) + UNFIT * all(absent)
        faults += sum(max(words.count(noun) - 3, 0) for noun in self.nouns)
        openings = [sentence.lstrip('"').split(" ", 1)[0] for sentence in _SENTENCE_END.split(draft.text)]
        repeated = [one == two for one, two in pairwise(openings)]
        faults += sum(repeated) + sum(3 for one, two in pairwise(repeated) if one and two)
        rare = [word for word in words if len(word) > 5]
        return faults + (len(rare) - len(set(rare))) / 3


def _scene(task: _Task, draw: Random) -> _Draft:
    row, arc, picks = task.spread(ARCS, BEAT_ALTERNATIVES, len(BEATS))
    second = row + row // ARCS // ALTERNATIVES  # unlike the hook's wherever the arc is the same
    beats = task.grammar.scenes[arc]
    parts = {beat: beats[beat][pick] for beat, pick in zip(BEATS, picks, strict=True)}
    parts |= {
        "hook": introduced(task.own("hook", task.prompt.hook, draw, row // ARCS), task.nouns[0], draw),
        "detail": task.own("detail", task.prompt.detail, draw, second),
        "sight": task.own("sight", task.prompt.sight, draw, second),
        "ground": draw.choice(task.grammar.ground),
        "body": draw.choice(task.grammar.body),
        "modifier": task.modifier(),
    }
    if not any("place}" in part or task.nouns[2] in part.lower() for part in map(parts.__getitem__, ("hook", *BEATS))):
        parts["hook"] += " " + task.where(row)
    return _told(task, draw, draw.choice(SCENES), parts)


def _character(task: _Task, draw: Random) -> _Draft:
    row, parts = _family_parts(task, draw, CHARACTER, task.grammar.character)
    parts |= {
        "where": task.where(row),
        "trait": task.own("trait", task.prompt.trait, draw, row),
        "modifier": task.modifier(),
    }
    return _told(task, draw, draw.choice(CHARACTERS), parts)


def _setting(task: _Task, draw: Random) -> _Draft:
    row, parts = _family_parts(task, draw, SETTING, task.grammar.setting)
    parts |= {
        "where": task.where(row),
        "sight": task.own("sight", task.prompt.sight, draw, row),
        "modifier": task.modifier(),
    }
    return _told(task, draw, draw.choice(SETTINGS), parts)


def _family_parts(task: _Task, draw: Random, keys: Sequence[str], families: Families) -> tuple[int, dict[str, str]]:
    row, _, picks = task.spread(1, FAMILY, len(keys))
    return row, {key: draw.choice(families[key][pick::FAMILY]) for key, pick in zip(keys, picks, strict=True)}


def _told(task: _Task, draw: Random, skeleton: Sequence[str], parts: Mapping[str, str]) -> _Draft:
    """The parts in the skeleton's order, filled in; each person is named before a pronoun stands for them."""
    paragraphs: list[str] = []
    told: list[str] = []
    named: set[str] = set()
    for paragraph in skeleton:
        before, sentences = "", list[str]()
        for sentence in filter(None, (parts[part] for part in paragraph.split())):
            sentences.append(fill(referring(sentence, before, named), task.slots, draw))
            before = sentence
        if sentences:
            paragraphs.append(" ".join(sentences))
        told += sentences
    return _Draft.of("\n\n".join(paragraphs), told)


def _dialogue(task: _Task, draw: Random) -> _Draft:
    row, arc, picks = task.spread(ARCS, MOVE_ALTERNATIVES, MOVES)
    talk = [alternatives[pick] for alternatives, pick in zip(task.grammar.talks[arc], picks, strict=True)]
    moves = [talk[move] for move in draw.choice(KEPT_MOVES)]
    if sum(len(line.split()) for pair in moves for line in pair) > LONG_TALK:
        moves = talk[::2]
    said = task.prompt.said[row // ARCS % ALTERNATIVES] if task.prompt.said else draw.choice(task.common.free_said)
    voices = task.draw("voices").choice(((str, str), (str, str), (formal, str), (str, formal)))
    lines = [
        voice(fill(line, task.slots, draw)) for pair in (said, *moves) for voice, line in zip(voices, pair, strict=True)
    ]
    beats = {0: task.common.openers[(row + 7 * task.place[0]) % len(task.common.openers)]}
    for index in _beaten_lines(draw, len(lines)):
        tags = task.grammar.hero_tags if index % 2 else task.grammar.other_tags
        beats[index] = draw.choice([tag for tag in tags if tag not in beats.values()])
    if style := task.modifier():
        beats[draw.choice(range(3, len(lines), 2))] = style
    turns = [_turn(task, draw, index, line, beats.get(index, "")) for index, line in enumerate(lines)]
    return _Draft.of("\n\n".join(turns), [f"{one} {two}" for one, two in zip(lines[::2], lines[1::2], strict=True)])


def _beaten_lines(draw: Random, count: int) -> list[int]:
    """Which turns get an action besides the first: about every third, never two in a row."""
    start = draw.choice((2, 3))
    return list(range(start, count, draw.choice((3, 3, 4))))


def _turn(task: _Task, draw: Random, index: int, line: str, beat: str) -> str:
    """One spoken turn in its paragraph. The second one is tagged: from there on the two alternate."""
    first, rest = prose.first_sentence(line)
    if index == 1:
        verb = "asked" if first.endswith("?") else "said"
        tagged = f'"{first.removesuffix(".")}{"," if first.endswith(".") else ""}" {task.slots["hero"]} {verb}.'
        return f'{tagged} "{rest}"' if rest else tagged
    if not beat:
        return f'"{line}"'
    beat = fill(beat, task.slots, draw)
    if index == 0 or draw.random() < 0.4:
        return f'{beat} "{line}"'
    return f'"{first}" {beat} "{rest}"' if rest else f'"{line}" {beat}'


_WRITERS: dict[str, Callable[[_Task, Random], _Draft]] = {
    "scene": _scene,
    "character": _character,
    "setting": _setting,
    "dialogue": _dialogue,
}


def _place(catalog: Catalog, prompt: Prompt, modifier: str) -> tuple[int, int]:
    """The numbers of prompt and modifier; of a prompt that is not the catalog's, any."""
    if not prompt.id:
        return _digest(prompt.text) % PROMPTS_A_GENRE, _digest(f"{modifier}|{prompt.text}") % MODIFIERS
    modifiers = ["", *(known.key for known in catalog.modifiers)]
    return int(prompt.id.rsplit("-")[-1]) - 1, modifiers.index(modifier)


def _digest(value: object) -> int:
    return int.from_bytes(blake2b(str(value).encode(), digest_size=6).digest())
