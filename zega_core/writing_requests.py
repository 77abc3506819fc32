"""A request in the words of the catalog: what it is about, in which form it is asked for, and what an example of the
answer is filed under."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from zega_core.catalog import Brief, load_catalog
from zega_core.fine_tune.data import bare
from zega_core.providers.free_prompt import guess_genre
from zega_core.quality import QualityReport, score
from zega_core.writing_configs import WriteRequest

SCENE = "scene"


@dataclass(frozen=True, slots=True)
class Form:
    """Prompt, genre and element of an example; the latter are empty where they are not known."""

    prompt: str
    genre: str
    element: str


def subject(wanted: WriteRequest, seed: int = 0) -> str:
    """The brief; where there is none, a prompt of the catalog in the genre that was chosen."""
    if wanted.brief.strip() or wanted.task != "write":
        return wanted.brief.strip()
    catalog = load_catalog()
    prompts = catalog.prompts_of(wanted.genre) if wanted.genre else catalog.prompts
    return Random(seed).choice(prompts).text


def brief_of(wanted: WriteRequest) -> Brief:
    """What is asked for as one of ZEGA's own briefs: what was not chosen is guessed. Raises InvalidInput for an element
    or a style that there is not."""
    catalog, text = load_catalog(), subject(wanted) or wanted.given
    known = next((one for one in catalog.prompts if one.text == text), None)
    modifier = catalog.modifier(wanted.modifier) if wanted.modifier else None
    genre = wanted.genre or (known.genre if known else guess_genre(text, catalog))
    return Brief(text, genre, catalog.element(wanted.element or SCENE), modifier, known)


def has_form(wanted: WriteRequest) -> bool:
    """Whether it is asked for in the words that teachers' pieces are: as soon as a genre or an element was chosen."""
    return wanted.task == "write" and bool(wanted.genre or wanted.element)


def form_of(wanted: WriteRequest, asked: str) -> Form:
    """What an example of a text is filed under, given what was ``asked`` (of ``Context``): from it, training has the
    same words again (``fine_tune.data``)."""
    brief = brief_of(wanted)
    genre, element = (brief.genre, brief.element.key) if has_form(wanted) else (wanted.genre, "")
    return Form(bare(asked), genre, element)


def scored(text: str, asked: str, wanted: WriteRequest) -> QualityReport:
    """How good a text is as an answer to what was ``asked``."""
    form = form_of(wanted, asked)
    return score(text, form.prompt, form.genre, form.element or None)
