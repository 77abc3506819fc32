"""Settings from the environment, and a home that can or cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from zega_core.errors import ConfigError, HomeError
from zega_core.settings import ROOT, Settings, get_settings


def test_home_is_beside_the_app_unless_moved(monkeypatch: pytest.MonkeyPatch, home: Path):
    assert get_settings().home == home
    get_settings.cache_clear()
    monkeypatch.delenv("ZEGA_HOME")
    assert get_settings().home == ROOT / ".zega"


def test_home_may_be_written_with_a_tilde_or_relative_and_empty_is_unset(monkeypatch: pytest.MonkeyPatch):
    assert Settings(home=Path("~/zega")).home == Path.home() / "zega"
    assert Settings(home=Path("here")).home == Path.cwd() / "here"
    for name in ("ZEGA_HOME", "ZEGA_DATABASE_URL"):
        monkeypatch.setenv(name, "")
    get_settings.cache_clear()
    assert get_settings().home == ROOT / ".zega"
    assert not get_settings().uses_postgresql


@pytest.mark.parametrize("name, value", [("ZEGA_PORT", "99999"), ("ZEGA_KEEP_SCORE", "eleven"), ("ZEGA_PORT", "x")])
def test_a_setting_that_cannot_be_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        get_settings()


def test_a_home_that_cannot_be_written_gets_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(HomeError, match="choose another folder with ZEGA_HOME"):
        Settings(home=tmp_path / "file" / "home").prepare_home()


def test_the_database_address_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ZEGA_DATABASE_URL", "postgresql://ana:secret@db/zega")
    assert "secret" not in repr(get_settings())
