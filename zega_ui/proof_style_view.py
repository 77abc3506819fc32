"""Style of both and of the writer, as a radar and in numbers."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from zega_core import charts, figure_words
from zega_core.proof.figures import Figures
from zega_core.proof_tables import Proof
from zega_ui.components import chart, plain


def show(row: Proof, found: Figures | None) -> None:
    sides = figure_words.sides(found.style) if found is not None and found.style is not None else []
    if found is None or found.style is None or not sides:
        st.text(figure_words.no_style(row, found))
        return
    names = {
        "writer": figure_words.whose(found.style),
        "before": figure_words.before(row),
        "after": figure_words.after(row),
    }
    values = {key: [getattr(one, key) for one in sides] for key in names}
    st.text(figure_words.style(found.style, row))
    figure = charts.style_radar([one.label for one in sides], values, names)
    chart(figure, key=f"radar-{row.id}", alt=figure_words.style_in_numbers(found.style, row))
    st.caption(figure_words.measured_on(found.style))
    with st.expander("The same in numbers", key=f"radar-numbers-{row.id}"):
        columns = {name: [f"{value:+.1f}" for value in values[key]] for key, name in names.items()}
        frame = pd.DataFrame(columns, index=pd.Index([plain(one.label) for one in sides], name="Side of style"))
        st.table(frame, border="horizontal", alt="Style in standard deviations from published prose")
        st.caption("Standard deviations from published prose; 0 is as it is on average there.")
