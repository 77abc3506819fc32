"""What is not a piece at all, or is one with something in it that must not be learned from.

Each gate is a plain rule that names what it saw. It caps the score: near 0 for what is no piece,
around 3 for a broken one, around 5 or 6 for a good one with foreign matter in it. What a figure in
a story says stands between quotes and is never held against the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from zega_core.quality import intruders
from zega_core.quality.asked import Asked
from zega_core.quality.features import FUNCTION_WORDS, Piece, repeated_share, word_set
from zega_core.quality.foreign import flags, foreign_sentence, foreign_words, not_english, refuses
from zega_core.quality.lexicon import IDIOM
from zega_core.quality.words import load_words

BELOW_KEPT = 6.9
"""A piece with a flaw is never kept by the score alone."""


@dataclass(frozen=True, slots=True)
class Gate:
    """``cap`` is the most that is left of the score, 0..10. With ``less`` it is a flaw in a piece: that much is taken
    away, and the order of pieces stays."""

    cap: float
    reason: str
    less: float = 0.0


_OUTLINE = flags(
    r"^\W{0,4}(?:outline|synopsis|plot points?|logline|summary|beats?|act (?:one|two|three|[iv123]+)|twist"
    r"|setting|characters?|conflict|resolution|introduction|theme|tone|genre|ending|backstory)\W{0,3}:?\W{0,3}$"
    r"|^\W{0,4}(?:outline|synopsis|logline|summary|twist|conflict|resolution|theme|tone|backstory)\W{0,3}:"
)
_BULLET = re.compile(r"\s*(?:[-*•+]|\d{1,2}[.)])\s+\S")
_PLACEHOLDER = flags(
    r"\[[^\]\n]{0,20}(?:name|insert|placeholder|your (?:name|text|own)|detail|describe|object|noun"
    r"|city|town|adjective)[^\]\n]{0,30}\]|\((?:noun|name|adjective|verb|place|city|date)\)"
    r"|\{[a-z_ ]{2,24}\}|<(?:name|place|insert|your)[^>\n]{0,24}>|\blorem ipsum\b|\bTODO\b|\bTBD\b"
    r"|[a-z,][ ]_{4}|(?<!_)_{4,40}[,.]?[ ][a-z]"
    r"|\binsert (?:\w+ )?(?:name|here|text)\b"
)
_CAPS_SLOT = re.compile(r"\[(?!REDACTED|DATA|END|SCENE)[A-Z][A-Z _]{1,30}\]")
_CODE = flags(
    r'\A\s*[\[{]\s*["{\[]|"\s*:\s*["{\[]|^\s*```|</?[a-z][a-z0-9]*(?:\s[^<>\n]{0,80})?/?>|&(?:nbsp|quot|amp|lt);'
    r"|<\|[^|\n]{1,30}\|>|\[/?INST\]|^\s*(?:def |import |function |class )\w+.{0,40}[({:;]\s*$|\\n"
    r"|[\ufffd\u0120\u010a\u2581]"
)
_MARKDOWN = re.compile(r"^[ \t]*#{1,6}[ \t]+\S|\*\*[^*\n]{2,80}\*\*", re.MULTILINE)
_EMOJI = re.compile(r"[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55]|(?<!\S)[:;=]-?[)(DP](?!\S)")
_CLOSED = re.compile(r"[.!?…][\"')\]*_ ]*$|[—–-]\"$|[\w]\"$|[—–]$|[,;:]\"$")
_FINIS = flags(r"(?:[\s*#~_]*\b(?:the end|fin)\b\.?)?[\s*#~_]*\Z")
_DEBRIS = re.compile(
    r"[bcdfghjklmnpqrstvwxz]{6}|asdf|sdfg|dfgh|hjkl|qwer|zxcv|(.)\1\1|[jqv][bcdfghjklmnpqstxz]|x[bdfgjkmnrxz]|[bcdfgkmprstwz]x"
)
_ONSETS = word_set(
    """bl br ch cl cr cz dr dw fj fl fr gh gl gn gr gw kh kl kn kr kv mc ph pl pn pr ps pt qu rh sc sh sk sl sm sn sp
    sq sr st sv sw sz th tr ts tw tz vl vr wh wr zh zl zw ll mr"""
)
_CODAS = word_set(
    """bs ch ck cs ct ds dt ff fs ft gg gh gs hn hs ht kh ks ld lf lk ll lm ln lp ls lt lz mb mn mp ms nd ng nk nn ns
    nt nx ph ps pt rb rc rd rf rg rk rl rm rn rp rr rs rt sh sk sm sp ss st tch th ts tt tz wd wk wl wn ws xt zz dd bb
    bt hm gn lc nc nz rv rx lb nth rth cz hr"""
)
_VOWELS = frozenset("aeiouyàáâäãåæèéêëìíîïòóôöõøùúûüœ")
_UTTERANCES = word_set("mr mrs hm hmm hmmm mm mmm mmmm sh shh shhh shhhh brr brrr pst psst tsk nth pfft grr grrr zzz")
_DET = word_set("the a an my your its our their every")
_NO_NOUN = word_set(
    """the a an my your its our their of to and or but with from by for at is was are were be been has had have do does
    did he she it they we i him them us me who whom which if because than as could would should must shall into onto
    upon until when where why how not never in on"""
)
_LINKS = word_set("of to from into with is was has had were")
_CLASH = word_set("is was has are were he she we they")
_ASKS = word_set("is was has had were")  # before a subject they ask: "was he there?"
_SUBJECTS = word_set("i he she they we")
_HANGING = _DET | {"and", "or", "but", "than", "into", "because"}


@lru_cache(maxsize=20_000)
def odd_word(word: str) -> bool:
    """Whether English could hardly spell a word so ("wtih", "tgohteer", "asdfgh"); lower case in."""
    if len(word) < 3 or not word.isascii() or "'" in word or word in _UTTERANCES:
        return False
    if not _VOWELS.intersection(word) or _DEBRIS.search(word):
        return True
    first, last = word[:2], word[-2:]
    return (not _VOWELS.intersection(first) and first not in _ONSETS) or (
        not _VOWELS.intersection(last) and last not in _CODAS
    )


def _meta(alone: bool, reason: str) -> Gate:
    """Words about the piece: nearly all there is, or beside a piece that could be saved."""
    return Gate(1.5, reason) if alone else Gate(6.0, reason, 1.0)


def check(piece: Piece, asked: Asked) -> Gate | None:
    """The strictest gate the piece runs into, or None. Flaws add up."""
    found = [gate for rule in _RULES if (gate := rule(piece, asked))]
    if not found:
        return None
    closed = [gate for gate in found if not gate.less]
    if closed:
        return min(closed, key=lambda gate: gate.cap)
    worst = max(found, key=lambda gate: (gate.less, -gate.cap))
    return Gate(min(gate.cap for gate in found), worst.reason, sum(gate.less for gate in found))


def _length(piece: Piece, asked: Asked) -> Gate | None:
    words, wanted = len(piece.words), asked.element.min_words
    if not words:
        return Gate(0.0, "There is nothing here to read.")
    if words < max(8, wanted // 5):
        return Gate(0.4 + 1.2 * words / max(8, wanted), f"It is only {words} word{'s' * (words > 1)} long.")
    if words < 0.45 * wanted:
        return Gate(3.5, f"It is only {words} words long; {wanted} were asked for at least.")
    if asked.element.key == "setting" and piece.spoken_words > 0.6 * words:
        return Gate(4.5, "It is a dialogue; a setting was asked for.", 1.5)
    return None


def _intruder(piece: Piece, asked: Asked) -> Gate | None:
    """Words to a judge, a refusal, words about the piece: only outside quotes."""
    outside, words = piece.narration, len(piece.words)
    if intruders.INJECTION.search(outside):
        return Gate(0.4, "It speaks to whoever scores it instead of telling something.")
    if refuses(piece):
        return Gate(0.4, "It declines the task instead of writing the piece.")
    if hit := intruders.PREAMBLE.search(outside):
        short = words - len(hit.group().split()) < asked.element.min_words // 2
        return _meta(short, "It opens with words about the task, not with the piece.")
    if intruders.remarks(outside):
        return _meta(words < asked.element.min_words // 2, "It begins or ends in talk about itself.")
    told = intruders.ANALYSIS.findall(outside)
    if (len(told) >= 3 and len(told) * 30 >= words) or intruders.of_writing(outside):
        return Gate(2.0, "It discusses a piece instead of being one.")
    return None


def _scaffolding(piece: Piece, asked: Asked) -> Gate | None:
    text, lines = piece.text, piece.lines
    if _PLACEHOLDER.search(text) or _CAPS_SLOT.search(text):
        long = len(piece.words) > 250  # one slip in a long text does not make it a form
        return Gate(4.0 if long else 0.9, "It holds placeholders that were never filled in.", 2.0 * long)
    bullets = sum(1 for line in lines if _BULLET.match(line))
    spoken = asked.element.max_lines and piece.spoken_lines >= bullets
    if len(_OUTLINE.findall(text)) >= 2 or (bullets >= 3 and 2 * bullets >= len(lines) and not spoken):
        return Gate(2.0, "It is an outline, not the piece itself.")
    if _CODE.search(text):
        return Gate(5.0, "It holds code or markup.", 1.0)
    if _MARKDOWN.search(text) or (bullets >= 3 and not spoken):
        return Gate(BELOW_KEPT, "It holds headings, bold marks or lists.", 0.55)
    return None


def _typing(piece: Piece, asked: Asked) -> Gate | None:
    text = piece.text
    upper = sum(map(str.isupper, text))
    if upper > 20 and upper > sum(map(str.islower, text)):
        return Gate(4.0, "It is written in capitals.", 2.0)
    if not upper and len(piece.words) > 20:
        return Gate(6.0, "It has no capital letters.", 0.3)
    if len(_EMOJI.findall(text)) >= 2:
        return Gate(5.0, "Emoji stand where words should.", 1.5)
    shouts = text.count("!")
    if text.count("!!") >= 2 or (shouts >= 8 and 5 * shouts > 3 * len(piece.tokens)):
        return Gate(6.0, f"It shouts: {shouts} exclamation marks.", 1.2)
    return None


def _spelling(piece: Piece, asked: Asked) -> Gate | None:
    odd = sorted({word for word in piece.words if odd_word(word)})
    share = sum(odd_word(word) for word in piece.words) / max(1, len(piece.words))
    if (len(odd) >= 4 and share > 0.07) or share > 0.3:
        shown = ", ".join(f"'{word[:14]}'" for word in odd[:3])
        return Gate(0.9 if share > 0.35 else 2.5, f"Many of its words are no words: {shown}.")
    return None


def _lower(sentence: Sequence[str]) -> list[str]:
    return [word.lower() for word in sentence]


def _language(piece: Piece, asked: Asked) -> Gate | None:
    words = len(piece.words)
    if not_english(piece):
        return Gate(0.9, "It is not written in English.")
    if 10 * sum(len(low) for low in map(_lower, piece.tokens) if foreign_sentence(low)) > words:
        return Gate(4.0, "It slips into another language.", 2.0)
    english = sum(word in FUNCTION_WORDS for word in piece.words)
    if 12 * foreign_words(piece) > max(60, words):
        return Gate(4.0, "It slips into another language.", 2.0)
    if words >= 20 and english * 100 < 6 * words and 2 * len(set(piece.words)) > words:
        return Gate(0.9, "It is not written in English sentences.")
    if words >= 20 and english * 100 < 22 * words:
        return Gate(1.9, "It strings words together without making sentences.")
    return None


def clashes(piece: Piece) -> int:
    """How often small words meet that never stand side by side ("the of"); shuffling does it."""
    count = 0
    for sentence in piece.tokens:
        low = _lower(sentence)
        for one, two in pairwise(low):
            count += (
                (one in _DET and two in _NO_NOUN)
                or (one in _LINKS and two in _CLASH and not (one in _ASKS and two in _SUBJECTS))
                or (one in _SUBJECTS and two in _SUBJECTS and one != two)
            )
        count += low[-1] in _HANGING
    return count


def _order(piece: Piece, asked: Asked) -> Gate | None:
    count = clashes(piece)
    if count >= 3 and count * 40 > len(piece.words):
        return Gate(1.9, "Its words stand in no order that makes sentences.")
    return None


def _repetition(piece: Piece, asked: Asked) -> Gate | None:
    words = piece.words
    if len(words) < 12:
        return None
    repeated = repeated_share(words)
    if repeated > 0.25:
        return Gate(1.2 if repeated > 0.3 else 4.0, "It says the same thing over and over.", 1.5 * (repeated <= 0.3))
    word, count = Counter(piece.stems or ("",)).most_common(1)[0]
    if count >= 8 and 5 * count > len(piece.stems):
        return Gate(1.9, f"One word, '{word[:14]}', makes up a fifth of what it says.")
    if (worn := len(piece.worn) + len(IDIOM.findall(piece.text.lower()))) >= 4 and 40 * worn > len(words):
        return Gate(4.5, "It is pieced together from worn phrases.", 1.5)
    said = Counter(" ".join(_lower(s)) for s in piece.tokens if len(s) >= 5)
    if sum((n - 1) * (one.count(" ") + 1) for one, n in said.items()) >= 12:
        return Gate(5.0, "Whole sentences stand in it more than once.", 1.0)
    return None


def _copied(piece: Piece, asked: Asked) -> Gate | None:
    words, prompt = piece.words, asked.prompt_words
    runs = set(zip(prompt, prompt[1:], prompt[2:], prompt[3:], strict=False))
    own = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    if own and 3 * sum(run in runs for run in own) > len(own):
        return Gate(1.2, "It repeats the prompt instead of writing the piece.")
    distinct = set(piece.stems)
    hits = sum(one in asked.names for one in piece.stems)
    if hits >= 6 and 5 * hits > 2 * len(piece.stems) and 2 * len(distinct & set(asked.names)) > len(distinct):
        return Gate(1.8, "It says little beyond the prompt's own words.")
    return None


def _ending(piece: Piece, asked: Asked) -> Gate | None:
    if piece.clipped or not piece.lines:
        return None
    ends = _CLOSED.search(piece.text[-40:].rstrip())
    if not ends and not _CLOSED.search((_FINIS.sub("", piece.text[-400:]) or piece.text)[-40:]):
        last = piece.words[-1] if piece.words else ""
        torn = last in _HANGING or last in FUNCTION_WORDS or last not in load_words().index  # or only without its dot
        return Gate(BELOW_KEPT, "It breaks off before its last sentence ends.", 0.55 if torn else 0.4)
    last = piece.lines[-1]
    if last.count('"') % 2 and not last.endswith('"'):
        return Gate(BELOW_KEPT, "It breaks off inside somebody's speech.", 0.55)
    return None


_RULES: Sequence[Callable[[Piece, Asked], Gate | None]] = (
    *(_length, _intruder, _scaffolding, _typing, _spelling),
    *(_language, _order, _repetition, _copied, _ending),
)
