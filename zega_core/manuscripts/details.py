"""What a passage is about, as far as words show it: who, where, when, which things, in what mood, how it is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log

from zega_core.manuscripts import lexicon
from zega_core.manuscripts.splitting import Passage
from zega_core.quality.features import FUNCTION_WORDS, concrete_and_vague, read
from zega_core.quality.names import NameSpotter
from zega_core.quality.words import load_words

_WORD = re.compile(r"[^\W\d_]+(?:['\-][^\W\d_]+)*")
_SPEECH = re.compile(r"[“\"„«][^“”\"„«»]{1,1500}(?:[”\"»]|\Z)", re.S)
_SINGLE = re.compile(r"(?:(?<=\s)|\A)[‘'](?=\w)[^\n‘]{1,600}?[,.!?…—][’'](?=[\s)—–]|\Z)")
_DASHED = re.compile(r"^[—–-] ?[^\n]{1,600}$", re.M)
_DETERMINED = r"a|an|the|his|her|my|their|our|your|this|that"
_THING = re.compile(
    rf"\b({_DETERMINED}) ([a-z]{{3,14}})(?=[.;:?!]|\s(?:of|in|on|at|was|were|had|with|from|to|that|which|who|is|by|for"
    r"|into|as|over|under|behind|before|between|beside|against|upon|across|through|lay|stood|hung)\b)"
)
_PLACE = re.compile(
    rf"\b(?:in|at|on|inside|into|through|aboard|across|to|along|from) (?:{_DETERMINED}) "
    r"(?:[a-z]{3,12} )?([a-z\-]{3,14})\b"
)
_NAMED = re.compile(rf"\b(?:{_DETERMINED}) ([a-z\-]{{3,14}})\b")
_ON = frozenset(
    """road path beach shore deck bridge roof stairs staircase hill hills hillside cliff platform pier quay plain plains
    island ship train bus yacht trail landing stage terrace veranda balcony porch pavement ridge moor moors heath farm
    ranch estate railway wharf waterfront dock docks coast mountain mountains moon planet spaceship starship river
    ferry playground battlefield""".split()
)
_AT = frozenset("sea gate airport station harbour harbor inn port mill forge court pub bar".split())
_PLURALS = frozenset("children people men women mice feet teeth geese oxen cattle".split())
_FIGURE = re.compile(r"\b(?:a|an|the|his|her|my|their|old|young) ([a-z]{3,14})\b")
_NO_NOUN = ("ing", "ly", "ness", "ed", "est", "ful", "ous", "ish", "ive", "ment", "tion", "sion", "ity", "ance", "ence")
_GENRE_LEAST, _GENRE_SHARE = 10, 0.004
"""Words of a genre that there must be, and their least share of all."""
_RARE = 4
"""A word must stand in the language at most this often, on a scale of logarithms, to tell passages apart."""


@dataclass(frozen=True, slots=True)
class Details:
    """``event`` is one of ``lexicon.EVENTS``. ``things`` can be seen or touched, ``topics`` cannot; both
    have their articles. ``words`` are telling
    words, the most telling first. ``spoken`` is the share of words between quotes, 0..1."""

    names: tuple[str, ...]
    figures: tuple[str, ...]
    place: str
    time: str
    event: str
    things: tuple[str, ...]
    topics: tuple[str, ...]
    words: tuple[str, ...]
    mood: str
    spoken: float
    lines: int
    first_person: bool
    element: str


def of_all(passages: Sequence[Passage]) -> list[Details]:
    """One for each passage; names are found over all of them together."""
    texts = [passage.text.replace("’", "'") for passage in passages]
    tokens = [_WORD.findall(text) for text in texts]
    whole = _Whole(texts, tokens)
    return [_details(text, words, whole) for text, words in zip(texts, tokens, strict=True)]


class _Whole:
    """What all passages together show: in how many each word stands, which words are names or things."""

    def __init__(self, texts: Sequence[str], tokens: Sequence[Sequence[str]]) -> None:
        self.number = len(texts)
        self.seen = Counter(word for words in tokens for word in set(words))
        self.times = Counter(word for words in tokens for word in words)
        found = [pair for text in texts for pair in _THING.findall(text)]
        self.things = Counter(noun for _, noun in found)
        self.single = {noun for article, noun in found if article in ("a", "an")}
        self.names = _names(texts, self.seen)
        pairs = Counter(
            (first, second.removesuffix("'s"))
            for words in tokens
            for first, second in pairwise(words)
            if first in self.names and second.removesuffix("'s") in self.names
        )
        self.pairs = {pair for pair, times in pairs.items() if times > 1 or self.number < 8}

        self.usual = Counter(name for words in tokens for name in _hits(Counter(word.lower() for word in words)))

    def named(self, noun: str) -> str:
        """With the article that it has in the passages: ``a bell``, ``the ink``, ``boxes``."""
        return with_article(noun) if noun in self.single or _is_plural(noun) else f"the {noun}"

    def event(self, counts: Mapping[str, int]) -> str:
        """What happens, by the words that this passage has more of than others; empty where few are there."""
        hits = {name: number for name, number in _hits(counts).items() if number >= 3}
        return max(hits, key=lambda name: hits[name] * log(2 + self.number / self.usual[name])) if hits else ""

    def rarity(self, word: str) -> float:
        """More for words of few passages."""
        return log((self.number + 1) / (self.seen[word] or 1) + 1)

    def is_thing(self, word: str) -> bool:
        """Whether it is mostly used as a noun with an article before it: adjectives and verbs are not."""
        return 4 * self.things[word] >= self.times[word]


def _hits(counts: Mapping[str, int]) -> dict[str, int]:
    found = ((name, sum(counts.get(word, 0) for word in words)) for name, words in lexicon.EVENTS.items())
    return {name: number for name, number in found if number}


def _names(texts: Sequence[str], seen: Mapping[str, int]) -> frozenset[str]:
    spotter = NameSpotter()
    for number, text in enumerate(texts):
        spotter.add(number, text)
    return frozenset(spotter.names(seen, 1 if len(texts) < 8 else 2))


def _details(text: str, tokens: Sequence[str], whole: _Whole) -> Details:
    counts = Counter(token.lower() for token in tokens)
    speech = [found[0] for pattern in (_SPEECH, _SINGLE, _DASHED) for found in pattern.finditer(text)]
    narration = _SPEECH.sub(" ", text)
    spoken = min(1.0, sum(len(one.split()) for one in speech) / max(1, len(tokens)))
    figures = tuple(word for word in _in_order(_FIGURE.findall(text)) if word in lexicon.FIGURES)
    place = _place(text)
    things = _things(narration if spoken < 0.6 else text, counts, whole, place)
    seen = tuple(noun for noun in things if _is_concrete(noun))
    told = _WORD.findall(narration.lower())
    first = sum(word in ("i", "my", "me", "we") for word in told) > max(2, len(told) // 60)
    people = _people(tokens, whole)
    element = _element(counts, told, spoken, len(speech), people, figures)
    return Details(
        names=people,
        figures=figures[:3],
        place=place,
        time=_most(lexicon.TIMES, counts, 2),
        event=whole.event(counts),
        things=tuple(map(whole.named, seen[:4])),
        topics=tuple(whole.named(noun) for noun in things if noun not in seen)[:3],
        words=_telling(tokens, counts, whole),
        mood=_most(lexicon.MOODS, Counter(token.lower() for token in tokens if token not in whole.names), 2),
        spoken=spoken,
        lines=len(speech),
        first_person=first,
        element=element,
    )


def _in_order(found: object) -> list[str]:
    return list(dict.fromkeys(found))  # type: ignore[call-overload]


def _people(tokens: Sequence[str], whole: _Whole) -> tuple[str, ...]:
    """Up to three, those named most often first; first and last name of one person together."""
    bare = [token.removesuffix("'s") for token in tokens]
    times = Counter(token for token in bare if token in whole.names)
    people: list[str] = []
    used: set[str] = set()
    for name in sorted(times, key=lambda name: (-times[name], bare.index(name))):
        if name in used:
            continue
        pair = next((pair for pair in pairwise(bare) if name in pair and pair in whole.pairs), None)
        used.update(pair or (name,))
        people.append(" ".join(pair) if pair else name)
    return tuple(people[:3])


def _place(text: str) -> str:
    """The place that is named most often, with the preposition that suits a request."""
    found = Counter(noun for noun in _PLACE.findall(text) if noun in lexicon.PLACES)
    if not found:
        named = Counter(noun for noun in _NAMED.findall(text.lower()) if noun in lexicon.PLACES)
        found = Counter({noun: times for noun, times in named.items() if times > 1})
    if not found:
        return ""
    noun = found.most_common(1)[0][0]
    return f"{'on' if noun in _ON else 'at' if noun in _AT else 'in'} the {noun}"


@cache
def _is_concrete(noun: str) -> bool:
    return concrete_and_vague(read(noun))[0] > 0


def _things(text: str, counts: Mapping[str, int], whole: _Whole, place: str) -> tuple[str, ...]:
    scores: dict[str, float] = {}
    usual = load_words()
    for _, noun in _THING.findall(text):
        known = usual.index.get(noun)
        if known is None or noun in lexicon.NO_THINGS or noun in FUNCTION_WORDS or place.endswith(f" {noun}"):
            continue
        if noun.endswith(_NO_NOUN) or not whole.is_thing(noun):
            continue
        rarity = min(_RARE, max(0.5, -float(usual.usual[known]) - 6))
        scores[noun] = counts[noun] * rarity * whole.rarity(noun)
    return tuple(sorted(scores, key=lambda noun: (-scores[noun], noun)))


def _is_plural(noun: str) -> bool:
    return noun in _PLURALS or (noun.endswith("s") and not noun.endswith(("ss", "us", "is")))


def with_article(noun: str) -> str:
    """``a bell``, ``an axe``, ``boxes``"""
    if _is_plural(noun):
        return noun
    vowel = noun[:1].lower() in "aeiou" and not noun.startswith(("uni", "use", "one", "eu"))
    return f"{'an' if vowel or noun.startswith(('hour', 'heir', 'honest')) else 'a'} {noun}"


def _telling(tokens: Sequence[str], counts: Mapping[str, int], whole: _Whole) -> tuple[str, ...]:
    """Words, as written, that this passage has and most others have not; of any language."""
    scores: dict[str, float] = {}
    for token in tokens:
        word = token.removesuffix("'s")
        if len(word) < 4 or "'" in word or word in whole.names or word.lower() in FUNCTION_WORDS:
            continue
        scores[word] = counts[word.lower()] * whole.rarity(word) * min(len(word), 9)
    return tuple(sorted(scores, key=lambda word: (-scores[word], word)))[:8]


def _most(groups: Mapping[str, frozenset[str]], counts: Mapping[str, int], least: int) -> str:
    sums = {name: sum(counts.get(word, 0) for word in words) for name, words in groups.items()}
    best = max(sums, key=lambda name: sums[name])
    return best if sums[best] >= least else ""


def _element(
    counts: Mapping[str, int],
    told: Sequence[str],
    spoken: float,
    lines: int,
    people: Sequence[str],
    figures: Sequence[str],
) -> str:
    """What the passage mostly is."""
    if spoken >= 0.5 and lines >= 4:
        return "dialogue"
    size = max(1, len(told))
    scenery = sum(word in lexicon.SCENERY for word in told) / size
    persons = (
        sum(word in ("he", "she", "him", "his", "her", "they", "i", "we", "you", "me", "my") for word in told) / size
    )
    looks = sum(word in lexicon.LOOKS for word in told) / size
    if spoken < 0.1 and scenery > 0.07 and persons < 0.06:
        return "setting"
    alone = len(people) == 1 or (not people and len(figures) <= 1)
    if spoken < 0.1 and looks > 0.045 and persons > 0.05 and alone:
        return "character"
    return "scene"


def genre_of(texts: Sequence[str]) -> str:
    """The genre that the words of all texts point to; empty where they point to none, or to two."""
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    hits = sorted(((sum(counts[word] for word in words), key) for key, words in lexicon.GENRES.items()), reverse=True)
    (best, key), (second, _) = hits[0], hits[1]
    enough = best >= max(_GENRE_LEAST, _GENRE_SHARE * sum(counts.values()))
    return key if enough and best >= 1.25 * second else ""
