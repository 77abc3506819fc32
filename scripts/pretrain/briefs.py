"""Briefs and pieces to pre-train on: the storyteller's answers to prompts that the catalog does not have."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TypeVar

from zega_core.catalog import ALTERNATIVES, DATA, PLACE, Brief, Catalog, Prompt, load_catalog, request
from zega_core.providers.base import GenerationOptions
from zega_core.providers.free_prompt import guess_genre, read_prompt
from zega_core.providers.grammar import load_grammar
from zega_core.providers.prose import article, words_of
from zega_core.providers.storyteller import Storyteller

Entry = TypeVar("Entry")
HERE = Path(__file__).resolve().parent
HELD_OUT = 10
"""Every tenth entry of every list is kept for briefs that the model never trains on."""
ASKED = ("prompt", "crowded", "named", "free")
TRADES = (
    "keeper maker mender seller collector painter hunter inspector clerk dealer porter polisher carrier finder counter "
    "cutter teacher warden thief doctor tuner restorer reader attendant trader smuggler guard merchant repairer carver"
).split()
LONGEST = 10**6
TRIES = 4
"""How often a brief is drawn anew while the piece says next to nothing of the prompt."""
PRONOUNS = {"she": ("she", "her", "herself"), "he": ("he", "his", "himself")}
SHE = frozenset("governess landlady chambermaid milkmaid witch widow waitress midwife seamstress bride".split())


@dataclass(frozen=True, slots=True)
class Pair:
    """What the user writes, the piece that answers it, and the brief behind both."""

    user: str
    text: str
    brief: Brief


@dataclass(frozen=True, slots=True)
class Words:
    """One side of the lists: what is trained on, or what is held out. Sentences of the answers are in both."""

    lists: Mapping[str, Sequence[str]]
    thing: Sequence[tuple[str, str]]
    person: Sequence[tuple[str, str]]
    forms: Mapping[str, Sequence[str]]
    said: Sequence[tuple[str, str]]
    mined: Mapping[str, Sequence[str]]


def load_words(held_out: bool, mined: Path | None = None) -> Words:
    words = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    forms = tomllib.loads((HERE / "prompts.toml").read_text(encoding="utf-8"))
    lists = {key: value.replace("\n", " ").split(",") for key, value in words.items() if isinstance(value, str)}
    return Words(
        {key: side([one.strip() for one in found], held_out) for key, found in lists.items()},
        [(now, then) for now, then in side(words["thing"], held_out)],
        [(now, then) for now, then in side(words["person"], held_out)],
        {key: side(found, held_out) if key in ASKED else found for key, found in forms.items() if key != "said"},
        [(one, two) for one, two in forms["said"]],
        _mined(mined, held_out) if mined else {},
    )


def _mined(path: Path, held_out: bool) -> dict[str, list[str]]:
    found = json.loads(path.read_text(encoding="utf-8"))
    lists = {key: side(sorted(Random(0).sample(words, len(words))), held_out) for key, words in found.items()}
    return lists | {"nouns": [one for one in lists["objects"] if " " not in one]}


def side(entries: Sequence[Entry], held_out: bool) -> list[Entry]:
    return [one for number, one in enumerate(entries) if (number % HELD_OUT == HELD_OUT - 1) == held_out]


class Writer:
    """Writes pairs from a seed: the same number always gives the same pair. ``mined`` is a file of nouns from books."""

    def __init__(self, seed: int = 0, *, held_out: bool = False, mined: Path | None = None) -> None:
        self.seed, self.words = seed, load_words(held_out, mined)
        self._held_out = held_out
        self._storyteller = Storyteller()

    @cached_property
    def catalog(self) -> Catalog:
        return load_catalog()

    def pair(self, number: int) -> Pair:
        draw = Random(f"{self.seed}|{self._held_out}|{number}")
        pair = self._pair(draw)
        for _ in range(TRIES if self.words.mined else 0):
            if len(set(words_of(pair.text)) & {word for word in words_of(pair.brief.prompt) if len(word) > 4}) > 1:
                break
            pair = self._pair(draw)
        return pair

    def _pair(self, draw: Random) -> Pair:
        genre = draw.choice(self.catalog.genres).key
        gender = draw.choice(("she", "he"))
        element = draw.choice(self.catalog.elements)
        modifier = draw.choice((None, *self.catalog.modifiers))
        slots = self._slots(draw, genre, gender)
        kind = draw.choices(("prompt", "named", "free"), (60, 20, 20))[0]
        if self.words.mined and kind == "prompt" and draw.random() < 0.6:
            kind = "crowded"
        text = self._prompt(draw, kind, slots)
        if kind == "free":
            brief = Brief(text, genre, element, modifier)
        else:
            brief = Brief(text, genre, element, modifier, self._known(draw, text, genre, slots))
        bare = draw.random() < (0.5 if kind == "free" else 0.12)
        if bare:
            brief = self._bare(brief)
        piece = self._storyteller.complete([], GenerationOptions(LONGEST, seed=draw.getrandbits(40), brief=brief)).text
        gender = slots["gender"] if brief.known else read_prompt(text, brief.genre).gender
        piece = self._renamed(draw, piece, brief.genre, gender, slots["name"] if kind == "named" else "")
        return Pair(brief.prompt if bare else self._asked(draw, brief), piece, brief)

    def _slots(self, draw: Random, genre: str, gender: str) -> dict[str, str]:
        lists, own = self.words.lists, load_grammar(DATA, genre).defaults
        figure, other = draw.sample([*lists["figures"]], 2)
        thing, place = draw.choice(lists["objects"]), draw.choice(lists["places"])
        if not self._held_out:
            figure = draw.choice(own["figure"]) if draw.random() < 0.3 else figure
            thing = draw.choice(own["object"]) if draw.random() < 0.3 else thing
            place = draw.choice(own["place"]) if draw.random() < 0.3 else place
        if self.words.mined:
            figure, thing, place = self._from_books(draw, figure, thing, place)
        gender = "she" if set(figure.split()) & SHE else gender
        known = read_prompt(f"the {figure}", genre).gender
        gender = known if known != "any" else gender
        if draw.random() < 0.2:
            figure = f"{draw.choice(lists['kinds'])} {figure}"
        if draw.random() < 0.4:
            thing = f"{draw.choice(lists['looks'])} {thing}"
        found = PLACE.fullmatch(place)
        thing_now, thing_then = draw.choice(self.words.thing)
        person_now, person_then = draw.choice(self.words.person)
        they, their, themself = PRONOUNS[gender]
        slots = {"figure": figure, "a_figure": article(figure), "object": thing, "an_object": article(thing)}
        slots |= {"other": other, "an_other": article(other), "at_place": place, "place": found[2] if found else place}
        slots |= {"thing_now": thing_now, "thing_then": thing_then, "thing_it": thing_now}
        slots |= {"person_now": person_now, "person_then": person_then, "name": self._name(draw, gender)}
        if self.words.mined:
            noun1, noun2 = draw.sample(self.words.mined["nouns"], 2)
            slots |= {"noun1": noun1, "a_noun1": article(noun1), "noun2": noun2}
        them = "her" if gender == "she" else "him"
        return slots | {"they": they, "them": them, "their": their, "themself": themself, "gender": gender}

    def _from_books(self, draw: Random, figure: str, thing: str, place: str) -> tuple[str, str, str]:
        """The same, two times in three with nouns from the books in their place."""
        mined = self.words.mined
        noun, *two = (draw.choice(mined["nouns"]) for _ in range(3))
        if draw.random() < 0.6:
            figure = f"{noun} {draw.choice(TRADES)}"
        elif draw.random() < 0.3:
            figure = draw.choice(mined["figures"])
        if draw.random() < 0.7:
            thing = draw.choice((draw.choice(mined["objects"]), draw.choice(mined["objects"]), " ".join(two)))
        if draw.random() < 0.65:
            place = draw.choice(mined["places"])
            if draw.random() < 0.4:
                place = f"{draw.choice(('in', 'at', 'on', 'under', 'behind'))} the {draw.choice(mined['nouns'])}"
        return figure, thing, place

    def _prompt(self, draw: Random, kind: str, slots: Mapping[str, str]) -> str:
        """A prompt of this kind with the slots filled in, sometimes closed with a full stop."""
        forms = self.words.forms[kind]
        if re.match(r"(?:nobody|everyone|everybody|somebody|two|the|a) ", slots["thing_now"]):
            forms = [form for form in forms if "{thing_it}" not in form]
        text = filled(draw.choice(forms or self.words.forms[kind]), slots)
        if kind != "free" or draw.random() < 0.5:
            text = text[:1].upper() + text[1:]
        return f"{text}." if text[-1] not in ".?!" and draw.random() < 0.3 else text

    def _known(self, draw: Random, text: str, genre: str, slots: Mapping[str, str]) -> Prompt:
        """The prompt as the storyteller knows its own: mostly with sentences written for what it says."""
        prompt = Prompt(
            "", genre, text, slots["figure"], slots["gender"], object=slots["object"], place=slots["at_place"]
        )
        if draw.random() < 0.15:
            return prompt
        kept = {key: slots[key] for key in ("thing_then", "person_then")}
        own = {
            key: tuple(filled(form, kept) for form in draw.sample(self.words.forms[key], ALTERNATIVES))
            for key in ("hook", "detail", "trait", "sight")
        }
        said = draw.sample(self.words.said, ALTERNATIVES)
        return replace(prompt, **own, said=tuple((filled(one, kept), filled(two, kept)) for one, two in said))

    def _bare(self, brief: Brief) -> Brief:
        """Nothing but a prompt: it says itself what it wants, else it wants a scene."""
        lower = brief.prompt.lower()
        key = "character" if lower.startswith(("describe", "tell me about")) else "scene"
        key = "dialogue" if re.search(r"\b(?:talk|quarrel)\b", lower) else key
        key = "setting" if lower.endswith(("at night", "at night.")) else key
        genre = brief.genre if brief.known else guess_genre(brief.prompt, self.catalog)
        return replace(brief, element=self.catalog.element(key), modifier=None, genre=genre)

    def _asked(self, draw: Random, brief: Brief) -> str:
        """The request as the app words it, or most of it."""
        lines = request(brief, self.catalog).split("\n")
        if draw.random() < 0.15:
            lines = lines[:-2]
        if draw.random() < 0.08:
            lines = [line for line in lines if not line.startswith("Genre:")]
        return "\n".join(lines)

    def _name(self, draw: Random, gender: str) -> str:
        first, last = self._first(draw, gender), draw.choice(self.words.lists["surnames"])
        return first if draw.random() < 0.4 else f"{first} {last}"

    def _first(self, draw: Random, gender: str) -> str:
        lists = self.words.lists
        if draw.random() < 0.75:
            return draw.choice(lists[gender])
        middle = draw.choice(lists["middles"]) if draw.random() < 0.7 else ""
        return draw.choice(lists["starts"]) + middle + draw.choice(lists[f"ends_{gender}"])

    def _renamed(self, draw: Random, text: str, genre: str, gender: str, hero: str) -> str:
        """The piece with other names: the hero's as the prompt has it, or any; those of the grammar are too few."""
        names = load_grammar(DATA, genre).names
        first, _, last = hero.partition(" ")
        last = last or draw.choice(self.words.lists["surnames"])
        for who in ("she", "he"):
            found = max(names[who], key=lambda name: len(re.findall(rf"\b{name}\b", text)))
            new = first if first and who == gender else self._first(draw, who)
            text = re.sub(rf"\b{found} (?:{'|'.join(names['surname'])})\b", lambda _, to=f"{new} {last}": to, text)
            text = re.sub(rf"\b{found}\b", lambda _, to=new: to, text)
        return text


def filled(form: str, slots: Mapping[str, str]) -> str:
    """The form with the slots that are known, capitals where it asks for them; others stay."""

    def value(found: re.Match[str]) -> str:
        word = slots.get(found[1].lower())
        if word is None:
            return found[0]
        return word[:1].upper() + word[1:] if found[1][0].isupper() else word

    return re.sub(r"\{(\w+)\}", value, form)
