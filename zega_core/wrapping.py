"""What chat models put around a piece, and taking it off: a greeting, a title, a word count, bold marks, a fence.

What is certainly wrapping goes; what could be fiction stays.
"""

from __future__ import annotations

import re
from itertools import islice

from zega_core.catalog import Element

MAX_CHARS = 12_000
"""A longer text is no piece: the score reads no further, and no element asks for a tenth of it."""
PASSES = 12
"""Wrapping inside wrapping is taken off this often; an answer that still changes then is wrapping all through."""
FEW_WORDS = 8
"""Nothing is taken off a text when fewer words than these would be left."""


def any_case(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS, _UNSEEN = re.compile("\r\n?|[\u2028\u2029\x85\v\f]"), re.compile("[\ufeff\u200b\u2060]")
_WORD = re.compile(r"\w+")
_THINKING = any_case(r"<(/?)(?:think|thinking|thought|reasoning)>")

_TOKEN = (
    r"(?:<\|?/?(?:im_start|im_end|start_header_id|end_header_id|eot_id|eom_id|begin_of_text|end_of_text|endoftext|end"
    r"|start_of_turn|end_of_turn|assistant|user|system|bos|eos|s)\|?>|\[/?INST\]|<</?SYS>>)"
)
_FIRST_TAG = any_case(
    rf"(?:{_TOKEN}(?:[ \t]*(?:assistant|model)\b:?(?=\s*[\n<]))?|(?:assistant|model)[ \t]*\n"
    r"|#{1,4}[ \t]*(?:response|answer|assistant|output)[ \t]*:?[ \t]*\n)\s*"
)
_ROLE = any_case(r"\A[*_]{0,2}(?:assistant|model|response|answer|output)[*_]{0,2}:[*_]{0,2}(?=\s)")
_SPEAKER = re.compile(r"\n[*_ \t]{0,3}[A-Z][\w .'-]{0,30}[*_]{0,2}:")
_LAST_TAG = any_case(rf"{_TOKEN}\Z")
_TURN_ENDS = any_case(r"<\|(?:im_end|eot_id|eom_id|endoftext|end_of_text|end)\|>|<end_of_turn>|</s>")
FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*\w{0,20}[ \t]*\Z")
_RULE = re.compile(r"(?:[-*_=~#][ \t]*){3,}\Z")

KIND = (
    r"(?:scene|story|dialog(?:ue)?|conversation|piece|passage|excerpt|vignette|description|sketch|setting|draft|version"
    r"|paragraph|monologue|narrative|response|rewrite|take|attempt)s?"
)
_OPENER = (
    r"(?:(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|alright|all right|great|got it|understood|gladly"
    r"|no problem|with pleasure|as (?:you )?requested|i(?:'d| would) be (?:happy|glad|delighted) to(?: \w+){0,5}"
    r"|i can (?:\w+ )?(?:help|write|do)(?: \w+){0,5}|happy to help|thank(?:s| you) for [\w' ]{2,40})[,.!:;—–-]+[ \t]*)"
)
_HERE = r"(?:here(?:'s| is| are)|below (?:is|are)|the following (?:is|are))"
_I_WROTE = r"i(?:'ve| have) (?:written|crafted|created|prepared)|i(?:'ll| will) (?:write|craft|create)"
_ABOUT = (  # how a preamble goes on after "a scene"; a tale that begins "Here is the story" goes on otherwise
    r"(?:\W*\Z|\W+(?:based|about|of|for|that|set|in|between|featuring|inspired|with|as requested|you (?:ask|request)ed"
    r"|written|describing|depicting|exploring|where|involving|using|incorporating|following|capturing|titled|called"
    r"|aiming|focus\w+)\b)"
)
_PREAMBLE = any_case(rf"({_OPENER}{{0,3}})(?:{_HERE}|{_I_WROTE})\b[^.!?:\n\"“”]{{0,90}}?\b{KIND}\b{_ABOUT}")
_OPENERS = any_case(rf"{_OPENER}{{1,3}}(?:here (?:you go|we go|it is)[.:!])?\Z")
_EXCLAIMED = any_case(r"(?:sure(?: thing)?|certainly|absolutely|understood|got it|gladly)!\Z")
_PLAINLY = any_case(rf"{_HERE} (?:(?:an?|another|your|one|two|my|\d+)\b[^:]*|the (?:\w+ ){{0,2}}{KIND}\W*):\Z")
_ASKED_FOR = any_case(
    rf"\b(?:prompt|request(?:ed)?|you asked|based on|genre|\d+[- ]words?|word count|your (?:\w+ ){{0,3}}{KIND})\b"
)
_TOLD = any_case(  # somebody in a story tells one
    r"\b(?:my(?! (?:attempt|take|version|response))|me|our|us|we|i(?!'| (?:can|would|have|hope|wrote|aimed|kept)))\b"
)
_COLON = re.compile(r":[*_]{0,2}[ \t]")
_TITLE = any_case(
    r"[#*_ \t]*(?:title|genre|prompt)[*_ \t]*:[^\n]{1,200}\Z|#{1,6}[ \t]+\S[^\n]{0,100}\Z"
    rf"|(?:[#*_]+[ \t]*{KIND}(?: \d+)?[ \t:*_]*|{KIND}(?: \d+)?[ \t]*:)\Z"
)
_BOLD_LINE = re.compile(r"(?:\*\*|__)(?=\S)([^*_\n]{1,80})(?:\*\*|__)\Z")
_BOLD_BELOW = re.compile(r"\n(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__):?[ \t]*(?=\n)")

_OFFER = any_case(
    r"[*_(\[ \t]*(?:please )?(?:let me know (?:if|whether|what) (?:you(?:'d| would)? (?:like|prefer|want|need|think)"
    r"|there(?:'s| is| are) any|this)|feel free to|don't hesitate to|would you like (?:me|to see|another)\b|i can also"
    r"|(?:do you )?want me to|if you(?:'d| would)? (?:like|need|want|prefer) (?:me|any|another|further|more)\b)"
)
_CHANGES = any_case(
    rf"\b(?:{KIND}|adjust\w*|revis\w*|edit\w*|tweak\w*|modif\w*|expand\w*|elaborat\w*|continu\w*|changes?|feedback"
    r"|tone|genre|prompt|request|further|anything else)\b"
)
_REMARK = any_case(
    rf"[*_(\[ \t]*(?:this {KIND} (?:captures|uses|explores|aims|highlights|showcases|emphasi[sz]es|reflects|meets)\b"
    rf"|note\b\W{{1,4}}(?:i |this |the )[^\n]*\b(?:prompt|request|words?|{KIND})\b|(?:the )?end of {KIND}\W*\Z"
    rf"|i hope (?:you(?:'ll)? (?:enjoy(?:ed)?|like|liked) (?:this|the|your) (?:\w+ ){{0,2}}{KIND}\b|this helps\W*\Z"
    rf"|(?:this|that) (?:\w+ )?{KIND}\b|(?:this|that|it) (?:meets|captures|fits|works for|is what)\b))"
)
_COUNT = (
    r"(?:(?:total )?(?:word count|words)\W{1,6}(?:approximately |about |around |~)?\d[\d,]*(?: words)?"
    r"|(?:approximately |approx\. |about |around |~)?\d[\d,]* words)"
)
_COUNT_LINE = any_case(rf"[*_(\[~ \t]*{_COUNT}[.)*_\] \t]*\Z")
_COUNT_BEHIND = any_case(rf"[ \t]?(?:[(\[][*_]{{0,2}}|[*_]{{1,2}}\(){_COUNT}\.?[*_]{{0,2}}[)\]][*_]{{0,2}}\Z")

_SPEECH = r'"[^"\n]*(?:"|$)|“[^”\n]*(?:”|$)|(?:(?<=\s)|^)[\'‘](?=\S)[^\n]{1,300}?[,.!?…—–][\'’](?=[\s)—–]|$)'
MARKED = re.compile(
    rf"{_SPEECH}|(?<![\w*])(\*{{1,3}})(?=[\w\"“'‘(…—])([^*\n]*[\w\"”'’).,!?…—:;])\1(?![\w*])"
    rf"|(?<!\w)(_{{1,2}})(?=[^\W_]|[\"“'‘])([^_\n]*[\w\"”'’).,!?…—:;])(?<!_)\3(?!\w)",
    re.MULTILINE,
)
_QUOTE = re.compile(r'(?P<opening>(?<=[ \n—(])["“](?=\S))|["“”]')
_SELF = any_case(r"\b(?:i|you|my|me|we|your|our)\b")


def unwrapped(text: str, element: Element | None) -> str | None:
    """The text without wrapping, a fixed point of every step; None when it never comes to rest."""
    text = plain(text).strip()
    few, spoken = fewest(element), bool(element and element.max_lines)
    for _ in range(PASSES):
        before = text
        for step in (without_thinking, without_tags, without_rules):
            text = step(text).strip()
        for step in (_without_fence, without_preamble, without_title, _without_remark, _without_quotes):
            rest = step(text, spoken).strip()
            text = rest if holds(rest, few) else text
        if text == before and len(text) <= MAX_CHARS:  # marks last: a bold line may have been a title
            text = tidy(text)
        if text == before:
            return text
    return None


def plain(text: str) -> str:
    return _UNSEEN.sub("", CONTROL.sub("", _BREAKS.sub("\n", text)))


def fewest(element: Element | None) -> int:
    return max(FEW_WORDS, element.min_words // 5 if element else 0)


def holds(text: str, words: int) -> bool:
    return sum(1 for _ in islice(_WORD.finditer(text), words)) == words


def without_thinking(text: str) -> str:
    """Reasoning blocks go; a closing tag alone ends one that began in the template, an open one never ended."""
    told: list[str] = []
    depth = last = 0
    for tag in _THINKING.finditer(text):
        if tag[1]:
            told, depth = (told if depth else []), max(0, depth - 1)
        else:
            told += [text[last : tag.start()]] if not depth else []
            depth += 1
        last = tag.end()
    open_at_start = depth and not "".join(told).strip()
    return "" if open_at_start else "".join(told) + ("" if depth else text[last:])


def without_tags(text: str) -> str:
    """The template's marks at the edges, and whatever a model went on to write after its turn had ended."""
    at = 0
    while tag := _FIRST_TAG.match(text, at):
        at = tag.end()
    text = text[at:]
    if (end := _TURN_ENDS.search(text)) and holds(text[: end.start()], 1):
        text = text[: end.start()]
    text = text[:-40] + _LAST_TAG.sub("", text[-40:])
    return text if _SPEAKER.search(text) else _ROLE.sub("", text, count=1)


def without_rules(text: str) -> str:
    """Lines of dashes or stars before and after everything; between paragraphs they are scene breaks."""
    first, _, rest = text.partition("\n")
    if len(first) < 200 and _RULE.match(first.strip()):
        text = rest.strip()
    before, _, last = text.rpartition("\n")
    return before if len(last) < 200 and _RULE.match(last.strip()) else text


def _without_fence(text: str, spoken: bool) -> str:
    first, _, rest = text.partition("\n")
    inside, _, last = rest.rpartition("\n")
    opened = FENCE.match(first) if len(first) < 40 else None
    return inside if opened and last.strip() == opened[1] else text


def without_preamble(text: str, spoken: bool) -> str:
    line, newline, rest = text.partition("\n")
    if len(line) > 2_000:
        return text
    head, *tail = _COLON.split(line, maxsplit=1)
    if tail and (tail[0][:1].isupper() or tail[0][:1] in "\"“'‘—…") and _is_preamble(_bare(head) + ":"):
        return tail[0] + newline + rest
    line = _bare(line)
    if newline and _is_preamble(line):
        return rest
    if newline and _OPENERS.match(line):
        following = _bare(rest.strip().partition("\n")[0])
        greets = _EXCLAIMED.match(line) and rest.startswith("\n") and not spoken and holds(following, 12)
        if greets or line.endswith(":") or _is_preamble(following):
            return rest
    return text


def _bare(line: str) -> str:
    return line.replace("’", "'").strip(" \t*_#")


def _is_preamble(line: str) -> bool:
    found = _PREAMBLE.match(line) if len(line) <= 300 else None
    if not found or _TOLD.search(line):
        return False
    return bool(found[1] or _ASKED_FOR.search(line) or _PLAINLY.match(line))


def without_title(text: str, spoken: bool) -> str:
    line, newline, rest = text.partition("\n")
    line = line.strip()
    if not newline or len(line) > 220:
        return text
    bold = _BOLD_LINE.match(line)
    named = bold and bold[1].rstrip("\"'”’ ")[-1:] not in ".!?…,:;—-" and not _BOLD_BELOW.search(rest)
    return rest if named or _TITLE.match(line) else text


def _without_remark(text: str, spoken: bool) -> str:
    """The last line, when it speaks about the piece to whoever asked for it, or counts its words."""
    before, newline, last = text.rpartition("\n")
    last = last.strip().replace("’", "'")
    if counted := _COUNT_BEHIND.search(text, max(0, len(text) - 60)):
        return text[: counted.start()]
    if not newline or len(last) > 400 or any(mark in last for mark in '"“”'):
        return text
    offers = _OFFER.match(last) and _CHANGES.search(last)
    return before if offers or _REMARK.match(last) or _COUNT_LINE.match(last) else text


def _without_quotes(text: str, spoken: bool) -> str:
    """Quotes around everything; one person's long speech looks alike, so only where it cannot be one."""
    if spoken or text[:1] + text[-1:] not in ('""', "“”"):
        return text
    inner = text[1:-1]
    marks = [(mark["opening"] is not None, mark.start()) for mark in _QUOTE.finditer(inner)]
    if not marks:
        return inner if "\n\n" in inner or not _SELF.search(inner) else text
    paired = [opening for opening, _ in marks] == [True, False] * (len(marks) // 2)
    return inner if paired and inner[marks[0][1] - 1] != "\n" else text  # long speech reopens at every paragraph


def tidy(text: str) -> str:
    """Without marks for bold and italics outside speech, spaces at line ends, and more than two empty lines."""
    if "*" in text or "_" in text:
        text = MARKED.sub(lambda found: found[2] or found[4] or found[0], text)
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip()
    return re.sub(r"\n{4,}", "\n\n\n", text)
