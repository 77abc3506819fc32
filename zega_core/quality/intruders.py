"""Who speaks in a text beside its teller: somebody who talks to a judge, about the task or about the text itself.

All of it is looked for outside quotes only.
"""

from __future__ import annotations

from zega_core.quality.features import word_set, words_of
from zega_core.quality.foreign import TASK, flags

INJECTION = flags(
    r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:previous|prior|above|earlier)\b.{0,20}\b(?:instruction|prompt)"
    r"|\b(?:ignore|disregard|forget) (?:the|all|any|your) (?:instructions|prompts?) (?:above|before)"
    r"|\b(?:score|rate|grade|rating|mark)\b.{0,40}\b(?:10|ten)(?:\s*/|\s+out of\b)|\bquality score\b"
    r"|\b(?:score|rate|grade) (?:this|the) (?:\w+ )?(?:as|at|with|a|10|ten|highly)\b"
    r"|\b(?:evaluator|judge|grader|assistant)s? (?:must|should|has to|will now) (?:score|rate|award|assign|give)"
    r"|\b(?:award|assign|give|deserve|receive)s?\b.{0,30}\b(?:maximum|highest|perfect|full|10) (?:score|rating"
    r"|marks|grade|points|10|ten)\b|^\W{0,3}(?:system|assistant)\W{1,3}.{0,80}\b(?:score|instruction|rating|points|prompt)"
    r"|\bnew instructions?\b.{0,30}\b(?:model|judge|system|assistant|grader)|\boutput only\b"
    r"|\bcorrect (?:answer|score|rating) is (?:nine|ten|9|10)\b"
)
PREAMBLE = flags(
    r"\A\W*(?:sure|certainly|of course|absolutely|okay|great|here(?:'s| is| are)(?! the thing))\b[^\n]{0,120}"
    rf"\b{TASK}\b[^\n]{{0,120}}"
)
_POSTAMBLE = flags(
    r"^[^\w\n]*(?:let me know if (?:you|there)|i hope (?:you|this|that)\b.{0,40}\b(?:enjoy|help|like|meet)|feel free to"
    rf"|would you like me to|if you(?:'d| would) like (?:me|another|any)|word count|\(?note:"
    rf"|this {TASK} (?:captures|shows|uses|explores|aims))"
)
_ENVELOPE = flags(  # in the first or last line only
    r"\bi (?:have )?(?:tried|aimed|attempted) to (?:build|keep|capture|write|show|create|evoke|convey)"
    r"|\b(?:shall|should) i (?:continue|go on|write|expand)\b|\bhow (?:was|is) that\?"
    r"|\bi can (?:make it|rewrite|expand|adjust|shorten|change) |\bbelow (?:you will find|is) (?:my|the|a)\b"
    r"|\A\W*i(?:'d| would) be (?:delighted|happy|glad) to (?:help|write)|\A\W*what an? (?:\w+ )?(?:idea|prompt)\b"
)
_OF_WRITING = word_set(
    """request requests prompt prompts guidelines guideline tips rephrase rephrasing assist narrative narratives scene
    scenes reader readers sentences paragraph paragraphs tense passage"""
)
_OF_WRITING_TOO = word_set(  # a story may hold one of them
    """character characters piece view opening tension tone mood task text story ending sentence stakes plot style
    author writer humour humor symbols part"""
)
ANALYSIS = flags(
    rf"\bthis {TASK} (?:effectively|uses|explores|introduces|employs|depicts|captures|shows|begins|opens)"
    r"|\bthe (?:author|reader|audience|protagonist|antagonist|narrative|imagery|pacing|plot)s?\b|\bprotagonist"
    r"|\bforeshadow|\bsymbolis|\bsymboliz|\bsuspense\b|\bplot twist|\btwist\b|\bcharacter development"
    rf"|\bin this {TASK}\b|\bthe (?:story|scene) (?:shows|tells|ends|opens|begins|explores)\b"
    r"|\bit (?:also )?shows how\b"
    r"|\bclimax\b|\bthemes?\b|\bsubtext\b|\brelatable\b|\bvivid\b|\batmosphere\b|\bcliffhanger"
)


def _ends(text: str) -> str:
    lines = text.strip().split("\n")
    return lines[0] + "\n" + lines[-1]


def of_writing(outside: str) -> bool:
    """Whether the words of somebody who talks about a text, not of one who tells something, stand thick in it."""
    words = words_of(outside)
    sure, maybe = ([word for word in words if word in group] for group in (_OF_WRITING, _OF_WRITING_TOO))
    force = len(sure) + len(maybe) / 2
    return force >= 2 and force * 26 >= len(words) and len({*sure, *maybe}) >= 3


def remarks(outside: str) -> bool:
    """Whether it begins or ends in talk about itself or to whoever asked for it."""
    return bool(_POSTAMBLE.search(outside) or _ENVELOPE.search(_ends(outside)))
