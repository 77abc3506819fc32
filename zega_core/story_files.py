"""Stories as files to take along: plain text, Markdown, Word. One story, or several with a table of their titles.

Whatever a story holds, its words read in the file as they were written: marks that Markdown would act on are escaped,
and characters that a Word file cannot hold are left out.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt

from zega_core.analytics import plural
from zega_core.errors import InvalidInput, NotFound
from zega_core.tables import Story, now

ENDINGS: Mapping[str, str] = {
    "txt": "text/plain",
    "md": "text/markdown",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
CONTENTS = "Stories"
MOST_IN_WORD = 1_000
"""Stories in one Word file: more take many seconds to write, and Word long to open."""
TOO_MANY = f"A Word file takes {MOST_IN_WORD:,} stories, and these are {{}}. Narrow them down, or take another form."
_SCENE_BREAK = re.compile(r"[ \t]*(?:(?:[*#~⁂–—-][ \t]*){1,5}|(?:_[ \t]*){3,5})\Z")
_LONGEST_NAME = 80
"""Characters of a title in a file name; bytes, three times as many."""
_NOT_IN_A_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_TAKEN = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?\Z", re.I)
_ACTS = re.compile(r"[\\`*_\[\]<>&~|$^#]|(?<=-)-|:(?=\w+:)")
"""What Markdown, or one of its dialects, acts on wherever it stands."""
_BEGINS = re.compile(r"(\d{1,9})(?=[.)](?:\s|\Z))|(?=[-+=:])")
"""What it acts on at the beginning of a line: the mark follows."""
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def words(text: str) -> int:
    return len(text.split())


def counted(number: int) -> str:
    """``1 story``, ``2,000 stories``."""
    return f"{number:,} {'story' if number == 1 else 'stories'}"


def as_txt(stories: Sequence[Story]) -> bytes:
    """UTF-8. Titles are underlined; several stories stand under a table of their titles."""
    parts = []
    if len(stories) > 1:
        parts.append("\n".join([*_underlined(CONTENTS), "", *_numbered(stories, "{}. {}, {}")]))
    parts += ["\n".join([*_underlined(story.title), "", story.body]) for story in stories]
    return ("\n\n\n".join(parts) + "\n").encode(errors="replace")


def as_md(stories: Sequence[Story]) -> bytes:
    """Markdown (CommonMark) in UTF-8: a heading for each title, the lines as they were written."""
    parts = []
    if len(stories) > 1:
        parts.append(f"# {CONTENTS}")
        parts.append("\n".join(_numbered(stories, "{}. {}, {}", escaped_line)))
    level = "##" if len(stories) > 1 else "#"
    for story in stories:
        parts += [f"{level} {escaped_line(story.title)}", *map(_md_paragraph, paragraphs(story.body))]
    return ("\n\n".join(parts) + "\n").encode(errors="replace")


def as_docx(stories: Sequence[Story]) -> bytes:
    """A Word document: titles as headings, each story on a page of its own, scene breaks in the middle of their
    line. Raises InvalidInput for more than ``MOST_IN_WORD`` stories."""
    if len(stories) > MOST_IN_WORD:
        raise InvalidInput(TOO_MANY.format(f"{len(stories):,}"))
    document = docx.Document()
    _properties(document, stories)
    document.styles["Normal"].paragraph_format.space_after = Pt(8)  # type: ignore[attr-defined]
    if len(stories) > 1:
        document.add_heading(CONTENTS, 0)
        table = document.add_table(rows=0, cols=2)
        for number, story in enumerate(stories, 1):
            cells = table.add_row().cells
            cells[0].text = f"{number}. {_xml(story.title)}"
            cells[1].text = plural(words(story.body), "word")
    for number, story in enumerate(stories):
        heading = document.add_heading(_xml(story.title), 1 if len(stories) > 1 else 0)
        heading.paragraph_format.page_break_before = len(stories) > 1 or number > 0
        for paragraph in paragraphs(story.body):
            added = document.add_paragraph(_xml(paragraph))
            if is_scene_break(paragraph):
                added.alignment = WD_ALIGN_PARAGRAPH.CENTER
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


AS: Mapping[str, Callable[[Sequence[Story]], bytes]] = {"txt": as_txt, "md": as_md, "docx": as_docx}
"""By ending."""


def exported(stories: Sequence[Story], ending: str) -> tuple[bytes, str]:
    """One file with these stories, and what to call it. Raises InvalidInput for another ending (``AS``) and for too
    many, NotFound for none."""
    if ending not in AS:
        raise InvalidInput(f"Stories can be exported as {', '.join(AS)}.")
    if not stories:
        raise NotFound("There is no story to export. Save one first, or look for another.")
    name = file_name(stories[0], ending) if len(stories) == 1 else f"stories.{ending}"
    return AS[ending](stories), name


def file_name(story: Story, ending: str) -> str:
    """The title as far as every system can have it in the name of a file; ``story`` where nothing of it can."""
    return f"{stem(story.title)}.{ending}"


def stem(title: str) -> str:
    """Such a name without its ending."""
    shown = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in unicodedata.normalize("NFC", title))
    name = " ".join(_NOT_IN_A_NAME.sub(" ", shown).split()).strip(". ")[:_LONGEST_NAME]
    name = name.encode(errors="ignore")[: 3 * _LONGEST_NAME].decode(errors="ignore").strip(". ")
    if _TAKEN.match(name) or name.startswith("-"):
        name = f"story {name.lstrip('- ')}".strip()
    return name or "story"


def paragraphs(text: str) -> list[str]:
    """What empty lines divide, and scene breaks, each with the lines it has."""
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        if not line.strip():
            found.append([])
        elif is_scene_break(line):
            found += [[line.strip()], []]
        else:
            found[-1].append(line.rstrip())
    return ["\n".join(lines) for lines in found if lines]


def is_scene_break(line: str) -> bool:
    """Whether it is a line of stars or the like, and nothing else."""
    return bool(_SCENE_BREAK.match(line))


def escaped_line(line: str) -> str:
    """For Markdown: a line that reads as it was written."""
    indent = len(line) - len(line.lstrip(" \t"))
    margin = "&nbsp;" * sum(4 if one == "\t" else 1 for one in line[:indent])
    rest = _ACTS.sub(r"\\\g<0>", line[indent:])
    begins = None if margin else _BEGINS.match(rest)
    return margin + (rest if begins is None else f"{begins[0]}\\{rest[begins.end() :]}")


def _md_paragraph(paragraph: str) -> str:
    if is_scene_break(paragraph) and set(paragraph.split()) <= {"*", "**", "***"} and paragraph.count("*") >= 3:
        return paragraph
    return "\\\n".join(map(escaped_line, paragraph.split("\n")))


def _underlined(title: str) -> tuple[str, str]:
    return title, "=" * min(max(3, len(title)), 72)


def _numbered(stories: Sequence[Story], form: str, shown: Callable[[str], str] = str) -> Iterator[str]:
    for number, story in enumerate(stories, 1):
        yield form.format(number, shown(story.title), plural(words(story.body), "word"))


def _properties(document: Document, stories: Sequence[Story]) -> None:
    """Word shows these; those of the empty document that it is made of are not ours."""
    about = document.core_properties
    about.title = _xml(stories[0].title if len(stories) == 1 else CONTENTS)[:255]
    about.author = about.last_modified_by = about.comments = ""
    about.created = min((story.created_at for story in stories), default=now())
    about.modified = max((story.updated_at or story.created_at for story in stories), default=now())


def _xml(text: str) -> str:
    return _NOT_IN_XML.sub("", text)
