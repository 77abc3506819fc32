"""The pieces every page is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import wraps
from logging import getLogger
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import plotly.graph_objects as go
import streamlit as st

from zega_core import providers
from zega_core.catalog import Element, Genre, Modifier, load_catalog
from zega_core.errors import ZegaError
from zega_core.settings import get_settings
from zega_core.tables import Example, ExampleStatus
from zega_core.taste import difference

log = getLogger(__name__)
CHART = {"displayModeBar": False, "responsive": True, "scrollZoom": False}


def page_header(title: str, lede: str) -> None:
    st.title(title, anchor=False)
    with st.container(key="lede"):
        st.markdown(f":gray[{lede}]")


def section(title: str, note: str | None = None) -> None:
    st.header(title, anchor=False)
    if note:
        st.caption(note)


def chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """The only call of st.plotly_chart: theme, settings and a text alternative for all."""
    st.plotly_chart(figure, key=key, alt=alt, config=CHART, theme="streamlit", width="stretch")


def empty_state(icon: str, title: str, body: str, action: Callable[[], Any] | None = None) -> None:
    with st.container(border=True, key="empty", horizontal_alignment="center", gap="small"):
        st.space("small")
        with st.container(key="glyph-empty"):
            st.markdown(f":gray[:material/{icon}:]", text_alignment="center")
        st.header(title, anchor=False, text_alignment="center")
        st.markdown(f":gray[{body}]", text_alignment="center", width=440)
        if action:
            action()
        st.space("small")


def error_state(
    title: str, what_happened: str, what_now: str = "", action: Callable[[], Any] | None = None, key: str = "error"
) -> None:
    with st.container(border=True, key=key):
        st.markdown(f"**:red[:material/error:] {title}**")
        st.text(what_happened)
        if what_now:
            st.markdown(f":gray[{what_now}]")
        if action:
            action()


def shielded(draw: Callable[..., None]) -> Callable[..., None]:
    """For a part of a page that redraws itself: app.py's handling of errors does not reach it there."""

    @wraps(draw)
    def drawn(*arguments: object) -> None:
        try:
            draw(*arguments)
        except ZegaError as error:
            error_state("This cannot be shown just now", str(error), key=f"error-{draw.__name__}")
        except Exception:  # st.rerun and st.stop are not Exceptions and pass
            log.exception("%s could not be drawn", draw.__name__)
            error_state("This cannot be shown just now", "What is written is safe.", key=f"error-{draw.__name__}")

    return drawn


def guarded(action: Callable[..., None], *arguments: object) -> None:
    """Run what a button asks for; when it is refused, ``refusal`` says why at the next drawing."""
    st.session_state.pop("refusal", None)
    try:
        action(*arguments)
    except ZegaError as error:
        st.session_state["refusal"] = str(error)


def refusal() -> None:
    """Say why the last press was refused, once."""
    if "refusal" in st.session_state:
        error_state("That could not be done", st.session_state.pop("refusal"), key="refusal-shown")


def plain(text: str) -> str:
    """For Markdown: the text itself, whatever it holds. Streamlit makes dashes and arrows of ``--`` and ``->`` even
    where they are escaped; a mark that is not seen, between the two, keeps it from that."""
    apart = re.sub(r"(?<=[-<>~=])(?=[-<>=])", "\u2060", text)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", apart)


def genre_label(genre: Genre) -> str:
    """Markdown: the genre's icon in its colour, and its name."""
    return f':color[:material/{genre.icon}:]{{foreground="{genre.color}"}} {genre.label}'


def genre_label_of(key: str) -> str:
    """The same for a stored key, which an older or newer catalog may have written."""
    return next((genre_label(genre) for genre in load_catalog().genres if genre.key == key), key)


def genre_name(key: str) -> str:
    return _word(load_catalog().genres, key, "label")


def element_name(key: str) -> str:
    return _word(load_catalog().elements, key, "label")


def _word(entries: Sequence[Genre | Element | Modifier], key: str, attribute: str) -> str:
    """What a stored key is called; itself when this catalog does not know it."""
    return next((getattr(entry, attribute) for entry in entries if entry.key == key), key)


def prose(text: str, key: str) -> None:
    """What a writer or a model wrote, exactly as written. Markdown would rewrite it."""
    with st.container(key=f"prose-{key}"):
        st.text(text)


def local_zone() -> tzinfo:
    """That of the reader's browser; UTC when it names none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return UTC


def local_time(moment: datetime) -> datetime:
    """In the zone of the reader's browser."""
    return moment.astimezone(local_zone())


def score_badge(example: Example) -> None:
    points = "–" if example.quality is None else f"{example.quality:.1f}"
    if example.status == ExampleStatus.failed:
        st.badge("no answer", icon=":material/cloud_off:", color="red")
    elif example.status == ExampleStatus.kept:
        color = "green" if (example.quality or 0) >= get_settings().story_score else "blue"
        st.badge(f"{points} kept", icon=":material/bookmark_added:", color=color)
    else:
        word = "duplicate" if example.duplicate_of else "set aside"
        st.badge(f"{points} {word}", icon=":material/remove:", color="gray")


def heading_of(example: Example, *, teacher: bool = True) -> None:
    """Genre and element, and with ``teacher`` who wrote it and what it scored."""
    element = element_name(example.element)
    genre = genre_label_of(example.genre) if example.genre else "Genre not known"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{genre}**")
        if not teacher:
            st.caption(element, width="stretch")
            return
        best_of = f" · best of {example.votes}" if example.votes > 1 else ""
        who = providers.label_of(example.model) if example.model else example.origin or "your own words"
        st.caption(plain(" · ".join(filter(None, (element, f"{who}{best_of}")))), width="stretch")
        score_badge(example)


def piece(example: Example, *, whole: bool, below: Callable[[Example], None] | None = None) -> None:
    """One example: genre, element, teacher, score, text, and why it scored so. ``whole`` shows all of it,
    otherwise two lines with the rest a click away. ``below`` draws what belongs under a whole text."""
    with st.container(key=f"feed-{example.id}", gap="xxsmall"):
        heading_of(example)
        if example.status == ExampleStatus.failed:
            st.caption(example.reason or "There was no answer.")
            return
        if whole:
            prose(example.completion, f"{example.id}")
            if below is not None:
                below(example)
            with st.expander("Why it scored so", key=f"why-{example.id}"):
                why(example)
            return
        prose(example.completion.replace("\n\n", "\n"), f"clamp-{example.id}")
        with st.expander("Read it, and why it scored so", key=f"read-{example.id}"):
            prose(example.completion, f"whole-{example.id}")
            why(example)


def asked_for(example: Example) -> str:
    said = f"Asked for: {example.prompt}"
    if example.modifier:
        said += f"\nStyle: {_word(load_catalog().modifiers, example.modifier, 'text')}"
    return said


def why(example: Example, *, asked: bool = True) -> None:
    """What was asked for, why it was set aside, and the reasons for its score."""
    if asked:
        st.text(asked_for(example))
    if example.reason and example.status == ExampleStatus.set_aside:
        st.text(f"Set aside: {example.reason}")
    report = example.quality_report if isinstance(example.quality_report, dict) else {}
    same_rules = report.get("version") == example.quality_version  # not so in the middle of scoring again
    if same_rules and (said := difference(report.get("score"), example.quality)):
        st.text(f"{said}.")
    if example.judge_score is not None:
        judgement = example.judge_report if isinstance(example.judge_report, dict) else {}
        who = providers.label_of(str(judgement.get("model", "")))
        st.text(f"The judge, {who}, gave {example.judge_score:.1f}. {judgement.get('reason', '')}")
    st.text("\n".join(_sides(report.get("criteria"))) or "No reasons are stored for its score.")


def _sides(criteria: object) -> list[str]:
    """A line for each criterion; what is stored may be another version's."""
    known = [one for one in criteria if isinstance(one, dict)] if isinstance(criteria, list) else []
    return [
        f"{one.get('label', '')} {one['score']:.1f}: {' '.join(map(str, one.get('reasons') or []))}"
        for one in known
        if isinstance(one.get("score"), int | float)
    ]
