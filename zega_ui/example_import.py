"""Import: a file of pairs, its columns mapped by eye, and what came of it, row by row."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from zega_core import importing
from zega_core.analytics import plural
from zega_core.errors import ZegaError
from zega_core.fine_tune import columns
from zega_core.fine_tune.columns import Columns
from zega_core.settings import get_settings
from zega_ui import example_import_run
from zega_ui.components import error_state, guarded, plain, section, shielded
from zega_ui.example_import_run import Import

state = st.session_state
MEGABYTES = 20
LONGEST_CELL = 300
"""Characters of a cell that the preview shows."""
PARTS = {
    "prompt": ("What was asked", True),
    "completion": ("The text", True),
    "genre": ("Genre", False),
    "element": ("Element", False),
    "tags": ("Tags", False),
}
WHOSE = {
    True: "I wrote these texts",
    False: "Somebody else wrote them",
}
MEANT = {
    True: "They are kept whatever their score, and weigh as your own pages: twice a teacher's.",
    False: "They are kept or set aside by their score, and weigh as a teacher's.",
}


def show(writer: str) -> None:
    section(
        "Import pairs",
        f"A CSV or JSONL file of up to {MEGABYTES} MB, each row with what was asked and the text that answers it. "
        "What you have already is not taken twice.",
    )
    last = example_import_run.latest(writer)
    if last is None:
        _choose(writer)
    elif last.ended:
        _outcome(writer, last)
    else:
        st.fragment(shielded(_under_way), run_every=1)(writer)


def _choose(writer: str) -> None:
    file = st.file_uploader(
        "File", type=["csv", "tsv", "txt", "jsonl", "ndjson"], max_upload_size=MEGABYTES, key="import-file"
    )
    if file is None:
        st.caption("The first rows are shown before anything is stored.")
        return
    data, name = file.getvalue(), file.name
    try:
        found = _look(file.file_id, data, name)
    except ZegaError as error:
        error_state("This file cannot be read", str(error), "Nothing was stored. Choose another file.")
        return
    _preview(found)
    mapping = _mapping(found)
    own = st.radio(
        "Whose words are they?",
        list(WHOSE),
        index=None,
        format_func=WHOSE.__getitem__,
        captions=list(MEANT.values()),
        key="import-own",
    )
    missing = _missing(found, mapping, own)
    st.button(
        "Import",
        key="import-start",
        type="primary",
        disabled=bool(missing),
        on_click=guarded,
        args=(_start, writer, name, data, mapping, bool(own), found),
    )
    st.caption(missing or "It goes on when you leave this page. Should ZEGA end, import the file again to complete it.")


def _look(identity: str, data: bytes, name: str) -> Columns:
    """What the file is; found out once for each file that is chosen."""
    held = state.get("import-look")
    if held is None or held[0] != identity:
        held = state["import-look"] = (identity, columns.look(data, name))
    return held[1]


def _preview(found: Columns) -> None:
    rows = [[str(cell)[:LONGEST_CELL] for cell in row] for row in found.first]
    frame = pd.DataFrame(rows, columns=pd.Index(found.names))
    st.dataframe(frame, hide_index=True, height="content", alt="The first rows of the file", key="import-preview")
    st.caption(f"The first {len(rows):,} of {plural(found.rows, 'row')}.")
    for note in found.notes:
        st.text(note)


def _mapping(found: Columns) -> dict[str, str]:
    chosen: dict[str, str] = {}
    grid = st.grid(3, min_column_width=180, gap="small")
    for part, (label, needed) in PARTS.items():
        guess = found.guess.get(part)
        picked = grid.selectbox(
            label,
            list(found.names),
            index=found.names.index(guess) if guess in found.names else None,
            placeholder="Choose a column" if needed else "None",
            key=f"import-{part}",
        )
        if picked is not None:
            chosen[part] = picked
    return chosen


def _missing(found: Columns, mapping: dict[str, str], own: bool | None) -> str:
    """What is to be chosen yet, in words; empty when nothing is. Chats need no columns."""
    if not mapping and found.form == "jsonl" and columns.CHAT in found.names:
        return "Say whose words they are." if own is None else ""
    if any(part not in mapping for part in columns.NEEDED):
        return "Say which column has what was asked, and which has the text."
    if mapping["prompt"] == mapping["completion"]:
        return "What was asked and the text cannot be the same column."
    return "Say whose words they are." if own is None else ""


def _start(writer: str, name: str, data: bytes, mapping: dict[str, str], own: bool, found: Columns) -> None:
    called = "row" if found.form == "csv" else "line"
    lines = partial(columns.lines, data, name, mapping)
    example_import_run.start(Import(writer, name, lines, own, found.rows, called), get_settings())


def _under_way(writer: str) -> None:
    going = example_import_run.latest(writer)
    if going is None or going.ended:
        st.rerun()
        return
    st.progress(going.share, text=f"{min(going.read, going.of):,} of {plural(going.of, 'row')} read")
    st.caption(plain(f"{going.name} is being imported: each text is scored. You can leave this page."))
    if going.stopped.is_set():
        st.caption("Stopping. What is stored stays.")
    else:
        st.button("Stop", key="import-stop", icon=":material/stop:", on_click=going.stopped.set)


def _outcome(writer: str, last: Import) -> None:
    if last.outcome is None:
        error_state("The import ended early", last.error or "It was interrupted.", key="import-error")
    else:
        said, *rest = importing.in_words(last.outcome, last.called)
        st.markdown(f"**{plain(last.name)}**")
        st.text(said)
        if not last.outcome.finished:
            st.text("It was stopped or met its limit. Import the same file again to go on.")
        for note in last.outcome.notes:
            st.text(note)
        faults = rest[len(last.outcome.notes) :]
        if faults:
            with st.expander(f"What could not be taken ({last.outcome.bad:,})", expanded=True):
                with st.container(height=260 if len(faults) > 8 else "content", key="import-faults"):
                    st.text("\n".join(faults))
                st.download_button(
                    "Download this list",
                    "\n".join([said, *rest]) + "\n",
                    file_name="import-errors.txt",
                    mime="text/plain",
                    key="import-errors",
                    on_click="ignore",
                    icon=":material/download:",
                )
    with st.container(horizontal=True, gap="small"):
        st.button("Import another file", key="import-again", on_click=example_import_run.put_away, args=(writer,))
        st.page_link(
            "pages/examples.py", label="See your imported examples", query_params={"source": ["manuscript", "import"]}
        )
