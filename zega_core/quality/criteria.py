"""The six sides of a piece by rule: what a writer can see in it, with the reasons in plain words.

Each is a handful of counts read off curves set by hand, with ordinary published fiction in their upper middle. Length
counts only as a band around what was asked: inside it, longer is not better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from zega_core.quality import gates
from zega_core.quality.asked import Asked, Wanted
from zega_core.quality.features import (
    FUNCTION_WORDS,
    PADDING,
    TELLING,
    Piece,
    concrete_and_vague,
    moving_ttr,
    repeated_share,
    stem,
    touched,
    unevenness,
    word_set,
    words_of,
)
from zega_core.quality.lexicon import PAST, PRESENT
from zega_core.quality.words import load_words, nearest

# The wording of the task: no word of it says what the piece is about.
_TASK_WORDS = word_set(
    """write scene describe description setting character sketch dialogue line lines word words spoken story piece
    passage paragraph paragraphs about between two three people person someone vivid detail details reader let smell
    hear touch feels feel build tension mood heavy atmosphere plain short sentences sentence dry humour striking image
    moving happen happens leave unsaid important small exact large stay close genre style prompt include first third
    which whose make keep"""
)
_NEAR = 0.55  # a piece that comes nearer than this to three words of its prompt may be about them
_FAR, _FAR_FROM = 0.45, 80  # and one of so many words that comes no nearer than this is not
_LABELS = {
    "coherence": "Holds together",
    "craft": "Craft",
    "variety": "Choice of words",
    "imagery": "Images",
    "relevance": "Follows the prompt",
    "fit": "Length and form",
}
_SOMEBODY = word_set("i he she we him her his my our me us")
_JUDGED_FROM = 120  # words; a shorter piece may answer a prompt without any of its words


NOTHING_AGAINST = "Nothing in it works against the rest."


@dataclass(frozen=True, slots=True)
class Criterion:
    """One side of the quality, 0..10, with reasons in a writer's words."""

    name: str
    label: str
    score: float
    reasons: tuple[str, ...]


def by_rule(piece: Piece, asked: Asked) -> tuple[Criterion, ...]:
    """All six, in the order of their names' first mention to the writer."""
    return tuple(rate(piece, asked) for rate in _RATES)


def asked_for(prompt: Piece, element: Wanted) -> Asked:
    """What a prompt asks for: its content words by their stems, without the wording of the task."""
    content = [w for w in prompt.words if len(w) > 2 and w not in FUNCTION_WORDS and w not in _TASK_WORDS]
    names: dict[str, str] = {}
    for word in content:
        names.setdefault(stem(word), word)
    return Asked(prompt.words, names, element)


def _curve(x: float, *points: tuple[float, float]) -> float:
    """Straight lines between the points; flat outside them."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


def _criterion(name: str, value: float, reasons: Sequence[str]) -> Criterion:
    return Criterion(name, _LABELS[name], round(min(10.0, max(0.0, value)), 1), tuple(reasons))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(words: Sequence[str]) -> str:
    """Words of the text in a reason: only letters ever reach it, and not many."""
    return ", ".join(f"'{word[:24]}'" for word in words[:4])


def _relevance(piece: Piece, asked: Asked) -> Criterion:
    """Which content words of the prompt return, themselves or through two words of their field."""
    wanted = tuple(asked.names)
    if not wanted:
        return _criterion("relevance", 7.5, ["The prompt names nothing to look for."])
    direct, near = touched(wanted, piece)
    hits = len(direct) + 0.5 * len(near)
    value = max(
        _curve(hits / len(wanted), (0, 0.5), (0.1, 4.5), (0.25, 7.2), (0.5, 8.6), (0.8, 9.5)),
        _curve(hits, (0, 0.5), (1, 5), (2, 7), (4, 8.4), (7, 9.3)),
    )
    if not direct:
        value = min(value, 6 if len(near) > 1 else 3.5)
    if not hits:  # the less it tells, the less its missing words can be held against it
        value = _curve(_told(piece), (0, 0), (50, 4.5), (_JUDGED_FROM, 0.5))
        if nearest(tuple(asked.names.values()), piece, load_words()) < _NEAR:
            value = min(value, 3.4)
    reasons = [f"It takes up {len(direct)} of the {_count(len(wanted), 'thing')} the prompt names."]
    missing = [one for one in wanted if one not in direct and one not in near]
    if missing and len(direct) * 2 < len(wanted):
        reasons.append("Nothing in it recalls " + _shown([asked.names[one] for one in missing]) + ".")
    return _criterion("relevance", value, reasons)


def _fit(piece: Piece, asked: Asked) -> Criterion:
    """The length as a band, and whether a dialogue is one and a description is not."""
    element, words, lines = asked.element, len(piece.words), piece.spoken_lines
    if not element.key:
        return _criterion("fit", 9.0, [f"It is {_count(words, 'word')} long; no length was set."])
    spoken = piece.spoken_words / max(1, words)
    bound = f"{element.min_words} to {element.max_words} were asked for"
    value, reasons = 9.0, [f"It is {_count(words, 'word')} long; {bound}."]
    if words < element.min_words:
        value = _curve(words / element.min_words, (0.2, 0), (0.5, 3), (0.7, 5.5), (0.85, 7.5), (1, 9))
    elif words > element.max_words:
        value = _curve(words / max(1, element.max_words), (1, 9), (1.2, 7.5), (1.5, 5), (2, 2.5), (3, 0))
    if element.max_lines:
        off = max(element.min_lines - lines, lines - element.max_lines, 0)
        value -= min(8.0, 1.3 * off) + _curve(spoken, (0.2, 4), (0.45, 0))
        reasons.append(
            f"It has {_count(lines, 'spoken line')}; {element.min_lines} to {element.max_lines} were asked for."
        )
    elif element.key in ("setting", "character") and spoken > 0.3:
        value -= _curve(spoken, (0.3, 0), (0.7, 5))
        reasons.append(f"Much of it is talk: {piece.spoken_words} of {words} words are spoken.")
    return _criterion("fit", value, reasons)


def _coherence(piece: Piece, asked: Asked) -> Criterion:
    """Whether the sentences hold together: order, tense, repeated runs, invented spellings."""
    reasons: list[str] = []
    words, value = len(piece.words), 8.8
    repeated = repeated_share(piece.words)
    if repeated > 0.03:
        value -= _curve(repeated, (0.03, 0.2), (0.08, 1.6), (0.15, 4), (0.25, 7))
        reasons.append(f"{round(repeated * 100)} of every 100 runs of three words had been there before.")
    if clashes := gates.clashes(piece):
        value -= _curve(clashes, (0, 0), (1, 0.9), (2, 3.5), (4, 6))
        reasons.append("Some words stand where English does not put them.")
    told = words_of(piece.narration) if '"' in piece.text else piece.words
    past, present = (sum(word in group for word in told) for group in (PAST, PRESENT))
    if min(past, present) >= 3 and 4 * min(past, present) > past + present:
        value -= 1.2
        reasons.append("The telling moves between past and present.")
    if odd := sorted({word for word in piece.words if gates.odd_word(word)}):
        value -= min(2.0, 0.3 * len(odd))
        reasons.append("Words that look misspelt: " + _shown(odd) + ".")
    function = sum(word in FUNCTION_WORDS for word in piece.words) / max(1, words)
    if function < 0.4:
        value -= _curve(function, (0.2, 5), (0.32, 1.5), (0.4, 0))
        reasons.append("It leans towards a list: few small words join the large ones.")
    return _criterion("coherence", value if words else 0, reasons or [NOTHING_AGAINST])


def _variety(piece: Piece, asked: Asked) -> Criterion:
    """Moving-average type-token ratio, padding, and how the sentences begin."""
    words, count = piece.words, len(piece.tokens)
    window = min(50, len(words))
    ratio = moving_ttr(words, window)
    talk = 0.04 * piece.spoken_words / max(1, len(words))  # speech repeats small words more
    value = _curve(ratio + talk, (0.5, 0.5), (0.65, 4), (0.72, 6), (0.78, 7.3), (0.83, 8.4), (0.9, 9.5))
    reasons = [f"Of any {window} words in a row, about {round(ratio * window)} are different ones."]
    opening, often = Counter(s[0].lower() for s in piece.tokens).most_common(1)[0] if count else ("", 0)
    if count >= 5 and often * 5 > 2 * count and (often * 5 > 3 * count or not _deliberate(piece)):
        value -= _curve(often / count, (0.4, 0.5), (0.6, 2), (1, 4))
        reasons.append(f"{often} of {count} sentences begin with {_shown([opening.capitalize()])}.")
    padding = sum(word in PADDING for word in words)
    if padding * 30 > len(words):
        value -= min(4.0, 60 * padding / len(words))
        reasons.append(f"{padding} words such as 'very' and 'really' add nothing.")
    return _criterion("variety", value, reasons)


def _deliberate(piece: Piece) -> bool:
    """Anaphora: three sentences in a row begin with the same two words, and not all of them do."""
    starts = [tuple(map(str.lower, s[:2])) for s in piece.tokens]
    runs = sum(a == b == c for a, b, c in zip(starts, starts[1:], starts[2:], strict=False))
    return 0 < runs <= 3 and len(set(starts)) >= 4


def _craft(piece: Piece, asked: Asked) -> Criterion:
    """Unevenness of the sentence lengths; readers of craft prefer it to an even measure."""
    lengths = [len(sentence) for sentence in piece.tokens]
    if not lengths:
        return _criterion("craft", 0, ["There is no sentence to hear."])
    mean = sum(lengths) / len(lengths)
    value = _curve(
        unevenness(lengths), (0, 2), (0.2, 5), (0.3, 6.2), (0.42, 7.3), (0.55, 8.2), (0.75, 9.2), (1.1, 9.2), (1.5, 8)
    )
    value -= _curve(mean, (28, 0), (45, 2.5)) + _curve(mean, (3, 2), (5, 0))
    run = f"from {min(lengths)} to {max(lengths)} words, {round(mean)} on average"
    reasons = [f"Its sentences run {run}."]
    if len(lengths) > 2 and unevenness(lengths) < 0.3:
        reasons = [f"Its sentences are nearly all of one length, {run}."]
    return _criterion("craft", value, reasons)


def _imagery(piece: Piece, asked: Asked) -> Criterion:
    """Words for what can be seen, heard and touched, against ideas, worn phrases, named feelings."""
    words = max(1, len(piece.words))
    concrete, vague = concrete_and_vague(piece)
    shift = 4 * piece.spoken_words / words  # talk shows less and need not show more
    value = _curve(100 * concrete / words + shift, (0, 2), (4, 5.2), (8, 6.9), (13, 8.2), (18, 9), (28, 9.6), (40, 7))
    value -= _curve(100 * vague / words, (2, 0), (10, 2.5))
    reasons = [f"{concrete} of {_count(len(piece.words), 'word')} name what can be seen, heard or touched."]
    if vague > concrete / 2:
        reasons.append(f"Words for ideas alone: {vague}.")
    if piece.worn:
        value -= min(5.0, 1.1 * len(piece.worn) - 0.4)
        reasons.append("Worn phrases: " + _shown(sorted(set(piece.worn))) + ".")
    if (told := len(TELLING.findall(piece.narration))) >= 2:
        value -= min(4.0, 0.6 * told)
        reasons.append(f"{told} times it names a feeling or a judgement instead of showing it.")
    return _criterion("imagery", value, reasons)


def _told(piece: Piece) -> float:
    """Words that could have named what the prompt names; talk names half as much."""
    return len(piece.words) - piece.spoken_words / 2


def off_topic(piece: Piece, asked: Asked, heard: float) -> gates.Gate | None:
    """Nothing of the prompt, and nothing near it, in a piece long enough to hold it or in one that tells of nobody.
    ``heard``, 0..1, is how far a judge who knew the prompt has spoken already."""
    if len(asked.names) < 4:
        return None
    wanted, told = tuple(asked.names.values()), _told(piece)
    direct, near = touched(tuple(asked.names), piece)
    if direct or len(near) > 1:
        return None
    far = told >= _FAR_FROM and nearest(wanted, piece, load_words()) < _FAR
    if near and not far:
        return None
    tells_of_nobody = asked.element.key not in ("", "setting") and not _SOMEBODY.intersection(piece.words)
    if not far and ((told < _JUDGED_FROM and not tells_of_nobody) or nearest(wanted, piece, load_words()) > _NEAR):
        return None
    return gates.Gate(2.4 + 4 * max(0.0, 2 * heard - 1), "Nothing the prompt asks for is in it.")


_RATES: Sequence[Callable[[Piece, Asked], Criterion]] = (*(_coherence, _craft, _variety, _imagery, _relevance, _fit),)
