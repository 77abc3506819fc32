"""Privacy: what leaves this machine, to whom, and what stays."""

import streamlit as st

from zega_core import db, providers, teacher_checks, teacher_words, teachers
from zega_core.analytics import plural
from zega_core.settings import get_settings
from zega_core.store import ledger
from zega_core.store.ledger import Sent
from zega_core.teachers import Place
from zega_ui import teaching_form as form
from zega_ui.boot import open_page
from zega_ui.components import page_header, plain, section
from zega_ui.teacher_cards import clock

writer = open_page()
settings = get_settings()


def summary() -> None:
    away = [one for one in sent if one.remote and one.chars]
    if not away:
        st.markdown("**:green[:material/home:] Nothing has left this machine.**")
        return
    calls, chars = sum(one.calls for one in away), sum(one.chars for one in away)
    names = ", ".join(dict.fromkeys(providers.label_of(one.provider) for one in away))
    st.markdown(
        f"**:orange[:material/cloud_upload:] {plural(calls, 'request')} with {plural(chars, 'character')} left this "
        f"machine so far, to {plain(names)}.**"
    )


def service(place: Place) -> None:
    with st.container(key=f"feed-{place.key}", gap="xsmall"):
        st.subheader(place.label, anchor=False)
        where = teacher_words.where(place) or "No address is known"
        icon = "computer" if place.local else "cloud_upload" if place.access.base_url else "link_off"
        why_not = place.absent.partition(".")[0]
        asked = f"It is not asked: {why_not[:1].lower()}{why_not[1:]}." if place.absent else "It is asked."
        st.markdown(f":material/{icon}: {plain(where)}. {plain(asked)}")
        for words in teacher_words.in_the_cloud(place, standings[place.key]):
            st.markdown(f":material/cloud: {plain(words)}")
        terms = f" · [Terms of {place.label}]({place.provider.terms_page})" if place.provider.terms_page else ""
        said = [so_far(one) for one in sent if one.provider == place.key] or ["Nothing sent so far"]
        st.caption(f"{'; '.join(said)}{terms}")


def so_far(one: Sent) -> str:
    where = "elsewhere" if one.remote else "on this machine"
    text = f"{plural(one.calls, 'request')} with {plural(one.chars, 'character')}"
    return f"{text} {where} so far, the last at {clock(one.last)}"


def what_leaves() -> None:
    section("What leaves")
    summary()
    st.markdown(
        "With each piece of Auto-Train a service gets the request for it: element, genre, prompt and style, from "
        "ZEGA's own lists, and names and phrases to avoid, from pieces that teachers wrote. **Nothing you wrote.** A "
        "judge also gets the piece that it scores, and a test in Settings asks for one sentence. The key for a "
        "service goes to that service only. Fine-tuning sends nothing; a base model that you name is fetched from "
        "Hugging Face once, unless *Local only* is on."
    )
    st.markdown(
        "**What you wrote** goes to a service in three cases. On the page Write, where you choose a teacher: your "
        "brief, the text to work on, hints on your style, and remembered texts. In a conversation: what you said your "
        "model should be able to do, with the questions asked so far, never your answers. Of your own pages: the "
        "passages, where you let a teacher write their prompts."
    )
    st.markdown(
        "**The API** sends nothing by itself. While it runs (`zega api`), whoever holds one of your keys can read and "
        "change all that is yours here, and a program on this machine can do so without a key unless people sign in: "
        "give a key only to programs you trust, and revoke it in Settings when you no longer need it."
    )
    for place in places:
        service(place)
    st.page_link("pages/settings.py", label="Change who is asked", icon=":material/settings:")


def local_only() -> None:
    section("Local only")
    form.explain(form.RULES)
    st.toggle(
        "Ask nobody outside this machine",
        key=form.mirror("privacy_local_only", config.local_only),
        on_change=form.set_rule,
        args=(writer, "local_only", "privacy_local_only"),
    )
    st.caption(teacher_words.local_only_in_words(config.local_only))


def what_stays() -> None:
    section("What stays here")
    for icon, what, at in teacher_words.kept_here(settings):
        with st.container(gap="xxsmall"):
            st.markdown(f":material/{icon}: {plain(what)}")
            st.text(at)
    st.caption(
        "ZEGA counts and reports nothing about you. Its pages ask nothing of the internet by themselves: fonts and "
        "icons are part of it."
    )


page_header("Privacy", "What leaves this machine, to whom, and what stays.")
config = form.load(writer)
places = teachers.places(settings, config)
with db.reading() as opened:
    sent = ledger.sent(opened, writer)
    standings = {place.key: teacher_checks.standing(opened, writer, place) for place in places}
main, side = st.columns([7, 5], gap="large")
with main:
    what_leaves()
with side:
    with st.container(border=True, key="local-only"):
        local_only()
    what_stays()
