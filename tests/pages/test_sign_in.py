"""The app where people sign in: shut until they have, then theirs alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.pages.test_frame import PAGES
from tests.support import secrets
from tests.support.secrets import WHOLE, claims
from zega_core import db
from zega_core.settings import ROOT
from zega_core.store import writers

ANA, BEN = claims("1", "Ana", "ana@example.org"), claims("2", "Ben")


@pytest.fixture
def shut(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app with signing in set up, and a local writer from before."""
    with db.session() as session:
        writers.ensure(session, "maria")
    secrets.write(tmp_path / "secrets.toml", WHOLE, monkeypatch)
    return AppTest.from_file(app._script_path, default_timeout=30)


def shown(app: AppTest) -> str:
    assert not app.exception
    return all_text(app)


@pytest.mark.parametrize("user", [{}, {"is_logged_in": False, "iss": "a", "sub": "1"}])
def test_no_page_opens_before_somebody_signed_in(shut: AppTest, user: dict[str, object]):
    shut.user = user
    shut.run()
    shut.session_state["writer_id"] = "maria"
    for page in PAGES:
        shut.switch_page(page).run()
        assert [title.value for title in shut.title] == ["Sign in"]
        assert [button.label for button in shut.button] == ["Sign in"]
        assert not shut.sidebar.children
        assert "maria" not in shown(shut)


def test_a_new_person_gets_a_writer_of_their_own(shut: AppTest):
    shut.user = ANA
    shut.run()
    assert "Ana\nana@example.org" in shown(shut)
    assert "Writer: ana" in shown(shut)
    assert not [box for box in shut.selectbox if box.key == "writer_id"]
    assert not [button for button in shut.button if button.key == "add_writer"]
    with db.reading() as session:
        assert sorted(writers.ids(session)) == ["ana", "default", "maria"]


def test_nothing_in_tab_or_address_chooses_another_writer(shut: AppTest):
    shut.user = BEN
    shut.run()
    for page in PAGES:
        shut.session_state["writer_id"] = "maria"
        for name in ("writer", "writer_id", "user", "user_id", "new_writer"):
            shut.query_params[name] = "maria"
        shut.switch_page(page).run()
        assert "Writer: ben" in shown(shut)
        assert "maria" not in shown(shut)


def test_signing_out_closes_every_page(shut: AppTest):
    shut.user = ANA
    shut.run()
    shut.button(key="sign_out").click().run()
    assert shut.user["is_logged_in"] is False
    assert [title.value for title in shut.title] == ["Sign in"]


@pytest.mark.parametrize("user", [{}, ANA])
def test_a_broken_set_up_opens_nothing(
    shut: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: dict[str, object]
):
    secrets.write(tmp_path / "secrets.toml", WHOLE.replace("client_id", "client"), monkeypatch)
    shut.user = user
    shut.run()
    assert [title.value for title in shut.title] == ["Sign in"]
    assert "client_id is missing" in shown(shut)
    assert not shut.button
    assert not shut.sidebar.children


def test_what_only_streamlit_found_opens_nothing(shut: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    secrets.write(tmp_path / "secrets.toml", "", monkeypatch)
    shut.user = ANA
    shut.run()
    assert "the section [auth] must be in" in shown(shut)


def test_somebody_who_cannot_be_told_from_others_is_kept_out(shut: AppTest):
    shut.user = ANA | {"sub": ""}
    shut.run()
    assert "did not say who you are" in shown(shut)
    assert [button.key for button in shut.button] == ["sign_out"]
    with db.reading() as session:
        assert sorted(writers.ids(session)) == ["default", "maria"]


def test_with_several_providers_there_is_a_button_each(shut: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    both = f"{secrets.SHARED}[auth.google]{secrets.PROVIDER}[auth.my-school]{secrets.PROVIDER}"
    secrets.write(tmp_path / "secrets.toml", both, monkeypatch)
    shut.run()
    assert [button.label for button in shut.button] == ["Sign in with Google", "Sign in with My School"]


def test_a_page_without_the_frame_around_it_opens_for_nobody(shut: AppTest):
    for page in PAGES:
        alone = AppTest.from_file(str(ROOT / page), default_timeout=30).run()
        assert [error.proto.type for error in alone.exception] == ["zega_core.errors.NotFound"], page
        assert len(alone.main.children) == 1, page
