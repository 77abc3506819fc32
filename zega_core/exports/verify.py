"""Whether a model in Ollama writes as it does in ZEGA: both are asked the same few things and compared."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from zega_core import versions
from zega_core.catalog import Brief, load_catalog, request
from zega_core.errors import Cancelled, ZegaError
from zega_core.exports import llama
from zega_core.exports.modelfile import TEMPLATE
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form
from zega_core.fine_tune.plan import read_rows
from zega_core.local.models import student
from zega_core.providers.base import ChatModel, GenerationOptions, Message
from zega_core.providers.ollama_models import OllamaModels
from zega_core.providers.service import Access, ServiceModel, connect
from zega_core.settings import Settings
from zega_core.version_tables import Version

ASKED = 5
MAX_TOKENS = 300
"""Of an answer: most pieces of the built-in base end before."""
BASE_TOKENS = 60
"""Of the base model's, of which only the beginning is compared."""
LONGEST_PROMPT = 1500
"""Characters; a longer prompt would be cut, and not at the same place."""
SAME_WORDS = 12
"""So many equal words at the beginning count as the same beginning. Measured in llama.cpp with a version trained on
Poe, ten prompts: the right file wrote all ten texts word for word to their end (11 to 179 words); files with q and k in
another order, in the model or in the adapter alone, the base model, and another prompt form kept 0 to 9 words, but for
one short text that came out alike."""
SAME_PROMPTS = 3
"""Of five that must begin alike: 16-bit weights may decide a near tie otherwise, and two wrong texts be alike."""
LENGTH_FACTOR = 2.0
ECHO_WORDS = 8
MARK = re.compile(r"<\|[^|<>\s]{1,40}\|>")


@dataclass(frozen=True, slots=True)
class Check:
    """``said`` is what was found, in one sentence."""

    name: str
    ok: bool
    said: str


@dataclass(frozen=True, slots=True)
class Text:
    """An answer; ``ended`` when it did not break off. ``tokens`` is 0 where that was not said."""

    text: str = ""
    ended: bool = False
    tokens: int = 0

    @property
    def words(self) -> list[str]:
        return self.text.split()


@dataclass(frozen=True, slots=True)
class Answers:
    """To one prompt: of the version in ZEGA, of the same in Ollama, and of its base model in ZEGA."""

    prompt: str
    here: Text
    there: Text
    base: Text


@dataclass(frozen=True, slots=True)
class Report:
    """``ok`` when all checks are."""

    model: str
    checks: list[Check] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)
    ok: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For ``Export.report``."""
        return asdict(self)


def verify(
    settings: Settings,
    version: Version,
    name: str,
    access: Access,
    *,
    tell: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Report:
    """Ask the model ``name`` of the Ollama at ``access`` and ``version`` in ZEGA. What cannot be asked is a red check
    and no error; raises Cancelled once ``stop`` is set."""
    template = _template(version, name, access, stop)
    if isinstance(template, str):
        return Report(name, [Check("answers", False, template)])
    prompts = prompts_of(settings, version)
    tell("Asking your model in ZEGA.")
    own = student(settings, version.user_id, version.number, waiting=tell)
    here, trouble_here = _ask(own, prompts, stop)
    before = student(settings, version.user_id, None, version.base, waiting=tell)
    base, trouble_base = _ask(before, prompts, stop, BASE_TOKENS)
    tell("Asking your model in Ollama.")
    there, trouble_there = _ask_ollama(access, name, prompts, stop)
    trouble = trouble_here or trouble_base or trouble_there
    if trouble:
        return Report(name, [template, Check("answers", False, f"It could not be compared. {trouble}")])
    answers = [Answers(*four) for four in zip(prompts, here, there, base, strict=True)]
    said = f"It answered all {len(answers)} prompts."
    checks = [template, Check("answers", True, said), *compared(answers)]
    return Report(name, checks, answers, all(check.ok for check in checks))


def prompts_of(settings: Settings, version: Version) -> list[str]:
    """Five prompts that the version was not trained on, as it is asked: its held-out ones, then shipped ones."""
    found = dict.fromkeys(
        row.prompt for row in _rows(settings, version) if row.split == "held_out" and len(row.prompt) <= LONGEST_PROMPT
    )
    catalog = load_catalog()
    step = max(1, len(catalog.prompts) // ASKED)
    for number, prompt in enumerate(catalog.prompts[::step]):
        element = catalog.elements[number % len(catalog.elements)]
        found[request(Brief(prompt.text, prompt.genre, element, known=prompt), catalog)] = None
    return list(found)[:ASKED]


def _rows(settings: Settings, version: Version) -> list[Any]:
    """What the version was trained on; nothing where that cannot be read any more."""
    try:
        rows = list(read_rows(versions.folder_of(settings, version.user_id, version.number)))
    except (OSError, ValueError, TypeError, RecursionError):
        return []
    return [row for row in rows if isinstance(row.prompt, str)]


def _ask(
    model: ChatModel, prompts: Sequence[str], stop: threading.Event | None, max_tokens: int = MAX_TOKENS
) -> tuple[list[Text], str]:
    """Its answers, or why there are none. After one that fails no more is asked."""
    options = GenerationOptions(max_tokens=max_tokens, temperature=0.0, seed=0, stop=stop)
    try:
        answers = [model.complete([Message("user", prompt)], options) for prompt in prompts]
        return [Text(answer.text, answer.finish == "stop", answer.completion_tokens) for answer in answers], ""
    except Cancelled:
        raise
    except ZegaError as error:
        return [], str(error)


def _ask_ollama(
    access: Access, name: str, prompts: Sequence[str], stop: threading.Event | None
) -> tuple[list[Text], str]:
    """Through the adapter that asks Ollama in the rest of ZEGA."""
    try:
        with closing(connect("ollama", access)) as service:
            return _ask(ServiceModel(service, f"{name}:latest"), prompts, stop)  # zega-mccloud is not in the cloud
    except Cancelled:
        raise
    except ZegaError as error:
        return [], str(error)


def _template(version: Version, name: str, access: Access, stop: threading.Event | None) -> Check | str:
    """Ollama shows the template that it uses: ours, or where it is told to prefer it the one inside the file, which is
    the base model's own. A sentence when the model cannot be looked at."""
    try:
        with closing(OllamaModels(access, stop)) as server:
            shown = server.show(name)
        own = llama.read_json(bases.resolve(version.base) / "tokenizer_config.json").get("chat_template")
    except Cancelled:
        raise
    except ZegaError as error:
        return f"It could not be looked at. {error}"
    if shown is None:
        return f"Ollama does not have {name} any more. Export it again."
    if shown.template in (TEMPLATE, own) and not shown.system:
        return Check("template", True, "Ollama asks it in the form that it learned.")
    return Check("template", False, "Ollama asks it in another form than it learned. Export it again.")


def compared(answers: Sequence[Answers]) -> list[Check]:
    """What the answers themselves tell."""
    return [_marks(answers), _echo(answers), _end(answers), _length(answers), _beginning(answers), _learned(answers)]


def _marks(answers: Sequence[Answers]) -> Check:
    found = sorted({mark for one in answers for mark in MARK.findall(one.there.text)})
    if found:
        return Check("marks", False, f"Marks of the prompt form stand in its answers: {', '.join(found[:3])}.")
    return Check("marks", True, "No marks of the prompt form stand in its answers.")


def _echo(answers: Sequence[Answers]) -> Check:
    """A model may well take up the words of its prompt: it counts only where it does not do so in ZEGA."""
    count = sum(_echoes(one.prompt, one.there) and not _echoes(one.prompt, one.here) for one in answers)
    if count:
        return Check("prompt", False, f"{count} of {len(answers)} answers repeat their prompt, which they do not here.")
    return Check("prompt", True, "Its answers do not repeat their prompts.")


def _echoes(prompt: str, answer: Text) -> bool:
    words, said = prompt.split(), " ".join(answer.words)
    size = min(ECHO_WORDS, len(words))
    return any(" ".join(words[at : at + size]) in said for at in range(len(words) - size + 1) if size > 2)


def _end(answers: Sequence[Answers]) -> Check:
    """A text that ZEGA may have ended, after a whole sentence near the end of its room, is not asked to end there."""
    here = sum(one.here.ended and one.here.tokens < form.SOFT * MAX_TOKENS for one in answers)
    there = sum(one.there.ended for one in answers)
    said = f"{there} of {len(answers)} answers end by themselves, and {here} in ZEGA."
    return Check("end", there >= here - 1, said)


def _length(answers: Sequence[Answers]) -> Check:
    here, there = sum(len(a.here.words) for a in answers), sum(len(a.there.words) for a in answers)
    said = f"It wrote {there} words, and {here} in ZEGA"
    if here > LENGTH_FACTOR * there:
        return Check("length", False, f"{said}: less than half as many.")
    if there > LENGTH_FACTOR * here:
        return Check("length", False, f"{said}: more than twice as many.")
    return Check("length", True, f"{said}.")


def _beginning(answers: Sequence[Answers]) -> Check:
    same = sum(alike(one.here, one.there) >= min(SAME_WORDS, len(one.here.words)) for one in answers)
    equal = sum(one.here.words == one.there.words for one in answers)
    said = f"{same} of {len(answers)} answers begin word for word as in ZEGA, and {equal} are the same to their end."
    return Check("beginning", same >= min(SAME_PROMPTS, len(answers)), said)


def _learned(answers: Sequence[Answers]) -> Check:
    """Whether it is the version that answers, and not the base model that it sits on."""
    if all(alike(one.here, one.base) == len(one.base.words) for one in answers):
        said = "Here this version begins as the base model does, so the two cannot be told apart."
        return Check("learned", True, said)
    version = sum(alike(one.there, one.here) for one in answers)
    base = sum(alike(one.there, one.base) for one in answers)
    if version > base:
        said = f"It writes as your version: {version} words alike at the beginning, and {base} with the base model."
        return Check("learned", True, said)
    if base > version:
        said = f"It writes as the base model: {base} words alike at the beginning, and {version} with your version."
    else:
        said = f"It does not write as your version: {version} words alike at the beginning, as with the base model."
    return Check("learned", False, f"{said} Export it again.")


def alike(first: Text, second: Text) -> int:
    """Equal words at the beginning."""
    count = 0
    for one, other in zip(first.words, second.words, strict=False):
        if one != other:
            break
        count += 1
    return count
