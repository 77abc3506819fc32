"""Take it with you: training data and models, made by a worker, with what to do with them next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from zega_core import db, exporting, fine_tune_words, versions
from zega_core import export_words as words
from zega_core.analytics import no_sign_of_life
from zega_core.errors import ZegaError
from zega_core.exports.formats import Format
from zega_core.jobs import client
from zega_core.proof_tables import Export
from zega_core.settings import get_settings
from zega_core.store import examples, exports
from zega_core.tables import UNFINISHED, RunStatus, now
from zega_core.version_tables import Version
from zega_ui import teaching_form as form
from zega_ui.components import error_state, plain, shielded
from zega_ui.teacher_cards import clock

WHERE = "exports"
EARLIER = 5
"""Exports on a page of the earlier ones."""
CARD, LONGEST_CARD = "README.md", 100_000
CHOOSER = 380
"""Pixels that a chooser of versions is wide."""


def show(writer: str, mine: Sequence[Version], promoted: Version | None, rows: Sequence[Export]) -> None:
    """Both groups of formats with what was made last of each, then what was made before."""
    with db.reading() as session:
        kept = examples.count_kept(session, writer)
    if not mine and not kept and not rows:
        return
    st.header("Take it with you", anchor="take-it-with-you")
    st.caption("What you made here is yours: write with it in other programs, or train another model elsewhere.")
    form.explain(WHERE)
    groups = words.GROUPS["model"], words.GROUPS["data"]
    model, data = st.tabs(groups, default=groups[0] if mine else groups[1])
    with model:
        shown = _models(writer, mine, promoted, rows)
    with data:
        shown += _data(writer, mine, kept, rows)
    earlier = [row for row in rows if row not in shown]
    if earlier:
        with st.expander(f"Earlier exports ({len(earlier)})", key="exports-earlier"):
            _earlier(writer, earlier, mine)


def _models(writer: str, mine: Sequence[Version], promoted: Version | None, rows: Sequence[Export]) -> list[Export]:
    if not mine:
        st.caption("Your first fine-tune makes a model; then it can be taken from here.")
        return []
    by_number = {version.number: version for version in mine}
    number = (promoted or mine[0]).number
    if len(mine) > 1:
        used = None if promoted is None else promoted.number
        number = st.selectbox(
            "Version to take",
            list(by_number),
            index=list(by_number).index(number),
            key="export-version",
            width=CHOOSER,
            format_func=lambda one: fine_tune_words.title(by_number[one]) + (", in use" if one == used else ""),
        )
    return _formats(writer, "model", rows, number)


def _data(writer: str, mine: Sequence[Version], kept: int, rows: Sequence[Export]) -> list[Export]:
    if not mine and not kept:
        st.caption("Examples that are kept can be taken from here.")
        return []
    numbers: list[int | None] = [*([None] if kept else []), *(version.number for version in mine)]
    number = st.selectbox(
        "Examples to take",
        numbers,
        key="export-examples",
        width=CHOOSER,
        format_func=lambda one: words.examples(one, kept),
    )
    return _formats(writer, "data", rows, number)


def _formats(writer: str, kind: str, rows: Sequence[Export], number: int | None) -> list[Export]:
    """The easiest way, and the others folded away unless one of them has something to say; the newest export of
    each."""
    first, *others = words.formats(kind)
    newest = {one.key: _newest(rows, one, number) for one in (first, *others)}
    _format(writer, first, newest[first.key], number)
    said = any(row is not None and row.status != RunStatus.done for row in (newest[one.key] for one in others))
    with st.expander(words.other_ways(others), expanded=said, key=f"exports-other-{kind}"):
        for one in others:
            _format(writer, one, newest[one.key], number)
    return [row for row in newest.values() if row is not None]


def _newest(rows: Sequence[Export], one: Format, number: int | None) -> Export | None:
    return next((row for row in rows if (row.format, row.version_number) == (one.key, number)), None)


def _format(writer: str, one: Format, row: Export | None, number: int | None) -> None:
    """A format with its button, and ``row``, the newest export of it."""
    with st.container(key=f"feed-export-{one.key}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(gap="xxsmall", width="stretch"):
                st.markdown(f"**{plain(words.label(one))}**")
                st.caption(plain(one.what))
            st.button(
                words.button(one, again=row is not None and row.status == RunStatus.done),
                key=f"export-{one.key}",
                disabled=row is not None and row.status in UNFINISHED,
                on_click=form.act,
                args=(WHERE, _make, writer, one.key, number),
            )
        if row is not None:
            _made(writer, row)


def _make(writer: str, key: str, number: int | None) -> None:
    client.export(writer, key, number, one_at_a_time=True)


def _made(writer: str, row: Export) -> None:
    """Where an export is, or what came of it."""
    if row.status in UNFINISHED:
        st.fragment(shielded(_live), run_every=1)(writer, row.run_id, row.status)
        stopping = row.status == RunStatus.stopping
        _button(
            "Stopping" if stopping else "Stop it", "stop_circle", client.stop_export, writer, row, disabled=stopping
        )
        return
    if row.status == RunStatus.done:
        _done(writer, row)
        return
    if row.status == RunStatus.failed:
        why = row.error or "It ended without a reason. logs/worker.log may have one."
        error_state("It could not be made", why, key=f"export-failed-{row.id}")
    else:
        st.caption("It was stopped, and nothing is left of it.")
    _button("Clear it away", "delete", exporting.delete, writer, row, get_settings())


def _live(writer: str, run_id: str, seen: str) -> None:
    """Redrawn every second; the whole page is when it begins, stops or ends."""
    with db.reading() as session:
        row = exports.get(session, writer, run_id)
    if row.status != seen:
        st.rerun()
    st.markdown(f":gray[:material/hourglass_top:] {plain(words.progress(row))}")
    if row.status != RunStatus.queued and (trouble := no_sign_of_life(row.heartbeat_at or row.created_at, now())):
        st.text(trouble)


def _done(writer: str, row: Export) -> None:
    when = f" · made {clock(row.completed_at)}" if row.completed_at else ""
    st.caption(plain(f"{words.facts(row)}{when}"))
    try:
        folder = exporting.whole(row, get_settings())
    except ZegaError as error:
        st.text(str(error))
        _button("Delete it", "delete", exporting.delete, writer, row, get_settings())
        return
    _checked(row)
    typed = words.typed(row, folder, versions.model_name(writer), _card(folder))
    for note in words.notes(row, typed):
        st.text(note)
    if typed:
        st.code(typed, language=None, wrap_lines=True)
    st.caption(plain(f"In {folder}"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if words.can_download(row):
            _download(row)
        _button("Delete it", "delete", exporting.delete, writer, row, get_settings())


def _card(folder: Path) -> str:
    try:
        return (folder / CARD).read_text(encoding="utf-8")[:LONGEST_CARD]
    except (OSError, UnicodeDecodeError):
        return ""


def _download(row: Export) -> None:
    st.download_button(
        f"Download ({words.size_of(row)})",
        data=lambda: exporting.archive(row, get_settings()).read_bytes(),
        file_name=f"{row.folder}.zip",
        mime="application/zip",
        key=f"export-download-{row.id}",
        icon=":material/download:",
        on_click="ignore",
    )


def _checked(row: Export) -> None:
    found = words.checks(row)
    if not found:
        return
    with st.expander(words.checked(found), expanded=not all(one.ok for one in found), key=f"export-checks-{row.id}"):
        for one in found:
            mark = ":green[:material/check_circle:]" if one.ok else ":red[:material/cancel:]"
            st.markdown(f"{mark} {plain(f'{words.passed(one)} {one.said}')}")


def _button(
    label: str, icon: str, action: object, writer: str, row: Export, *more: object, disabled: bool = False
) -> None:
    st.button(
        label,
        key=f"export-{icon}-{row.id}",
        icon=f":material/{icon}:",
        type="tertiary",
        disabled=disabled,
        on_click=form.act,
        args=(WHERE, action, writer, row.run_id, *more),
    )


def _earlier(writer: str, rows: Sequence[Export], mine: Sequence[Version]) -> None:
    pages = -(-len(rows) // EARLIER)
    slot = st.container()
    at = st.pagination(pages, key="exports_page", max_visible_pages=5) if pages > 1 else 1
    there = {version.number for version in mine}
    with slot:
        for row in rows[(min(at, pages) - 1) * EARLIER : min(at, pages) * EARLIER]:
            with st.container(key=f"feed-earlier-{row.id}", gap="xsmall"):
                st.markdown(f"**{plain(words.title(row))}**")
                if row.version_number is not None and row.version_number not in there:
                    st.caption(f"v{row.version_number} itself has been deleted since.")
                _made(writer, row)
