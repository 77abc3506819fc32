"""How headings, breaks, page numbers and other furniture look where nothing in the file says what they are."""

from __future__ import annotations

import re

LONGEST_HEADING = 90
"""Characters."""
_NUMBER = (
    r"(?:\d{1,3}|[ivxlcdm]{1,8}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two"
    r"|three|four|five|six|seven|eight|nine))?|the (?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth"
    r"|last)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)"
)
_DIVISION = (
    r"(?:chapter|part|book|volume|act|canto|stave|section|letter|kapitel|teil|buch|chapitre|partie|livre|capítulo"
    r"|parte|capitolo|hoofdstuk|deel|глава|часть)"
)
_NUMBERED = re.compile(rf"{_DIVISION}\.?\s+(?P<number>{_NUMBER}|\d{{1,3}})(?P<rest>\b.*)?\Z", re.IGNORECASE)
_ORDINAL = re.compile(rf"(?:the )?{_NUMBER} {_DIVISION}\.?\Z", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:prologue|epilogue|interlude|intermezzo|preface|foreword|introduction|afterword|postscript|coda|prolog|epilog"
    r"|prólogo|epílogo|prologo|épilogue|vorwort|nachwort)(?:[.:]| [-–—] .{1,60})?\Z",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"(?=[IVXLC])(?:X[CL]|L?X{0,3})(?:I[XV]|V?I{0,3})\.?\Z")
_ROMAN_TITLE = re.compile(r"(?=[IVXLC])(?:X[CL]|L?X{0,3})(?:I[XV]|V?I{0,3})[.:—–-] ?\S")
_DIGITS = re.compile(r"\d{1,3}\.?\Z")
_HASHES = re.compile(r"#{1,6}[ \t]+(?=\S)")
_TITLE_AFTER = re.compile(r"\s*(?:[.:—–-]|\Z)")
_BREAK = re.compile(r"[\s*#~=_+•·∙●◦○◆◇■□▪♦❖❦❧☙✦✧✻✽⁂※†‡|/\\<>^°§.—–-]+\Z")
_SAID_PAUSE = re.compile(r"[.…?!\"'“”‘’«» ]+\Z")
_SEPARATOR = re.compile(r"\A\s*(?:[o0O]{3}|[-~*= ]{1,9}[oO0xX]{1,3}[-~*= ]{1,9})\s*\Z")
_PAGE = re.compile(r"[-–—\[({ ]*(?:page|pg\.?|p\.|seite)?[ ]?\d{1,4}(?: (?:of|/) \d{1,4})?[-–—\])} ]*\Z", re.IGNORECASE)
PAGE_MARK = re.compile(r"\[(?:Pg|Page|p\.) ?[ivxlc\d]{1,6}\]|\{\d{1,4}\}", re.IGNORECASE)
ILLUSTRATION = re.compile(r"\[Illustrations?(?::[^\]]{0,400})?\]", re.IGNORECASE)
_LEADERS = re.compile(r"(?:\.[ ]?){4,}\s*\w{0,6}\Z|\s{3,}\d{1,4}\Z|\t\s*\d{1,4}\Z")
_ENDS = (".", ",", ";", "!", "?", "…", "”", '"', "’")
_SPEECH = ("“", '"', "‘", "'", "«", "„", "—", "–", "-")


def is_break(line: str) -> bool:
    """Whether a line only parts two scenes: stars, a rule, a dinkus."""
    line = line.strip()
    if not line or len(line) > 80:
        return False
    if _SEPARATOR.match(line):
        return True
    return bool(_BREAK.match(line)) and not _SAID_PAUSE.match(line)


def is_division(line: str) -> bool:
    """Whether a line is surely a heading: "Chapter 4", "PART TWO: The Sea", "Prologue"."""
    line = _HASHES.sub("", line.strip())
    if not line or len(line) > LONGEST_HEADING:
        return False
    if _NAMED.match(line) or _ORDINAL.match(line):
        return True
    found = _NUMBERED.match(line)
    if found is None:
        return False
    rest = found["rest"] or ""
    return bool(_TITLE_AFTER.match(rest)) or (_is_titled(rest) and not rest.rstrip().endswith((".", ",", ";")))


def is_marked(line: str) -> bool:
    """Whether it has the marks of a Markdown heading."""
    return bool(_HASHES.match(line)) and len(line) <= 2 * LONGEST_HEADING


def without_marks(line: str) -> str:
    return _HASHES.sub("", line.strip())


def is_numeral(line: str) -> bool:
    """A Roman numeral or a small number, alone."""
    line = line.strip()
    return bool(line) and bool(_ROMAN.match(line) or _DIGITS.match(line))


def is_bare_number(line: str) -> bool:
    """Digits alone, which may be a page's as well as a chapter's."""
    return bool(_DIGITS.match(line.strip()))


def is_titled_numeral(line: str) -> bool:
    """``IV. The Sea``"""
    line = line.strip()
    return len(line) <= LONGEST_HEADING and bool(_ROMAN_TITLE.match(line)) and not line.endswith(_ENDS)


def is_shouted(line: str) -> bool:
    """A short line in capitals, which is a heading where nothing else is."""
    line = line.strip()
    letters = [mark for mark in line if mark.isalpha()]
    if len(line) > 60 or len(letters) < 3 or len(line.split()) > 8:
        return False
    cased = all(mark.isupper() for mark in letters)
    return cased and not line.startswith(_SPEECH) and not line.endswith((".", ",", ";", "!", "…", "”", '"', ":"))


def is_title(line: str) -> bool:
    """Whether a line reads as the title of a chapter, where one may stand."""
    line = line.strip()
    short = len(line) <= 70 and len(line.split()) <= 10
    return short and not line.startswith(_SPEECH) and not line.endswith(_ENDS) and _is_titled(line)


def _is_titled(line: str) -> bool:
    words = [word for word in line.split() if word[:1].isalpha()]
    large = [word for word in words if word[:1].isupper()]
    return bool(words) and words[0][:1].isupper() and 2 * len(large) >= len(words)


def is_page(line: str) -> bool:
    """Whether a line may be the number of a page."""
    line = line.strip()
    return len(line) <= 24 and any(map(str.isdigit, line)) and bool(_PAGE.match(line))


def is_entry(line: str) -> bool:
    """Whether a line may be of a table of contents."""
    line = line.rstrip()
    return len(line) <= 160 and bool(_LEADERS.search(line) or is_division(line) or is_titled_numeral(line))


def has_leaders(line: str) -> bool:
    return len(line) <= 160 and bool(_LEADERS.search(line.rstrip()))
