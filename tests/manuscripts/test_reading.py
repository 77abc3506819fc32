"""What files become: paragraphs, chapters and breaks, whatever wrote them; and what is refused, with a reason."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.manuscripts.files import CONTAINER, changed, epub, word, zipped
from tests.support.teachers import story
from zega_core.errors import InvalidInput
from zega_core.manuscripts import zipped as zipped_file
from zega_core.manuscripts.blocks import Document, Kind
from zega_core.manuscripts.reading import MOST_BYTES, format_of, read

A, B, C, D = (story(seed, sentences=6) for seed in range(4))


def outline(document: Document) -> list[str]:
    """``# `` before headings, ``*`` for breaks, and paragraphs."""
    marks = {Kind.heading: "# ", Kind.scene_break: "*", Kind.paragraph: ""}
    return [f"{marks[block.kind]}{block.text if block.kind != Kind.scene_break else ''}" for block in document.blocks]


def text(*parts: str, name: str = "mine.txt") -> list[str]:
    return outline(read("\n\n".join(parts).encode(), name))


def wrapped(paragraph: str, width: int = 60) -> str:
    lines, line = list[str](), ""
    for token in paragraph.split():
        if len(line) + len(token) >= width:
            lines.append(line.rstrip())
            line = ""
        line += token + " "
    return "\n".join([*lines, line.rstrip()])


@pytest.mark.parametrize(
    "heading",
    ["Chapter 1", "CHAPTER IV", "Chapter Twenty-One", "chapter 3: The Sea", "PART TWO", "Prologue", "IV", "IV.", "1",
     "II. The Sea", "## A marked one", "Kapitel 3", "The Third Part", "Epilogue"],
)  # fmt: skip
def test_headings_of_plain_text_are_seen(heading: str):
    assert text(A, heading, B)[1:2] == [f"# {heading.removeprefix('## ').rstrip('.')}"]


@pytest.mark.parametrize(
    "line",
    ["Part of it was gone.", "Chapter one of my life ended there.", "“STOP RIGHT THERE”", "NO!", "I", "Acts of love."],
)
def test_what_only_looks_like_a_heading_is_text(line: str):
    if line == "I":  # a numeral, where chapters have numbers
        assert text("I", A, "II", B) == ["# I", A, "# II", B]
    else:
        assert line in text("Chapter 1", A, line, B, "Chapter 2", C)


def test_lines_in_capitals_are_headings_where_there_are_several():
    assert text("THE OLD HARBOUR", A, "THE NEW ONE", B) == ["# THE OLD HARBOUR", A, "# THE NEW ONE", B]
    assert text(A, "THE OLD HARBOUR", B, "THE NEW ONE", C) == [A, "# THE OLD HARBOUR", B, "# THE NEW ONE", C]
    assert text("THE OLD HARBOUR", A, B) == ["# THE OLD HARBOUR", A, B]


def test_what_a_sign_says_stays_in_the_text():
    assert text(A, "KEEP OUT", B) == [A, "KEEP OUT", B]
    assert text(A, "KEEP OUT", B, "KEEP OUT", C) == [A, "KEEP OUT", B, "KEEP OUT", C]


def test_the_title_of_a_chapter_may_stand_below_its_number():
    assert text("CHAPTER I", "Down the Well", A, "CHAPTER II", B) == [
        "# CHAPTER I. Down the Well",
        A,
        "# CHAPTER II",
        B,
    ]


@pytest.mark.parametrize("mark", ["***", "* * *", "#", "---", "~", "—", "⁂", "•", "* * * * *", "-o-", "~~~", "❦"])
def test_scene_breaks_are_seen(mark: str):
    assert text(A, mark, B) == [A, "*", B]


@pytest.mark.parametrize("line", ["…", "?!", "“…”", "..."])
def test_a_pause_is_no_break(line: str):
    assert text(A, line, B) == [A, line, B]


def test_a_gap_of_three_blank_lines_is_a_break_and_one_is_not():
    assert outline(read(f"{A}\n\n{B}\n\n\n\n{C}".encode(), "")) == [A, B, "*", C]
    wide = "\n\n\n\n".join([A, B, C, D])
    assert outline(read(wide.encode(), "")) == [A, B, C, D]  # the text is set so


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\u2028"])
def test_line_ends_of_every_system_are_the_same(ends: str):
    assert outline(read(f"Chapter 1\n\n{A}\n\n* * *\n\n{B}".replace("\n", ends).encode(), "mine.txt")) == [
        "# Chapter 1",
        A,
        "*",
        B,
    ]


def test_lines_broken_by_a_program_are_joined():
    assert text(wrapped(A), wrapped(B), wrapped(C)) == [A, B, C]


def test_paragraphs_told_apart_by_indents_are_apart():
    joined = "\n".join("    " + wrapped(one) for one in (A, B, C))
    assert outline(read(joined.encode(), "")) == [A, B, C]


def test_lines_that_are_paragraphs_stay_so():
    assert outline(read("\n".join([A, B, C]).encode(), "")) == [A, B, C]
    talk = ["“Who is there?”", "“Nobody.”", "“Then come in.”"]
    assert outline(read("\n".join([A, *talk, B]).encode(), "")) == [A, *talk, B]


def test_verse_keeps_its_lines():
    verse = "The sea came in\nand took the boat\nand left the oar"
    found = text(wrapped(A), wrapped(B), verse, wrapped(C), wrapped(D))
    assert found[2] == verse


def test_words_broken_at_line_ends_are_whole_again():
    head = wrapped(A + " The lantern hung there, a well-known thing.")
    broken = (
        "She waited a long while beside the door and held the lan-\ntern up, and it was a well-\nknown thing in that "
    )
    (first, second) = text(head, broken + "country, where the people\ncame by the road in the evening of every Sunday.")
    assert "held the lantern up, and it was a well-known thing" in second
    assert first.endswith("well-known thing.")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("Ça, c’était l’été – “déjà vu”, naïve café. ".encode("cp1252"), "Windows-1252"),
        ("Ça, c’était l’été – “déjà vu”, naïve café. ".encode("utf-16"), "UTF-16"),
        ("Ça, c’était l’été – “déjà vu”, naïve café. ".encode("utf-16-le"), "UTF-16"),
        ("Ça, c’était l’été – “déjà vu”, naïve café. ".encode("utf-8-sig"), ""),
    ],
)
def test_encodings_are_found_out(data: bytes, said: str):
    document = read(data, "été.txt")
    assert document.body.startswith("Ça, c’était l’été – “déjà vu”, naïve café.")
    assert not document.body.startswith("\ufeff")
    assert said in " ".join(document.notes)


def test_cyrillic_of_old_programs_is_read():
    russian = "Он шёл по улице и думал о том, что было вчера вечером, когда всё ещё можно было изменить. " * 6
    assert read(russian.encode("cp1251"), "mine.txt").body == russian.strip()


def test_right_to_left_text_and_accents_come_through():
    hebrew = "היא הלכה לאורך החוף וחשבה על הים. " * 10
    combining = "cafe\u0301 nai\u0308ve " * 10
    assert text(hebrew.strip(), combining) == [hebrew.strip(), ("café naïve " * 10).strip()]


def test_what_is_not_seen_is_gone():
    assert text("The lan\u00adtern\u200b hung\u00a0there\x07 and\ufeff burned.") == [
        "The lantern hung there and burned."
    ]


def test_pages_with_numbers_and_running_titles_become_one_text():
    first, second, third = A.split(". ", 2)[0] + " and so it went on", "until the morning came. " + B, C
    pages = f"THE SEA\n\n{A}\n\n{first}\n\n12\n\fTHE SEA\n\n{second}\n\n13\n\fTHE SEA\n\n{third}\n\n14\n"
    found = read(pages.encode(), "mine.txt")
    assert outline(found)[-3:] == [A, f"{first} {second}", C] or f"{first} {second}" in found.body.replace("\n\n", " ")
    assert "12" not in found.body
    assert found.body.count("THE SEA") <= 1
    assert found.left_out["pages"] > 0


def test_a_file_of_project_gutenberg_is_read_without_its_licence():
    head = "The Project Gutenberg eBook of The Sea\n\nThis eBook is for the use of anyone anywhere.\n\n"
    start = "*** START OF THE PROJECT GUTENBERG EBOOK THE SEA ***\n\nProduced by Somebody and\nOthers\n\n"
    notes = "[1] A note that nobody wants in the text.\n\n"
    book = f"CHAPTER I\n\n{wrapped(A)}\n\n{wrapped('She went _very_ slowly[1] to it. ' + B)}\n\n{notes}"
    end = "*** END OF THE PROJECT GUTENBERG EBOOK THE SEA ***\n\nEnd notes of the licence"
    found = read(
        f"{head}{start}{book}CHAPTER II\n\n{wrapped(C)}\n\n[Illustration: A boat]\n\n{end}".encode(), "sea.txt"
    )
    assert outline(found) == ["# CHAPTER I", A, "She went very slowly to it. " + B, "# CHAPTER II", C]
    assert found.left_out["licence"] > 15
    assert found.left_out["notes"] == 9


def test_title_pages_contents_and_notices_are_left_out_and_counted():
    chapters = [
        part for number in range(1, 4) for part in (f"Chapter {number}", *(story(number * 10 + n) for n in range(3)))
    ]
    front = ["THE SEA", "by Ana Writer", "Copyright © 2020 Ana Writer. All rights reserved. ISBN 123"]
    contents = ["Contents", "Chapter 1 ........ 3", "Chapter 2 ........ 9", "Chapter 3 ........ 14"]
    back = ["About the Author", "Ana writes by the sea."]
    found = read("\n\n".join([*front, *contents, *chapters, *back]).encode(), "sea.txt")
    assert outline(found) == [f"# {part}" if part.startswith("Chapter") else part for part in chapters]
    assert found.left_out["front"] > 5
    assert found.left_out["contents"] > 5
    assert found.left_out["back"] == 5


def test_a_preface_that_the_writer_wrote_stays():
    found = text("Prologue", A, B, "Chapter 1", C, D, A)
    assert found[:3] == ["# Prologue", A, B]


MARKDOWN = f"""---
title: The Sea
---

# The Sea

## One

{A}
with *emphasis*, a [link](http://x.invalid) and `code`.[^1]

---

{B}

~~~

{C}

Two
===

    {D}

12. March was a cold day.

- Who is there?

<br>

<b>{A}</b>
***
{B}

[^1]: A footnote.
<!-- a comment -->
"""


def test_markdown_is_read_as_writers_mean_it():
    found = read(MARKDOWN.encode(), "sea.md")
    assert outline(found) == [
        "# The Sea. One",
        f"{A} with emphasis, a link and code.",
        "*",
        B,
        "*",
        C,
        "# Two",
        D,
        "12. March was a cold day.",
        "- Who is there?",
        "*",
        A,
        "*",
        B,
    ]
    assert found.left_out["notes"] > 0


def test_word_documents_have_chapters_by_their_styles():
    data = word(
        [("Title", "The Sea"), ("Heading 1", "One"), ("", A), ("", B), ("", "* * *"), ("", C), ("Heading 1", "Two"),
         ("", D)]
    )  # fmt: skip
    assert outline(read(data, "sea.docx")) == ["# The Sea. One", A, B, "*", C, "# Two", D]


def test_word_documents_without_styles_have_chapters_by_their_words():
    data = word(
        [("", "Chapter One"), *(("", story(n)) for n in range(9)), ("", ""), ("", A), ("", "Chapter Two"), ("", B)]
    )
    found = outline(read(data, "sea.docx"))
    assert found[0] == "# Chapter One"
    assert found[-4:] == ["*", A, "# Chapter Two", B]


def test_tracked_changes_footnotes_and_hyphens_of_word_are_read_as_they_look():
    data = changed(
        word([("", "BEFORE " + A)]),
        "word/document.xml",
        "<w:r><w:t>BEFORE ",
        "<w:ins w:id='1' w:author='x'><w:r><w:t xml:space='preserve'>Kept </w:t></w:r></w:ins>"
        "<w:del w:id='2' w:author='x'><w:r><w:delText>gone </w:delText></w:r></w:del>"
        "<w:r><w:t>half</w:t><w:noBreakHyphen/><w:t xml:space='preserve'>way </w:t>"
        "<w:footnoteReference w:id='3'/></w:r>"
        "<w:r><w:t>",
    )
    assert outline(read(data, "sea.docx")) == ["Kept half-way " + A]


def test_an_epub_is_read_in_its_order_without_what_is_beside_the_text():
    data = epub(
        [
            '<section epub:type="titlepage"><h1>The Sea</h1><p>By Ana</p></section>',
            '<nav epub:type="toc"><ol><li><a href="x">One</a></li></ol></nav>',
            f"<h2>One</h2><p>{A}</p><p>Tea&nbsp;&amp; caf&eacute;<a epub:type='noteref' href='#n'>1</a>"
            f"<br/>for <i>two</i>.</p><hr/><p>{B}</p><aside epub:type='footnote'><p>A note.</p></aside>",
            f"<h2>Two <span>Waves</span></h2><div>{C}<p class='x'>{D}</p></div><script>alert(1)</script>",
        ]
    )
    found = read(data, "sea.epub")
    assert outline(found) == ["# One", A, "Tea & café\nfor two.", "*", B, "# Two Waves", C, D]
    assert found.left_out["front"] == 4
    assert found.left_out["contents"] == 1
    assert found.left_out["notes"] == 3


def test_broken_pages_of_an_epub_are_read_as_browsers_read_them():
    found = read(epub([f"<h1>One</h1><p>{A}<br>&mdash; and so<p>{B}"]), "sea.epub")
    assert outline(found) == ["# One", f"{A}\n— and so", B]


ENCRYPTED = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><e:EncryptedData '
    'xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptionMethod Algorithm="{}"/><e:CipherData>'
    '<e:CipherReference URI="{}"/></e:CipherData></e:EncryptedData></encryption>'
)


def test_a_protected_epub_is_refused_and_one_with_hidden_fonts_is_not():
    locked = {"META-INF/encryption.xml": ENCRYPTED.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "a.xhtml")}
    with pytest.raises(InvalidInput, match="DRM"):
        read(epub([f"<p>{A}</p>"], locked), "sea.epub")
    with pytest.raises(InvalidInput, match="DRM"):
        read(epub([f"<p>{A}</p>"], {"META-INF/rights.xml": "<x/>"}), "sea.epub")
    fonts = {"META-INF/encryption.xml": ENCRYPTED.format("http://www.idpf.org/2008/embedding", "fonts/a.otf")}
    assert outline(read(epub([f"<p>{A}</p>"], fonts), "sea.epub")) == [A]


def test_an_epub_of_pictures_is_refused():
    with pytest.raises(InvalidInput, match="pictures of pages and no text"):
        read(epub(["<img src='1.png'/>", "<svg><image href='2.png'/></svg>"]), "sea.epub")


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
)


def test_entities_are_never_expanded_nor_files_read():
    page = BOMB + f"<html xmlns='http://www.w3.org/1999/xhtml'><body><p>{A}</p><p>&c; &f;</p></body></html>"
    data = epub([""], {"OEBPS/text/page 0.xhtml": page})
    body = read(data, "sea.epub").body
    assert "aaaa" not in body
    assert "root:" not in body
    for part in ("META-INF/container.xml", "OEBPS/content.opf"):
        with pytest.raises(InvalidInput):
            read(epub([f"<p>{A}</p>"], {part: BOMB + "<x>&c;&f;</x>"}), "sea.epub")
    with pytest.raises(InvalidInput, match="no Word document needs"):
        read(changed(word([("", A)]), "word/document.xml", "<w:document", BOMB[21:] + "<w:document"), "sea.docx")


def test_what_unpacks_to_too_much_is_refused():
    huge = epub([f"<p>{A}</p>"], {"OEBPS/text/page 0.xhtml": b"<p>" + b"a" * 60_000_000})
    with pytest.raises(InvalidInput, match="far more than a manuscript"):
        read(huge, "sea.epub")
    with pytest.raises(InvalidInput, match="far more than a manuscript"):
        read(zipped({"META-INF/container.xml": CONTAINER} | {f"x{n}": "" for n in range(6_000)}), "sea.epub")


def test_pictures_of_a_word_document_are_within_the_bounds_too(monkeypatch: pytest.MonkeyPatch):
    """Whatever size the file says that they have."""
    with zipfile.ZipFile(io.BytesIO(word([("", A)]))) as file:
        parts: dict[str, str | bytes] = {name: file.read(name) for name in file.namelist()}
    parts["word/media/image1.png"] = b"\0" * 1_500_000
    data = bytearray(zipped(parts))
    assert outline(read(bytes(data), "sea.docx")) == [A]
    monkeypatch.setattr(zipped_file, "MOST_BYTES", 1_000_000)
    with pytest.raises(InvalidInput, match="far more than a manuscript"):
        read(bytes(data), "sea.docx")
    entry = data.rindex(b"word/media/image1.png") - 46
    data[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    with pytest.raises(InvalidInput):
        read(bytes(data), "sea.docx")


def test_a_part_that_lies_about_its_size_is_refused(monkeypatch: pytest.MonkeyPatch):
    data = epub([f"<p>{A}</p>"])
    real = zipfile.ZipFile.infolist

    def lies(self: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        parts = real(self)
        for part in parts:
            part.file_size = min(part.file_size, 10)
        return parts

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lies)
    with pytest.raises(InvalidInput):
        read(data, "sea.epub")


@pytest.mark.parametrize("name", ["sea.epub", "sea.docx"])
def test_broken_files_are_refused_with_a_sentence(name: str):
    whole = epub([f"<p>{A}</p>"]) if name.endswith("epub") else word([("", A)])
    for data in (
        whole[:200],
        whole[: len(whole) // 2],
        whole[: len(whole) // 2] + b"x" * 200,
        b"PK\x03\x04",
        b"nothing",
    ):
        with pytest.raises(InvalidInput, match=name.replace(".", r"\.")):
            read(data, name)
    flipped = bytearray(whole)
    for at in range(60, len(flipped), 37):
        flipped[at] ^= 0x55
    with pytest.raises(InvalidInput):
        read(bytes(flipped), name)


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"%PDF-1.7 ...", "sea.pdf", "PDF"),
        (b"{\\rtf1 hello}", "sea.rtf", "rich text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "sea.doc", "old Word document"),
        (b"text", "sea.html", "cannot read .html files"),
        (b"", "sea.txt", "is empty"),
        (b" \n \n", "sea.txt", "no text that can be read"),
        (bytes(range(256)) * 40, "sea.txt", "not a text file"),
        (b"x" * (MOST_BYTES + 1), "sea.txt", "larger than 30 MB"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, name: str, said: str):
    with pytest.raises(InvalidInput, match=said):
        read(data, name)


def test_a_file_is_what_it_holds_and_pasted_text_has_no_ending():
    assert format_of(epub([f"<p>{A}</p>"]), "sea.txt") == "epub"
    assert format_of(word([("", A)]), "sea") == "docx"
    assert format_of(b"text", "Chapter 3.5") == "pasted"
    assert format_of(b"text", "SEA.TXT") == "txt"
    assert format_of(b"text", "sea.markdown") == "md"


def test_no_page_is_ever_looked_for_outside(tmp_path: Path):
    secret = tmp_path / "secret.xhtml"
    secret.write_text("<p>secret</p>", encoding="utf-8")
    data = epub([f"<p>{A}</p>"]).replace(b"x", b"x")
    moved = changed(data, "OEBPS/content.opf", "text/page%200.xhtml", f"../../../..{secret}")
    with pytest.raises(InvalidInput, match="damaged"):
        read(moved, "sea.epub")
