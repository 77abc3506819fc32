"""Turning sentences with slots into clean English: what the slots stand for, articles, capitals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from zega_core.catalog import PLACE, Prompt
from zega_core.providers.grammar import Grammar

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"\{hero(?:_full)?\}('s)?")
_SPACES = re.compile(r"[ \t]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# A sentence starts at the start of a paragraph, after a full stop, and where a quotation opens.
_START = re.compile(r'(?:^|(?<=\n)|(?<=[.!?…] )|(?<=[.!?…]" )|(?<=[:.] )(?="))("?)([a-z])')
_TAG = re.compile(
    r"(?:[a-z]+ )?(?:asked|said|called|cried|shouted|whispered|answered|repeated|wanted to know|demanded)\b"
)

# Not before a pronoun: "don't you" has no longer form that anybody says.
_NOT = re.compile(r"\b([A-Za-z]+)n't\b(?! (?:I|you|he|she|it|we|they|there|that)\b)")
_SHORT = re.compile(r"\b(I|[Yy]ou|[Ww]e|[Tt]hey)'(m|ve|ll|re)\b")
_LONG = {"m": "am", "ve": "have", "ll": "will", "re": "are", "ca": "can", "wo": "will", "sha": "shall"}

_SILENT_H = re.compile(r"(?:hour|honest|honou?r|heir)")
_SOUNDS_LIKE_YOU = re.compile(
    r"uni(?:on|ty|t\b|ts|te|que|corn|form|vers|cyc|sex|son|lat|fi)|unan|eu|ewe|use|usu|uten|util|utop|uku|ukr|uran|uri|ubi"
    r"|once|one(?![a-z])|ouija"
)
_VOWEL_NUMBERS = re.compile(r"8|1[18](?!\d)")
_LETTER_NAMES = re.compile(r"[AEFHILMNORSX](?:[A-Z0-9]+\b|-)")

_PRONOUNS = {"she": ("she", "her", "her", "hers", "herself"), "he": ("he", "him", "his", "his", "himself")}
_CASES = ("they", "them", "their", "theirs", "themself")


def article(words: str) -> str:
    """``words`` with a or an before them, by sound."""
    if words[:1].isdigit():
        return f"{'an' if _VOWEL_NUMBERS.match(words) else 'a'} {words}"
    if words[:2].isupper() or words[1:2] == "-":
        return f"{'an' if _LETTER_NAMES.match(words[:1].upper() + words[1:]) else 'a'} {words}"
    lower = words.lower()
    vowel = bool(_SILENT_H.match(lower)) or (lower[:1] in "aeiou" and not _SOUNDS_LIKE_YOU.match(lower))
    return f"{'an' if vowel else 'a'} {words}"


def fill(sentence: str, slots: Mapping[str, str], draw: Random) -> str:
    """One alternative of each ``[a|b]`` and the value of each ``{slot}``."""
    if "[" in sentence:
        sentence = _CHOICE.sub(lambda found: draw.choice(found[1].split("|")), sentence)
    return _SLOT.sub(lambda found: slots[found[1]], sentence)


def formal(line: str) -> str:
    """The words of somebody who does not say "I'm" or "don't"."""
    line = _SHORT.sub(lambda found: f"{found[1]} {_LONG[found[2]]}", line)
    return _NOT.sub(_not, line)


def introduced(hook: str, calling: str, draw: Random) -> str:
    """A first sentence, mostly with the hero's calling beside the name if it does not tell it."""
    name = _NAME.search(hook)
    if name is None or calling in hook.lower() or "figure}" in hook or draw.random() < 0.25:
        return hook
    start, end = name.span()
    if not name[1] and (draw.random() < 0.5 or hook[:start].endswith('" ')):
        return f"{hook[:end]}, the {{figure}}{'' if hook[end] in '.,;:?!' else ','}{hook[end:]}"
    return f"{hook[:start]}the {{figure}} {hook[start:]}"


def referring(sentence: str, before: str, named: set[str]) -> str:
    """A pronoun for a name that the sentence before has, too; a name for a pronoun without one."""
    for name, prefix in (("hero", ""), ("other", "o_")):
        if f"{{{name}}}" in sentence or f"{{{name}_full}}" in sentence:
            named.add(name)
        elif name not in named and f"{{{prefix}the" in sentence:
            sentence = re.sub(r"\{" + prefix + r"(?:they|them)\}", f"{{{name}}}", sentence, count=1)
            if f"{{{name}}}" not in sentence:
                sentence = sentence.replace(f"{{{prefix}their}}", f"{{{name}}}'s", 1)
            named.add(name)
    if "{hero" in before:
        for name, pronoun in (("{hero} ", "{they} "), ("{hero}'s ", "{their} ")):
            if sentence.startswith(name):
                return pronoun + sentence[len(name) :]
    return sentence


def tidy(text: str) -> str:
    """Single spaces, and a capital wherever a sentence begins."""
    text = _SPACES.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n").strip()
    return _START.sub(lambda found: _capital(text, found), text)


def words_of(text: str) -> list[str]:
    """The words in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def first_sentence(line: str) -> tuple[str, str]:
    """The first sentence, and what follows it."""
    found = re.fullmatch(r"(.+?[.?!])(?:\s+(.*))?", line, re.DOTALL)
    return (found[1], found[2] or "") if found else (line, "")


def first_words(text: str, limit: int) -> str:
    """The text up to the end of its word number ``limit``."""
    ends = [found.end() for found in re.finditer(r"\S+", text)]
    return text if len(ends) <= limit else text[: ends[limit - 1] if limit else 0]


def head_noun(phrase: str) -> str:
    """The noun that a phrase such as "the ledger of tides" or "tide ledger" turns on."""
    words = words_of(re.split(r" (?:of|with|from|for|in|on|at|to) ", phrase, maxsplit=1)[0])
    return words[-1] if words else ""


def _not(found: re.Match[str]) -> str:
    verb = found[1]
    whole = _LONG.get(verb.lower(), verb.lower())
    whole = whole.capitalize() if verb[0].isupper() else whole
    return "ain't" if verb.lower() == "ai" else f"{whole}not" if whole.lower() == "can" else f"{whole} not"


def _capital(text: str, found: re.Match[str]) -> str:
    quoted_before = text[max(found.start() - 2, 0) : found.start()] == '" '
    if quoted_before and not found[1] and text[found.start() - 3] in "?!" and _TAG.match(text, found.start(2)):
        return found[0]
    return found[1] + found[2].upper()


def slots_for(prompt: Prompt, grammar: Grammar, draw: Random, avoid: Sequence[str] = ()) -> dict[str, str]:
    """What the slots of one piece stand for. Names to ``avoid`` are taken only where the genre has no others."""
    names = {key: [one for one in all_ if one not in avoid] or list(all_) for key, all_ in grammar.names.items()}
    gender = prompt.gender if prompt.gender in _PRONOUNS else draw.choice(["she", "he"])
    opposite = "he" if gender == "she" else "she"
    hero = draw.choice(names[gender])
    other = draw.choice(
        [name for name in names[opposite] if name[0] != hero[0]]
        or [name for name in grammar.names[opposite] if name[0] != hero[0]]
    )
    figure = _bare(prompt.figure) or draw.choice(grammar.defaults["figure"])
    place = _located(prompt.place or draw.choice(grammar.defaults["place"]))
    taken = {*words_of(figure), *words_of(place[1])}
    things = [thing for thing in grammar.defaults["object"] if not taken & set(words_of(thing))]
    thing = _bare(prompt.object) or draw.choice(things or grammar.defaults["object"])
    roles = [role for role in grammar.defaults["other_role"] if not taken & set(words_of(role))]
    role = draw.choice(roles or grammar.defaults["other_role"])
    slots = {
        "hero": hero,
        "hero_full": f"{hero} {draw.choice(names['surname'])}",
        "other": other,
        "place": place[1],
        "at_place": f"{place[0]} {place[1]}",
    }
    for name, noun in (("figure", figure), ("object", thing), ("other_role", role)):
        slots |= {name: noun, f"{'an' if name != 'figure' else 'a'}_{name}": article(noun)}
    slots |= dict(zip(_CASES, _PRONOUNS[gender], strict=True))
    slots |= {f"o_{case}": word for case, word in zip(_CASES, _PRONOUNS[opposite], strict=True)}
    for key, values in grammar.words.items():
        slots[key], slots[f"{key}2"] = draw.sample(values, 2)
    return slots


def _bare(noun: str) -> str:
    """A noun as given by any caller, without article, markup or slots."""
    return re.sub(r"^(?:the|an?) ", "", " ".join(re.findall(r"[\w'’-]+", noun)), flags=re.IGNORECASE)


def _located(place: str) -> tuple[str, str]:
    """Preposition and noun phrase, whatever of them was given."""
    place = " ".join(re.findall(r"[\w'’-]+", place))
    found = PLACE.fullmatch(place)
    if found:
        return found[1].strip(), found[2]
    return "at", place if re.match(r"(?i)(?:the|an?) ", place) else f"the {place}"
