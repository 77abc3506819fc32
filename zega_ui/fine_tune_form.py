"""What a fine-tune would learn from and how, and the controls of it: each change is checked and saved at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from zega_core import charts, db
from zega_core import learning_words as words
from zega_core.analytics import plural
from zega_core.catalog import load_catalog
from zega_core.configs import FineTuneConfig
from zega_core.fine_tune.data import Summary
from zega_core.fine_tune.plan import Plan
from zega_core.jobs import client
from zega_core.learning import Outlook
from zega_core.store import fine_tunes
from zega_core.triggers import Until
from zega_ui import teaching_form as form
from zega_ui.components import chart, genre_name, guarded, plain, section

ADVANCED = "advanced"
LEARNS_FROM = "What it will learn from"
STARTS = {"auto": "ZEGA decides", "promoted": "The version in use", "base": "The base model"}


@dataclass(frozen=True, slots=True)
class Field:
    """A number that is chosen by ZEGA while its field is empty. ``config`` and ``plan`` have it under ``name``."""

    name: str
    label: str
    help: str


FIELDS = (
    Field("epochs", "Rounds at most", "How often it reads every example. It ends earlier when it gets no better."),
    Field("learning_rate", "Learning rate", "How large its steps are. Too large, and it forgets how to write."),
    Field("rank", "Rank", "How much the adapter can hold. More learns more, and learns by heart sooner."),
    Field("alpha", "Alpha", "How strongly the adapter acts; often twice the rank."),
    Field("batch_size", "Examples a step", "How many examples are looked at for one step."),
    Field("max_length", "Window, in tokens", "Longer pieces are read in several windows."),
    Field(
        "strength",
        "Strength",
        "What part of what it learned is kept, from 0.05 to 1: the more, the more of you, and the sooner broken "
        "sentences. Empty, ZEGA tries how much it can keep without writing worse than its base model.",
    ),
)
FRACTIONS: Mapping[str, tuple[float, str]] = {"learning_rate": (0.0001, "%.5f"), "strength": (0.05, "%.2f")}
"""Step and form of the fields that take no whole numbers."""


def save(writer: str, name: str, key: str) -> None:
    """A choice takes the value of the control ``key``, below which a refusal is explained; an empty field brings
    ZEGA's choice back."""
    value = st.session_state[key]
    if value is None and name in ("seed", "base"):
        value = FineTuneConfig.model_fields[name].default
    form.act(key, _change, writer, {name: value})


def _change(writer: str, values: dict[str, object]) -> None:
    with db.session() as session:
        fine_tunes.save_config(session, writer, words.changed(fine_tunes.load_config(session, writer), **values))


def back_to_choices(writer: str, config: FineTuneConfig) -> None:
    """Everything in Advanced as ZEGA would choose it; when it begins by itself stays as it is."""
    fresh = FineTuneConfig().model_dump(exclude={"automatic", "every"})
    form.act(ADVANCED, _change, writer, fresh)
    for name in FineTuneConfig.model_fields:
        st.session_state.pop(f"tune-{name}", None)


def start(writer: str) -> None:
    client.fine_tune(writer, one_at_a_time=True)


def learns_from(summary: Summary, warnings: Sequence[str]) -> None:
    """Counts, sources, quality and balance of what there is to learn from."""
    section(LEARNS_FROM, words.how_much(summary))
    _learns_from(summary, warnings)


def learns_from_folded(summary: Summary, warnings: Sequence[str]) -> None:
    """The same below what came of the last fine-tune: only how much it is and what to mind is not folded away."""
    section(LEARNS_FROM, words.how_much(summary))
    _warn(warnings)
    with st.expander("Whose words, how good, of which genres", key="learns-from"):
        _learns_from(summary, ())


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        st.markdown(f":material/balance: {plain(warning)}")


def _learns_from(summary: Summary, warnings: Sequence[str]) -> None:
    grid = st.grid(3, min_column_width=96, gap="small")
    grid.metric("Examples", f"{summary.examples:,}", help=words.splits(summary))
    grid.metric(
        "Own words",
        f"{summary.own_share:.0%}",
        help="Yours among all words that it learns from. As they weigh more, they make up "
        f"{summary.weighted_own_share:.0%} of what it learns.",
    )
    quality = "–" if summary.quality is None else f"{summary.quality:.1f}"
    grid.metric("Quality", quality, help="The mean score, from 0 to 10.")
    if summary.note:
        st.caption(f":material/edit: {summary.note}")
    _warn(warnings)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**By source**")
        st.markdown("\n".join(f"- {line}" for line in words.sources(summary)))
        for said in (words.bands(summary), words.splits(summary), words.left_out(summary)):
            if said:
                st.caption(said)
    with right:
        _genres(summary)


def _genres(summary: Summary) -> None:
    known = {key: number for key, number in summary.genres.items() if key}
    if not known:
        return
    st.markdown("**By genre**")
    listed = ", ".join(f"{genre_name(key)} {number}" for key, number in known.items())
    chart(charts.genre_distribution(known, load_catalog().genres), key="genres", alt=f"Examples by genre: {listed}")
    without = summary.genres.get("", 0)
    if without:
        st.caption(f"{plural(without, 'example')} without a genre.")


def setup(writer: str, outlook: Outlook, config: FineTuneConfig, until: Until, *, primary: bool) -> None:
    """What it takes, the button, and how it is done."""
    section("New fine-tune")
    st.button(
        "Fine-tune my model",
        type="primary" if primary else "secondary",
        icon=":material/tune:",
        width="stretch",
        disabled=bool(outlook.missing),
        on_click=guarded,
        args=(start, writer),
        key="start",
    )
    if outlook.missing:
        st.caption(outlook.missing)
    elif outlook.trouble:
        st.text(outlook.trouble)
        st.caption(
            "A model from Hugging Face is fetched when the fine-tune begins, unless Local only is on in Settings."
        )
    elif outlook.forecast is not None:
        st.caption(" ".join(outlook.forecast.sentences))
    automatic(writer, config, until)
    advanced(writer, config, outlook.plan, until.every)


def automatic(writer: str, config: FineTuneConfig, until: Until) -> None:
    """How far the next one is, and whether it begins by itself."""
    st.progress(min(1.0, until.new / until.every), text=f"{until.in_words()}.")
    st.toggle(
        "Begin by itself",
        key=form.mirror("tune-automatic", config.automatic),
        on_change=save,
        args=(writer, "automatic", "tune-automatic"),
        help="As soon as so many new examples are kept. It waits while Auto-Train writes.",
    )
    form.explain("tune-automatic")


def advanced(writer: str, config: FineTuneConfig, plan: Plan | None, every: int) -> None:
    """For those who want it: everything that ZEGA chooses by itself."""
    with st.expander("Advanced", key="advanced"):
        form.explain(ADVANCED)
        st.caption("Nothing here needs an answer. What stands in grey is what ZEGA has chosen for your examples.")
        _base(writer, config)
        st.selectbox(
            "Begin from",
            list(STARTS),
            format_func=lambda key: STARTS[key],
            key=form.mirror("tune-start", config.start),
            on_change=save,
            args=(writer, "start", "tune-start"),
            help="Going on from a version is quicker; beginning anew weighs old and new examples alike.",
        )
        form.explain("tune-start")
        grid = st.grid(2, min_column_width=140, gap="small")
        for one in FIELDS:
            _number(grid, writer, config, one, placeholder=_chosen(plan, one.name))
        _number(
            grid,
            writer,
            config,
            Field("seed", "Seed", "The order in which examples are learned. Another seed gives another version."),
        )
        _number(
            grid,
            writer,
            config,
            Field("every", "New examples a fine-tune", "At how many new kept examples it begins by itself."),
            placeholder=f"{every:,}",
        )
        if config.model_dump(exclude={"automatic", "every"}) != FineTuneConfig().model_dump(
            exclude={"automatic", "every"}
        ):
            st.button("Back to ZEGA's choices", key="tune-back", on_click=back_to_choices, args=(writer, config))


def _base(writer: str, config: FineTuneConfig) -> None:
    st.text_input(
        "Base model",
        key=form.mirror("tune-base", config.base),
        placeholder="The built-in model",
        max_chars=300,
        on_change=save,
        args=(writer, "base", "tune-base"),
        help="Empty for the built-in one. Else an id on Hugging Face, such as HuggingFaceTB/SmolLM2-135M, or a folder.",
    )
    form.explain("tune-base")
    if config.base:
        st.caption(
            "It is fetched once if it is not here yet, and nothing of yours is sent. A version fits its own base only, "
            "so the first one on another base begins anew."
        )


def _number(grid: DeltaGenerator, writer: str, config: FineTuneConfig, one: Field, placeholder: str = "1") -> None:
    value, key = getattr(config, one.name), f"tune-{one.name}"
    step, shape = FRACTIONS.get(one.name, (1, None))
    grid.number_input(
        one.label,
        value=None,
        step=step,
        format=shape,
        placeholder=placeholder,
        key=form.mirror(key, None if one.name == "seed" and value == 1 else value),
        on_change=save,
        args=(writer, one.name, key),
        help=one.help,
    )
    with grid:
        form.explain(key)


def _chosen(plan: Plan | None, name: str) -> str:
    value = getattr(plan, name, None)
    if value is None:
        return "by trying" if name == "strength" else ""
    return f"{value:g}"
