"""Features of style in natural units, from counts of one or many sets of texts at once."""

from __future__ import annotations

import numpy as np

from zega_core.style.counting import COUNTED, MARKS, PLACE, Floats

MOST_MTLD = 500.0
"""Texts too short to repeat a word would have no end of variety."""

FEATURES = (
    *("sentence_length", "sentence_spread", "short_sentences", "long_sentences", "dialogue", "paragraph_length"),
    *("variety", "first_person", "second_person", "third_person", "past_tense", "adverbs", "worn", *MARKS),
    *("pauses", "outbursts"),
)
"""Keys of ``Fingerprint.values``. Lengths are in words (the spread is the standard deviation of sentence lengths),
``variety`` is MTLD; ``short_sentences`` (6 words at most), ``long_sentences`` (30 at least), ``dialogue`` (of all
words), the three persons (of all personal pronouns but "it" outside speech) and ``past_tense`` (of past and present
outside speech) are shares, 0 to 1; the rest is per 1,000 words. ``pauses`` are commas, semicolons, colons and dashes,
``outbursts`` exclamation and question marks."""


def natural(numbers: Floats) -> Floats:
    """Features and rates of function words in natural units, shape ``(rows, features + function words)``; NaN where
    there was nothing to measure by."""
    of = {name: numbers[:, PLACE[name]] for name in COUNTED}
    words, sentences = of["words"], of["sentences"]
    mean = _over(words, sentences)
    persons, tenses = of["first"] + of["second"] + of["third"], of["past"] + of["present"]
    least = words / MOST_MTLD
    mtld = [_over(words, np.maximum(of[name], least)) for name in ("factors_forward", "factors_backward")]
    pauses = of["commas"] + of["semicolons"] + of["colons"] + of["dashes"]
    found = {
        "sentence_length": mean,
        "sentence_spread": np.sqrt(np.maximum(0.0, _over(of["sentence_squares"], sentences) - mean**2)),
        "short_sentences": _over(of["short_sentences"], sentences),
        "long_sentences": _over(of["long_sentences"], sentences),
        "dialogue": _over(of["spoken"], words),
        "paragraph_length": _over(words, of["paragraphs"]),
        "variety": (mtld[0] + mtld[1]) / 2,
        "first_person": _over(of["first"], persons),
        "second_person": _over(of["second"], persons),
        "third_person": _over(of["third"], persons),
        "past_tense": _over(of["past"], tenses),
        "pauses": 1000 * _over(pauses, words),
        "outbursts": 1000 * _over(of["exclamations"] + of["questions"], words),
        **{name: 1000 * _over(of[name], words) for name in ("adverbs", "worn", *MARKS)},
    }
    rates = 1000 * _over(numbers[:, len(COUNTED) :], words[:, None])
    return np.concatenate((np.stack([found[name] for name in FEATURES], axis=1), rates), axis=1)


def _over(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full(np.broadcast_shapes(above.shape, below.shape), np.nan), where=below > 0)
