"""Chat models that do as they are told, and a catalog that needs no files."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Sequence

from zega_core.catalog import Catalog, Element, Genre, Modifier, Prompt
from zega_core.configs import GenreKey
from zega_core.providers.base import Completion, GenerationOptions, Message

NOUNS = [
    "lantern",
    "harbour",
    "ladder",
    "kettle",
    "orchard",
    "bridge",
    "ledger",
    "window",
    "river",
    "cellar",
    "market",
    "garden",
    "tower",
    "ferry",
]
VERBS = [
    "carried",
    "counted",
    "mended",
    "followed",
    "watched",
    "opened",
    "crossed",
    "forgot",
    "burned",
    "sold",
    "hid",
    "found",
]
ADJECTIVES = [
    "cold",
    "narrow",
    "copper",
    "quiet",
    "crooked",
    "bright",
    "patient",
    "salted",
    "broken",
    "early",
    "hollow",
    "green",
]


def catalog() -> Catalog:
    """Eight genres of ten prompts, and the four elements as shipped."""
    return Catalog(
        version=1,
        genres=tuple(Genre(key, key.replace("_", " ").capitalize(), "#5B7FA8", "castle") for key in GenreKey),
        elements=(
            Element("scene", "Scene", "Write one scene.", 60, 220, 0, 0),
            Element("character", "Character", "Describe one character.", 60, 220, 0, 0),
            Element("dialogue", "Dialogue", "Write one dialogue.", 40, 220, 5, 10),
            Element("setting", "Setting", "Describe one setting.", 60, 220, 0, 0),
        ),
        modifiers=tuple(Modifier(f"modifier{number}", f"Style {number}.") for number in range(10)),
        prompts=tuple(
            Prompt(f"{key}-{number:02d}", key, f"A {NOUNS[number]} keeper mends the {NOUNS[number + 1]} at night")
            for key in GenreKey
            for number in range(10)
        ),
    )


def story(seed: int, prompt: str = "", sentences: int = 9) -> str:
    """Plain sentences about the prompt's words, different for every seed."""
    draw = random.Random(seed)
    about = [word for word in prompt.lower().split() if word in NOUNS] or [draw.choice(NOUNS)]
    lines = []
    for number in range(sentences):
        noun = about[number % len(about)] if number % 3 == 0 else draw.choice(NOUNS)
        place, thing = draw.sample(NOUNS, 2)
        first, second = draw.sample(ADJECTIVES, 2)
        tail = f", and the {second} {place} {draw.choice(VERBS)} what was left of it" if draw.random() < 0.5 else ""
        lines.append(
            f"{draw.choice(['Mara', 'The keeper', 'Somebody', 'At dusk Ines', 'Nobody'])} {draw.choice(VERBS)} "
            f"the {first} {noun} near the {thing} before {draw.choice(['noon', 'dark', 'the bell', 'supper'])}{tail}."
        )
    return " ".join(lines)


class ScriptedTeacher:
    """Writes ``story`` unless ``reply`` says otherwise: a function of the call's number, options and prompt."""

    def __init__(
        self,
        reply: Callable[[int, GenerationOptions], str | Exception] | None = None,
        *,
        delay: float = 0.0,
        in_flight: int = 4,
    ) -> None:
        self.name, self.label = "scripted", "Scripted teacher"
        self.in_flight = in_flight
        self.calls: list[GenerationOptions] = []
        self.most_at_once = 0
        self._reply, self._delay, self._at_once = reply, delay, 0
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        """The same, word by word."""
        completion = self.complete(messages, options)
        yield from completion.text.split(" ")
        return completion

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        with self._lock:
            self.calls.append(options)
            number = len(self.calls)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self._delay:
                time.sleep(self._delay)
            prompt = options.brief.prompt if options.brief else messages[-1].content
            reply = self._reply(number, options) if self._reply else story(options.seed, prompt)
            if isinstance(reply, Exception):
                raise reply
            return Completion(reply, self.name, 10, len(reply.split()))
        finally:
            with self._lock:
                self._at_once -= 1
