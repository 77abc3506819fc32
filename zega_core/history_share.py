"""One session as a page that can be given away: a single HTML file that needs nothing else, runs nothing, and holds no
text of the writer's unless that was asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from html import escape

from sqlmodel import Session

from zega_core import history, providers
from zega_core.analytics import took
from zega_core.history import Detail
from zega_core.history_detail import genre_names
from zega_core.store import examples
from zega_core.tables import Example, ExampleStatus

AT_ONCE = 100
"""Pieces that are read at a time."""
KEPT = {ExampleStatus.kept: "Kept", ExampleStatus.set_aside: "Set aside"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1d1b20; --paper: #fff; --quiet: #5c5866; --line: #d8d4de; --bar: #5b3fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceaf0; --paper: #17151b; --quiet: #b3aebd; --line: #45404f; --bar: #b9a4f2; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 44rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; width: 45%; }
.bar { background: var(--bar); height: .6rem; min-width: 2px; border-radius: 2px; }
article { border-top: 1px solid var(--line); padding: .75rem 0; } article p { white-space: pre-wrap; }
"""


def page(session: Session, writer_id: str, key: str, *, with_texts: bool = False) -> bytes:
    """The file. It names neither the writer nor the session, and no error, in which a path may stand. Raises
    NotFound."""
    found = history.detail(session, writer_id, key)
    row = found.row
    title = f"A training session of {row.started_at:%d %B %Y}".replace(" 0", " ")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
        '<meta name="referrer" content="no-referrer">',
        f"<title>{_plain(title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{_plain(title)}</h1>",
        f'<p class="quiet">{_plain(_about(found, with_texts))}</p>',
        *_table("What was chosen", found.options),
        *_table("What came of it", _figures(found)),
        *_bars("Kept by genre", _genres(found)),
        *_table("Teachers", _teachers(found)),
        *_table("Votes", [(providers.label_of(one.model), f"{one.wins} of {one.votes} won") for one in found.votes]),
    ]
    if with_texts:
        parts += ["<h2>The pieces</h2>", *_pieces(_texts(session, writer_id, found.session.id or 0))]
    return "\n".join([*parts, "</main></body></html>\n"]).encode(errors="replace")


def _plain(text: str) -> str:
    """Escaped, without what steers a reader."""
    return escape("".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs")))


def _about(found: Detail, with_texts: bool) -> str:
    who = "a program handed in" if found.session.reported else "ZEGA ran"
    texts = "The writer chose to add the texts." if with_texts else "It holds none of the texts."
    return (
        f"This is the record of one session that {who} to train a personal creative-writing model: what was asked for, "
        f"and how much of it was good enough to learn from. {texts} Scores are from 0 to 10."
    )


def _table(title: str, lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    told = list(lines)
    if not told:
        return
    yield f"<h2>{_plain(title)}</h2><table><tbody>"
    for label, value in told:
        yield f'<tr><th scope="row">{_plain(label)}</th><td>{_plain(value)}</td></tr>'
    yield "</tbody></table>"


def _bars(title: str, numbers: dict[str, int]) -> Iterator[str]:
    if not numbers:
        return
    most = max(numbers.values())
    yield f"<h2>{_plain(title)}</h2><table><tbody>"
    for label, number in numbers.items():
        width = 100 * number / most if most else 0
        bar = f'<div class="bar" style="width: {width:.0f}%" aria-hidden="true"></div>'
        yield f'<tr><th scope="row">{_plain(label)}</th><td>{number:,}{bar}</td></tr>'
    yield "</tbody></table>"


def _figures(found: Detail) -> list[tuple[str, str]]:
    row, session = found.row, found.session
    scores = "–" if row.quality is None else f"{row.quality:.1f}"
    if row.low is not None and row.high is not None:
        scores += f", from {row.low:.1f} to {row.high:.1f}"
    return [
        ("Kept", f"{row.kept} of {row.requested}"),
        ("Set aside", f"{session.num_examples_set_aside}"),
        ("Without an answer", f"{session.num_examples_failed}"),
        ("Average quality", scores),
        ("Took", took(row.seconds)),
        ("Set off a fine-tune", "Yes" if row.fine_tuned else "No"),
    ]


def _genres(found: Detail) -> dict[str, int]:
    stored = found.session.genre_distribution_json
    if not isinstance(stored, dict):
        return {}
    kept = {str(key): number for key, number in stored.items() if isinstance(number, int) and number > 0}
    return {genre_names([key]): number for key, number in sorted(kept.items(), key=lambda one: -one[1])}


def _teachers(found: Detail) -> list[tuple[str, str]]:
    return [
        (
            providers.label_of(one.model),
            f"{one.kept} kept" + ("" if one.quality is None else f", average quality {one.quality:.1f}"),
        )
        for one in found.performance
    ]


def _texts(session: Session, writer_id: str, row_id: int) -> Iterator[Example]:
    number = 1
    while some := examples.page(session, writer_id, row_id, number=number, size=AT_ONCE):
        yield from some
        number += 1


def _pieces(found: Iterable[Example]) -> Iterator[str]:
    for piece in found:
        if piece.status not in KEPT:
            continue
        score = "" if piece.quality is None else f" · {piece.quality:.1f}"
        yield f"<article><h3>{_plain(piece.prompt)}</h3>"
        yield f'<p class="quiet">{KEPT[ExampleStatus(piece.status)]}{score} · {_plain(genre_names([piece.genre]))}</p>'
        yield f"<p>{_plain(piece.completion)}</p></article>"
