"""Who tells a text and in which tense, from what stands outside quotation marks; by rules, without a tagger.

Tense is told by forms that are clear by themselves (was, is), by the word after a pronoun (she walks, he turned), and
by nothing else. That misses most verbs and hardly mistakes any, which is enough for a share.
"""

from __future__ import annotations

import re
from functools import lru_cache

from zega_core.quality import lexicon
from zega_core.quality.features import word_set

TOLD: tuple[str, ...] = ("first", "second", "third", "past", "present")

_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]")
_WE = word_set("we us our ours ourselves we're we'd we'll we've")
_FIRST = lexicon.FIRST | _WE
_THIRD = (lexicon.HE | lexicon.SHE | lexicon.THEY) - _WE
_PERSON = {
    **dict.fromkeys(_FIRST, "first"),
    **dict.fromkeys(lexicon.SECOND, "second"),
    **dict.fromkeys(_THIRD, "third"),
}
_SINGULAR, _OTHER = word_set("he she it"), word_set("i you we they")
_BETWEEN = word_set("never always still just only then also now often almost even soon both all again not")
_PAST = word_set(
    """was were had did wasn't weren't hadn't didn't went came said saw knew thought took gave made got found told felt
    left heard stood sat ran began kept held brought wrote spoke rose fell threw drew grew broke woke swore wore tore
    bore shook forgot chose drove rode froze stole sang rang drank sank swam sprang shrank caught bought taught fought
    sought led fed fled met lost meant slept crept swept wept dealt dreamt leant knelt bent sent spent lent built hung
    dug stuck struck swung clung flung stung spun won shone shot slid hid bit lit paid laid lay heard sold ate became
    understood flew blew"""
)
_PRESENT = word_set(
    """is are am has does isn't aren't hasn't doesn't don't i'm you're we're they're he's she's it's goes says"""
)
_AFTER_OTHER = word_set(
    """have do go say see know think take give make get find tell feel leave hear stand sit begin keep hold bring write
    speak rise fall throw draw grow break wake want look walk turn try ask need seem talk wait watch open close step
    reach pull push nod smile laugh whisper listen remember believe hope wonder love hate live work stop start follow
    move drive lie stare breathe shake eat drink sleep pass count touch lift wish mean understand call climb cross carry
    close press lean swallow glance grab shut pick drop notice realise realize imagine suppose guess promise"""
)
_MISLEADING = word_set("this his hers its yours ours theirs always perhaps sometimes besides towards yes alas")


@lru_cache(maxsize=20_000)
def _alone(word: str) -> str:
    """The tense that a word shows wherever it stands; empty for most."""
    if word in lexicon.PAST or word in ("wasn't", "weren't", "hadn't", "didn't"):
        return "past"
    return "present" if word in _PRESENT else ""


@lru_cache(maxsize=20_000)
def _after(word: str, singular: bool) -> str:
    """The tense that a word shows right after a pronoun that can only be a subject or stands like one."""
    if word in _PAST or (word.endswith("ed") and len(word) > 4):
        return "past"
    if singular:
        verb = word.endswith("s") and not word.endswith(("ss", "us")) and len(word) > 3 and "'" not in word
        return "present" if verb and word not in _MISLEADING else ""
    return "present" if word in _AFTER_OTHER else ""


def narration(text: str) -> dict[str, int]:
    """Counts by ``TOLD``: personal pronouns of three persons, verb forms of two tenses. ``text`` has plain
    apostrophes and no speech; whatever stands for a speech must be a mark, so that no pronoun reaches over it."""
    found: dict[str, int] = dict.fromkeys(TOLD, 0)
    subject = ""
    for token in _TOKEN.findall(text.lower()):
        if person := _PERSON.get(token):
            found[person] += 1
        tense = _alone(token)
        if not tense and subject:
            tense = _after(token[:60], subject in _SINGULAR)
        if tense:
            found[tense] += 1
        if token in _SINGULAR or token in _OTHER:
            subject = token
        elif not (token in _BETWEEN or token.endswith("ly")):
            subject = ""
    return found
