"""Prompts written backwards: for a passage that is there, what somebody could have asked for. By rules alone; the same
passages give the same prompts."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from zega_core.dataset import words as plain_words
from zega_core.manuscripts import details
from zega_core.manuscripts.details import Details, with_article
from zega_core.manuscripts.splitting import Passage

LONGEST = 300
"""Characters of a prompt that a rule or a teacher writes."""
RUN = 6
"""Words in a row that a prompt may not have in common with its passage."""
_ASKS = re.compile(r"(?:write|describe|show|tell|let|continue|narrate|portray|sketch|compose|create|depict)\b", re.I)
_TELLS_OFF = re.compile(r"[\n<>{}\[\]|`*#]|https?:|\bpassage\b|\bexcerpt\b|\babove text\b", re.I)


@dataclass(frozen=True, slots=True)
class Request:
    """``element`` is a key of the catalog."""

    prompt: str
    element: str


def requests(passages: Sequence[Passage]) -> list[Request]:
    """One for each passage, no two prompts alike."""
    found: list[Request] = []
    taken: set[str] = set()
    for passage, known in zip(passages, details.of_all(passages), strict=True):
        prompt = next(
            one for one in _wordings(passage, known) if one.lower() not in taken and not quotes(one, passage.text)
        )
        taken.add(prompt.lower())
        found.append(Request(prompt, known.element))
    return found


def quotes(prompt: str, text: str) -> bool:
    """Whether ``prompt`` has ``RUN`` words in a row from the text."""
    asked, there = plain_words(prompt), f" {' '.join(plain_words(text))} "
    return any(f" {' '.join(asked[at : at + RUN])} " in there for at in range(len(asked) - RUN + 1))


def fault(prompt: str, text: str) -> str:
    """Why a teacher's sentence cannot be the prompt of this text; empty when it can."""
    size = len(plain_words(prompt))
    if not 15 <= len(prompt) <= LONGEST or size < 5:
        return "It is too short or too long."
    if not _ASKS.match(prompt) or _TELLS_OFF.search(prompt):
        return "It is no request."
    if quotes(prompt, text):
        return "It gives sentences of the passage away."
    return ""


def _wordings(passage: Passage, known: Details) -> Iterator[str]:
    """The fullest first; each later one says something else, and the last ones cannot be taken."""
    draw = random.Random(crc32(passage.text.encode("utf-8", "replace")))
    things = known.things[:2]
    yield _request(known, draw, things)
    for thing in range(len(known.things)):
        yield _request(known, draw, known.things[thing : thing + 2])
    for size in range(1, len(known.words) + 1):
        yield _clipped(f"{_request(known, draw, things)} {_words(known.words[:size])}")
    for number in range(passage.idx + 1, passage.idx + 1_000_000):
        yield _clipped(_request(known, draw, things), room=30) + f" This is part {number}."


def _request(known: Details, draw: random.Random, things: Sequence[str]) -> str:
    ask = {"dialogue": _dialogue, "setting": _setting, "character": _character}.get(known.element, _scene)
    sentences = [ask(known, draw, things), *_manner(known, draw)]
    if not (known.names or known.figures or known.place or known.event or things or known.topics):
        sentences = (
            [f"Write a {known.element} with these words in it: {_list(known.words[:4])}."]
            if known.words
            else [f"Write a {known.element}."]
        )
    elif known.element == "scene" and not (known.event or things or known.topics) and known.words:
        sentences.insert(1, _words(known.words[:3]))
    text = sentences[0]
    for sentence in sentences[1:]:
        text = f"{text} {sentence}" if len(text) + len(sentence) < LONGEST else text
    return _clipped(text)


def _who(known: Details) -> list[str]:
    """Up to two, by name or by what they are."""
    people = list(known.names[:2])
    return (people + [with_article(figure) for figure in known.figures])[:2]


def _scene(known: Details, draw: random.Random, things: Sequence[str]) -> str:
    people, where = _who(known), _where(known)
    who = " and ".join(people) or ("the narrator" if known.first_person else "")
    there = f" with {who}" if who else ""
    about = f" that touches on {known.topics[0]}" if known.topics and not things else ""
    if known.event:
        asked = [f"Write a scene{there}{where} in which {known.event}."]
        if who and known.place:
            be = "are" if len(people) > 1 else "is"
            asked.append(f"Write a scene in which {who} {be}{where} and {known.event}.")
        if who:
            asked.append(f"Write a scene{where} in which {known.event}. {who[0].upper()}{who[1:]} should be in it.")
    else:
        asked = [f"Write a scene{there}{where}{about}."]
    return draw.choice(asked) + _bringing_in(draw, things)


def _bringing_in(draw: random.Random, things: Sequence[str]) -> str:
    have = _list(things)
    if not have:
        return ""
    return " " + draw.choice([f"Mention {have}.", f"Let {have} play a part.", f"Have {have} in it."])


def _dialogue(known: Details, draw: random.Random, things: Sequence[str]) -> str:
    people, where = _who(known), _where(known)
    topics = [f"the {one.partition(' ')[2] or one}" for one in (*things[:1], *known.topics)][:2]
    about = f" about {_list(topics)}" if topics else ""
    if len(people) == 2:
        return draw.choice(
            [
                f"Write a dialogue between {people[0]} and {people[1]}{about}{where}.",
                f"Write a scene in which {people[0]} and {people[1]} talk{about}{where}.",
                f"Let {people[0]} and {people[1]} speak with each other{about}{where}.",
            ]
        )
    if people:
        return draw.choice(
            [
                f"Write a dialogue in which {people[0]} talks with somebody{about}{where}.",
                f"Write a conversation with {people[0]}{about}{where}.",
            ]
        )
    return f"Write a dialogue between two people{about}{where}."


def _setting(known: Details, draw: random.Random, things: Sequence[str]) -> str:
    place = known.place.partition(" the ")[2]
    time = f" {known.time}" if known.time else ""
    seen = f" with {_list(things)}" if things else ""
    if place:
        return draw.choice(
            [
                f"Describe {with_article(place)}{time}{seen}.",
                f"Write a description of {with_article(place)}{time}{seen}.",
            ]
        )
    return f"Describe a place{time}{seen}." if seen else f"Describe a landscape{time}."


def _character(known: Details, draw: random.Random, things: Sequence[str]) -> str:
    people = _who(known)
    who = people[0] if people else "a person"
    part = f", and mention {things[0]}" if things else ""
    return draw.choice(
        [
            f"Describe {who}: what kind of person that is, and how it shows{part}.",
            f"Write about {who}, so that a reader knows them afterwards{part}.",
            f"Describe the character of {who}{part}.",
        ]
    )


def _manner(known: Details, draw: random.Random) -> Iterator[str]:
    if known.mood:
        yield draw.choice([f"The mood is {known.mood}.", f"Make it {known.mood}.", f"It should feel {known.mood}."])
    if known.first_person and known.element != "dialogue":
        yield "Tell it in the first person."
    elif 0.2 <= known.spoken < 0.5 and known.element == "scene":
        yield "Let there be some talk."


def _where(known: Details) -> str:
    return "".join(f" {part}" for part in (known.place, known.time) if part)


def _words(words: Sequence[str]) -> str:
    return f"Use {'this word' if len(words) == 1 else 'these words'}: {', '.join(words)}."


def _list(items: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def _clipped(text: str, room: int = 0) -> str:
    """Within ``LONGEST``, cut between words."""
    most = LONGEST - room
    return text if len(text) <= most else text[: most - 1].rpartition(" ")[0].rstrip(",.:;") + "."
