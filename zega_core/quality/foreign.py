"""What is no answer to the request at all: the task declined, or another language than the one asked in.

The gates cap a score by these rules; a teacher's answer that breaks them is asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from zega_core.quality.features import FUNCTION_WORDS, Piece, read, word_set

_OTHER_LETTERS = 8
"""A request with more letters than these outside the Latin ones is not taken for English."""
_SHORT = 60
"""Words up to which a text that begins with an apology is only that."""


def flags(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


TASK = r"(?:scene|story|dialogue|piece|passage|description|character|setting|sketch|draft|version)"
_REFUSAL = flags(
    r"\b(?:i can'?t|i cannot|i can not|i'm unable to|i am unable to|i won't|i'm not able to|i am not able to)"
    r"\s+(?:help (?:you )?with|assist|create|write|generate|provide|produce|fulfil|comply|engage|complete|do that)"
    r"|\bas an? (?:ai|artificial intelligence) (?:model|assistant)\b|\blanguage model\b|\bgeneral tips\b"
    r"|\boutside (?:of )?what i (?:can|am able)|\bmy guidelines (?:do|don't|prevent|forbid)"
    r"|\b(?:rephrase|reword|rephrasing|rewording) your (?:prompt|request)|\bi appreciate (?:the|your) request\b"
    r"|\bsince i am (?:a |an )?(?:computer program|ai|language)\b"
    r"|\bi don't have (?:personal|the ability)|\bi(?:'m| am) sorry,? but (?:this|that|your) (?:request|prompt)\b"
)
_REQUEST = flags(rf"\b(?:request|content|guidelines|policy|topic|language model|(?:write|create) (?:\w+ )?{TASK})")
_APOLOGY = flags(  # too common in fiction for a gate; only a short text that opens with it is judged by it
    r"\bi(?: must|(?:'ll| will)? have to) (?:\w+ )?decline\b|\b(?:against|within|violates?) (?:my|our|the) (?:\w+ )?"
    r"(?:guidelines|policy|policies|programming|principles)|\bi(?:'m| am) not comfortable (?:with )?(?:\w+ )?"
    r"(?:writing|creating|generating|depicting|this|that)|\bi(?:'d| would) (?:rather|prefer) not (?:to )?"
    r"(?:write|create|depict|generate)|\bi(?:'m| am) (?:\w+ )?sorry,? (?:but )?i (?:can'?t|cannot|won't|am unable)"
    r"|\bi apologi[sz]e,? but i (?:can'?t|cannot|won't|am)|\bi(?:'m| am) (?:designed|programmed) to\b"
)
_FOREIGN = word_set(
    """el la los las que de un una por para con su del y en der die das und ist nicht ein eine mit auf dem den le les
    des est une dans pas pour qui elle et sur avec di che non della il per sono ich sie es zu von je tu nous vous il
    ils au aux du como pero era och att det som är jag og ikke het een van niet nie się jest to na ja"""
) - {"die", "to", "es", "van", "den", "non", "per"}


_ENGLISH_TOO = word_set("son on me no a i en or he la le de du von jag och na ja")


_read = lru_cache(maxsize=8)(read)  # both questions below are usually asked about one text


def refuses(piece: Piece) -> bool:
    """Whether words outside quotes turn the task down: early in the text, or in one that holds little else."""
    outside = piece.narration
    hit = _REFUSAL.search(outside)
    return bool(hit and (len(piece.words) < 40 or (hit.start() < 200 and _REQUEST.search(outside))))


def foreign_sentence(words: Sequence[str]) -> bool:
    """Whether a sentence (words in lower case) leans on the small words of another language."""
    foreign = sum(word in _FOREIGN for word in words)
    return len(words) > 4 and foreign >= 2 and foreign > sum(word in FUNCTION_WORDS for word in words)


def foreign_words(piece: Piece) -> int:
    """How many of its words are small words of another language and no words of English."""
    return sum(word in _FOREIGN and word not in _ENGLISH_TOO for word in piece.words)


def not_english(piece: Piece) -> bool:
    """Whether this is certainly not English: other letters, or another language's small words."""
    letters = sum(map(str.isalpha, piece.text))
    if letters and 4 * _other_letters(piece.text) > letters:
        return True
    english, foreign = _small_words(piece)
    return len(piece.words) >= 8 and foreign > max(2, english)


def declines(text: str) -> bool:
    """Whether the text turns the task down instead of answering it. Any string is accepted."""
    piece = _read(text)
    if refuses(piece):
        return True
    short = len(piece.words) < _SHORT and not piece.spoken_lines
    return bool(short and _APOLOGY.search(piece.narration[:200]))


def in_another_language(text: str, asked: str) -> bool:
    """Whether ``asked`` is certainly English and ``text`` certainly is not. Any strings are accepted.

    A request in another language, or with a part in one, says nothing about the answer: False.
    """
    piece = _read(text)
    return not_english(piece) and _asked_in_english(_read(asked))


def _asked_in_english(piece: Piece) -> bool:
    english, foreign = _small_words(piece)
    mixed = any(foreign_sentence([word.lower() for word in sentence]) for sentence in piece.tokens)
    return english > foreign and not mixed and _other_letters(piece.text) <= _OTHER_LETTERS


def _other_letters(text: str) -> int:
    return sum(1 for c in text if c > "\u024f" and c.isalpha())


def _small_words(piece: Piece) -> tuple[int, int]:
    """How many words are small words of English, and how many of another language."""
    return sum(word in FUNCTION_WORDS for word in piece.words), sum(word in _FOREIGN for word in piece.words)
