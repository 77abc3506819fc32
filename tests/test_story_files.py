"""Stories as files: what is in them, read back by what reads such files; names that no system refuses."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import docx
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from zega_core.errors import InvalidInput
from zega_core.manuscripts.reading import read
from zega_core.story_files import AS, MOST_IN_WORD, as_docx, as_md, as_txt, file_name, is_scene_break, paragraphs, stem
from zega_core.tables import Story

HOSTILE = (
    "<script>alert(1)</script> :red[x] **bold** _em_ $5 ~~gone~~ [link](javascript:x) `code` &amp; a | b\n"
    "# head\n- list\n1. one\n2) two\n> quote\n===\n---\n    code\n![i](x) \\ ^up^ :smile: a -- b\n+ plus\nend \\"
)


def story(title: str = "The Salt Road", body: str = "One line.\n\nAnother.") -> Story:
    return Story(id=1, user_id="ana", title=title, genre="fantasy", body=body)


def read_back(markdown: str) -> tuple[list[str], list[str]]:
    """Headings and paragraphs as a reader of Markdown sees them."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    headings, texts = [], []
    for before, token in pairwise(tokens):
        if token.type == "inline":
            seen = "".join(
                "\n" if part.type in ("hardbreak", "softbreak") else part.content for part in token.children or []
            )
            assert {part.type for part in token.children or []} <= {"text", "hardbreak", "text_special"}, seen
            (headings if before.type == "heading_open" else texts).append(seen)
    return headings, texts


def test_a_text_file_has_title_and_text_as_written():
    assert as_txt([story(body="A.\n\n* * *\n\nB.")]).decode() == "The Salt Road\n=============\n\nA.\n\n* * *\n\nB.\n"


def test_several_stories_stand_under_a_table_of_their_titles():
    both = [story("One", "a b c"), story("Two", "d")]
    text = as_txt(both).decode()
    assert text.index("1. One, 3 words\n2. Two, 1 word") < text.index("One\n===") < text.index("Two\n===")
    headings, texts = read_back(as_md(both).decode())
    assert headings == ["Stories", "One", "Two"]
    assert texts == ["One, 3 words", "Two, 1 word", "a b c", "d"]


def test_markdown_reads_as_it_was_written():
    headings, texts = read_back(as_md([story(HOSTILE.split("\n")[0], HOSTILE)]).decode())
    assert headings == [HOSTILE.split("\n")[0]]
    assert "\n\n".join(texts).replace("\xa0", " ") == HOSTILE.replace("\n---\n", "\n\n---\n\n")


@given(st.text("ab 12\n\t\\`*_[]<>&~|$^#-+=:.)!'\"é…", min_size=1, max_size=60).filter(str.strip))
def test_whatever_is_written_markdown_acts_on_nothing_of_it(text: str):
    _, texts = read_back(as_md([story("T", text)]).decode())
    wanted = [
        "\n".join(line.lstrip(" \t") for line in one.split("\n"))
        for one in paragraphs(text)
        if not re.fullmatch(r"[ \t]*(\*[ \t]*){3,5}", one)
    ]
    assert [re.sub(r"^\xa0+", "", one, flags=re.M) for one in texts] == wanted


def test_a_word_file_has_headings_paragraphs_and_scene_breaks():
    document = docx.Document(io.BytesIO(as_docx([story(body="First,\nsecond line.\n\n* * *\n\nLast.")])))
    title, first, stars, last = document.paragraphs
    assert (title.style.name, title.text) == ("Title", "The Salt Road")  # type: ignore[union-attr]
    assert first.text == "First,\nsecond line."
    assert (stars.text, stars.alignment) == ("* * *", WD_ALIGN_PARAGRAPH.CENTER)
    assert last.text == "Last."
    assert document.core_properties.title == "The Salt Road"
    assert document.core_properties.author == ""


def test_several_stories_in_a_word_file_begin_on_pages_of_their_own():
    document = docx.Document(io.BytesIO(as_docx([story("One", "a b"), story("Two", HOSTILE)])))
    (table,) = document.tables
    assert next([cell.text for cell in row.cells] for row in table.rows) == ["1. One", "2 words"]
    heads = [one for one in document.paragraphs if one.style.name == "Heading 1"]  # type: ignore[union-attr]
    assert [one.text for one in heads] == ["One", "Two"]
    assert all(one.paragraph_format.page_break_before for one in heads)
    assert "\n".join(one.text for one in document.paragraphs).endswith(HOSTILE)


@pytest.mark.parametrize("ending", AS)
def test_what_no_file_can_hold_does_not_break_it(ending: str):
    odd = "a\x0cb\ud800c\ufffe \u202eright to left\u202c שלום"
    data = AS[ending]([story(odd, odd), story("", "x")])
    assert data
    if ending == "docx":
        assert "right to left" in "\n".join(one.text for one in docx.Document(io.BytesIO(data)).paragraphs)


@pytest.mark.parametrize("ending", AS)
def test_a_file_can_be_brought_back_as_own_pages(ending: str):
    body = "\n\n".join(f"Paragraph {number} of the story, long enough to be read as prose." for number in range(8))
    found = read(AS[ending]([story(body=body)]), f"story.{ending}")
    assert "Paragraph 7 of the story" in "\n".join(block.text for block in found.blocks)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The Salt Road", "The Salt Road.txt"),
        ("../../etc/passwd", "etc passwd.txt"),
        ("C:\\Windows\\*?", "C Windows.txt"),
        ("...", "story.txt"),
        ("", "story.txt"),
        ("con", "story con.txt"),
        ("LPT1.txt", "story LPT1.txt.txt"),
        ("-rf /", "story rf.txt"),
        ("a\u202etxt.exe\x00", "a txt.exe.txt"),
        ("   .hidden. ", "hidden.txt"),
        ("Ärger am Morgen", "Ärger am Morgen.txt"),
        ("<b>bold</b> | more", "b bold b more.txt"),
    ],
)
def test_a_title_becomes_a_name_that_no_system_refuses(title: str, expected: str):
    assert file_name(story(title), "txt") == expected


@given(st.text(max_size=300))
def test_no_title_makes_a_name_that_leads_elsewhere(title: str):
    name = stem(title)
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
    assert not name.startswith((".", "-", " "))
    assert 0 < len(name.encode()) <= 240


@pytest.mark.parametrize(
    ("line", "expected"), [("* * *", True), ("***", True), ("#", True), ("* a", False), ("", False)]
)
def test_a_scene_break_is_a_line_of_marks(line: str, expected: bool):
    assert is_scene_break(line) is expected


def test_a_word_file_of_very_many_stories_is_refused_in_a_sentence():
    many = [story() for _ in range(MOST_IN_WORD + 1)]
    with pytest.raises(InvalidInput, match="takes 1,000 stories, and these are 1,001"):
        as_docx(many)
    assert as_txt(many).count(b"The Salt Road\n=") == MOST_IN_WORD + 1
