"""The measures that the learned part of the score reads: about 110 numbers, none of which grows with the length.

Each is a share, a mean or a logarithm, so that ten thousand words and a hundred are on one scale. What they mean for
the score is in ``data/quality/model.npz``, fitted by ``scripts/fit_quality.py``; the names here are its columns.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt

from zega_core.quality import gates, lexicon
from zega_core.quality.features import (
    FUNCTION_WORDS,
    PADDING,
    TELLING,
    Piece,
    concrete_and_vague,
    moving_ttr,
    repeated_share,
    stem,
    unevenness,
)

Signals = dict[str, float]

_MARKS = {
    "comma": ",",
    "semicolon": ";",
    "colon": ":",
    "dash": "—–",
    "hyphen": "-",
    "question": "?",
    "exclamation": "!",
    "ellipsis": "…",
    "quote": '"',
    "apostrophe": "'",
    "bracket": "()",
    "symbol": "*_#<>",
    "newline": "\n",
    "digit": "0123456789",
}
_VOWEL_RUNS = re.compile(r"[aeiouy]+")
_SIMILE = re.compile(r"\b(?:like an?|as if|as though)\b")
_NOT_ONLY = re.compile(r"\bnot (?:just|only|merely|simply)\b|n't just")
_TRIAD = re.compile(r"\b\w+, \w+(?: \w+)?, and \w+")
_TRAILING = re.compile(r", (?:his|her|their|its|the)? ?\w{0,40}\s?\w{1,40}ing\b")
_TALE_START = re.compile(r"\W*(?:once upon|in (?:a|the) (?:world|heart|small|quiet|bustling|land|town))")
_TALE_END = re.compile(
    r"happily ever|from that day|and so|learned|realized|knew that|would always|forever|never forget"
)
_MORAL = re.compile(r"\b(?:realiz|learn|lesson|remind|taught|importance|power of|true meaning|discover)")
_SPACED = re.compile(r"\s[,.!?;:']")
_UNSPACED = re.compile(r"[a-z][,.!?;:'][A-Za-z]")
_SMALL_I = re.compile(r"\bi\b")
_CLOSED = re.compile(r"[.!?…][\"'”’)\]*_ ]*$")


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def measure(piece: Piece, raw: str) -> Signals:
    """The measures of a piece that need no prompt; ``raw`` is its text as it came, clipped."""
    return {
        **_sentences(piece),
        **_words(piece),
        **_repetition(piece, raw),
        **_vocabulary(piece),
        **_typing(piece, raw),
        **_openings(piece),
        **_continuity(piece),
        **_voice(piece),
        **_figures(piece),
    }


def _sentences(piece: Piece) -> Signals:
    lengths = [len(sentence) for sentence in piece.tokens] or [0]
    average = mean(lengths)
    return {
        "sentence_mean": log(max(1.0, average)),
        "sentence_unevenness": unevenness(lengths),
        "sentence_longest": log(max(1, *lengths)) if len(lengths) > 1 else log(max(1, lengths[0])),
        "sentence_shortest": float(min(lengths)),
        "sentence_short_share": mean([length <= 5 for length in lengths]),
        "sentence_long_share": mean([length >= 30 for length in lengths]),
        "sentence_change": mean([abs(a - b) for a, b in pairwise(lengths)]) / max(1.0, average),
    }


def _factor_length(words: Sequence[str]) -> float:
    factors, seen, count = 0.0, set[str](), 0
    for word in words:
        seen.add(word)
        count += 1
        if len(seen) <= 0.72 * count:
            factors, seen, count = factors + 1, set(), 0
    if count:
        factors += (1 - len(seen) / count) / (1 - 0.72)
    return len(words) / max(factors, 0.5)


def _words(piece: Piece) -> Signals:
    words = piece.words
    total = max(1, len(words))
    lengths = [len(word) for word in words]
    average = mean(lengths)
    content = [word for word in words if word not in FUNCTION_WORDS and len(word) > 2]
    counts = Counter(piece.stems).most_common(3)
    held = max(1, len(content))
    syllables = sum(len(_VOWEL_RUNS.findall(word)) for word in words) / total
    return {
        "variety_25": moving_ttr(words, 25),
        "variety_50": moving_ttr(words, 50),
        "variety_100": moving_ttr(words, 100),
        # MTLD, forwards and backwards (McCarthy & Jarvis 2010).
        "variety_mtld": log((_factor_length(words) + _factor_length(words[::-1])) / 2 + 1),
        "once_only": sum(count == 1 for count in Counter(words[:100]).values()) / min(total, 100),
        "content_share": len(content) / total,
        "content_variety": moving_ttr(content, 50),
        "top_stem": counts[0][1] / held if counts else 0.0,
        "top_three_stems": sum(count for _, count in counts) / held,
        "word_mean": average,
        "word_spread": sqrt(mean([(length - average) ** 2 for length in lengths])),
        "word_long_share": mean([length >= 8 for length in lengths]),
        "syllables": syllables,
        "reading_ease": 206.835 - 1.015 * total / max(1, len(piece.tokens)) - 84.6 * syllables,  # Flesch 1948
    }


def _repetition(piece: Piece, raw: str) -> Signals:
    said = Counter(" ".join(sentence).lower() for sentence in piece.tokens if len(sentence) > 3)
    data = raw.encode("utf-8", "replace")[:4000]
    start = data[:800]
    return {
        **{f"repeated_{size}": repeated_share(piece.words, size) for size in (2, 3, 4, 6)},
        "repeated_sentences": sum(count - 1 for count in said.values()) / max(1, len(piece.tokens)),
        "compressed": len(zlib.compress(data, 6)) / max(1, len(data)),
        "compressed_start": len(zlib.compress(start, 6)) / max(1, len(start)),
    }


def _vocabulary(piece: Piece) -> Signals:
    words, total = piece.words, max(1, len(piece.words))
    concrete, vague = concrete_and_vague(piece)

    def share(group: frozenset[str]) -> float:
        return sum(word in group for word in words) / total

    return {
        "concrete": concrete / total,
        "vague": vague / total,
        "worn": 100 * len(piece.worn) / total,
        "telling": len(TELLING.findall(piece.narration)) / max(1, len(piece.tokens)),
        "padding": share(PADDING),
        "emotion": share(lexicon.EMOTION),
        "connective": share(lexicon.CONNECTIVE),
        "saying": share(lexicon.SAYING),
        "grand": share(lexicon.GRAND),
        "spoken_words": piece.spoken_words / total,
        "spoken_lines": piece.spoken_lines / max(1, len(piece.lines)),
        "paragraph_mean": log(total / max(1, len(piece.lines))),
        "clashes": gates.clashes(piece) / max(1, len(piece.tokens)),
        "odd_words": sum(map(gates.odd_word, words)) / total,
    }


def _typing(piece: Piece, raw: str) -> Signals:
    size = max(1, len(raw))
    found = {f"mark_{name}": min(0.1, sum(map(raw.count, marks)) / size) for name, marks in _MARKS.items()}
    return {
        **found,
        "three_dots": min(0.05, raw.count("...") / size),
        "capitals": sum(map(str.isupper, raw)) / size,
        "spaced_marks": min(0.05, len(_SPACED.findall(raw)) / size),
        "unspaced_marks": min(0.05, len(_UNSPACED.findall(raw)) / size),
        "double_spaces": min(0.05, raw.count("  ") / size),
        "small_starts": mean([sentence[0][0].islower() for sentence in piece.tokens]),
        "small_i": len(_SMALL_I.findall(raw)) / max(1, len(piece.words)),
        "closed": float(bool(_CLOSED.search(raw.rstrip()[-40:]))),
        "odd_quotes": float(raw.count('"') % 2),
    }


def _openings(piece: Piece) -> Signals:
    count = max(1, len(piece.tokens))
    first = [sentence[0].lower() for sentence in piece.tokens]
    two = Counter(tuple(map(str.lower, sentence[:2])) for sentence in piece.tokens)
    firsts = Counter(first)
    return {
        "opening_top": max(firsts.values(), default=0) / count,
        "opening_kinds": len(firsts) / count,
        "opening_pair_top": max(two.values(), default=0) / count,
        "opening_pronoun": mean([word in lexicon.PRONOUN_STARTS for word in first]),
        "opening_ing": mean([word.endswith("ing") for word in first]),
        "opening_scenic": mean([word in lexicon.SCENIC_STARTS for word in first]),
    }


def _continuity(piece: Piece) -> Signals:
    """How much each sentence takes up of the one before, and of all before (given and new; Halliday 1967)."""
    sets = [
        {stem(low) for word in sentence if len(low := word.lower()) > 2 and low not in FUNCTION_WORDS}
        for sentence in piece.tokens
    ]
    shared = [len(a & b) / max(1, min(len(a), len(b))) for a, b in pairwise(sets)]
    seen, given = set[str](), list[float]()
    for stems in sets:
        if stems:
            given.append(len(stems & seen) / len(stems))
        seen |= stems
    names = Counter(
        word
        for sentence in piece.tokens
        for word in sentence[1:]
        if word[0].isupper() and not word.isupper() and word.lower() not in FUNCTION_WORDS
    )
    total = max(1, len(piece.words))
    return {
        "shared_stems": mean(shared),
        "given": mean(given[1:]),
        "given_late": mean(given[-3:]) if len(given) > 3 else mean(given[1:]),
        "all_new": mean([share == 0 for share in given[1:]]),
        "names": sum(names.values()) / total,
        "name_kinds": 10 * len(names) / total,
        "name_top": max(names.values(), default=0) / max(1, sum(names.values())),
    }


def _voice(piece: Piece) -> Signals:
    words, total = piece.words, max(1, len(piece.words))
    groups = (lexicon.FIRST, lexicon.SECOND, lexicon.HE, lexicon.SHE, lexicon.THEY)
    counts = [sum(word in group for word in words) for group in groups]
    all_of_them = max(1, sum(counts) + sum(word in lexicon.IT for word in words))
    past = sum(word.endswith("ed") or word in lexicon.PAST for word in words) / total
    present = sum(word in lexicon.PRESENT for word in words) / total
    return {
        "person_steady": max(counts) / all_of_them,
        "person_first": counts[0] / all_of_them,
        "person_second": counts[1] / all_of_them,
        "person_third": (counts[2] + counts[3]) / all_of_them,
        "past": past,
        "present": present,
        "tense_mixed": min(past, 2 * present),
    }


def _figures(piece: Piece) -> Signals:
    low, count = piece.text.lower(), max(1, len(piece.tokens))
    return {
        "simile": len(_SIMILE.findall(low)) / count,
        "not_only": len(_NOT_ONLY.findall(low)) / count,
        "triad": len(_TRIAD.findall(piece.text)) / count,
        "trailing_ing": len(_TRAILING.findall(piece.text)) / count,
        "tale_start": float(bool(_TALE_START.match(low))),
        "tale_end": float(bool(_TALE_END.search(low[-250:]))),
        "moral": len(_MORAL.findall(low)) / count,
    }


def answers(piece: Piece, prompt: Piece) -> Signals:
    """How a piece takes up the words of its prompt; all 0 where there is no prompt."""
    asked, words = set(prompt.stems), piece.words
    many, held = max(1, len(asked)), max(1, len(piece.stems))
    runs = set(zip(prompt.words, prompt.words[1:], prompt.words[2:], strict=False))
    own = set(zip(words, words[1:], words[2:], strict=False))
    return {
        "asked": float(bool(prompt.words)),
        "asked_found": len(asked & set(piece.stems)) / many,
        "asked_density": sum(one in asked for one in piece.stems) / held,
        "asked_early": len(asked & {stem(word) for word in words[:60]}) / many,
        "asked_late": len(asked & {stem(word) for word in words[-60:]}) / many,
        "asked_copied": len(runs & own) / max(1, len(prompt.words)),
    }
