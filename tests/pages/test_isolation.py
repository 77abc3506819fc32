"""One writer reaches for another's by the address: on every page, with every id, it is as if there were none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.state.query_params_proxy import QueryParamsProxy
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from tests.pages.test_frame import PAGES
from tests.support import everything, secrets
from zega_core import db
from zega_core.jobs import queues
from zega_core.settings import Settings

ANA, BEN, NOBODY = (7001, "a"), (7002, "b"), (7003, "c")
"""The number that all rows of a writer have as their id, and the letter that their keys are made of."""
FIRST = "pages/auto_train.py"
"""What the app opens with."""
WORD = "quillfeather"
"""In every text of Ben's, and nowhere else."""
CHOICES = {
    *("tab", "proof_tab", "page", "piece", "sort", "order", "source", "genre", "element", "state", "status"),
    *("tag", "teacher", "low", "high", "rated", "edited", "text", "words"),
}
"""Names in the address that choose among what is the writer's own anyway: no id belongs there."""


class Asked:
    """Which names of the address the pages look at, and what they give out as files."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        self.files: list[bytes] = []
        for method in ("get", "get_all", "__getitem__", "__contains__"):
            patch.setattr(QueryParamsProxy, method, self._noting(getattr(QueryParamsProxy, method)))
        add, add_deferred = MediaFileManager.add, MediaFileManager.add_deferred

        def kept(manager: MediaFileManager, data: bytes | str, *rest: Any, **more: Any) -> str:
            self.files.append(data if isinstance(data, bytes) else str(data).encode())
            return add(manager, data, *rest, **more)

        def kept_later(manager: MediaFileManager, made: Callable[[], Any], *rest: Any, **more: Any) -> str:
            data = made()
            self.files.append(data if isinstance(data, bytes) else data.read() if hasattr(data, "read") else b"")
            return add_deferred(manager, made, *rest, **more)

        patch.setattr(MediaFileManager, "add", kept)
        patch.setattr(MediaFileManager, "add_deferred", kept_later)

    def _noting(self, method):
        def noted(proxy: QueryParamsProxy, name: str, *rest: object):
            self.names.add(name)
            return method(proxy, name, *rest)

        return noted


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setattr(queues, "hand_over", lambda *arguments: None)
    return Asked(monkeypatch)


def elements(node: Block) -> Iterator[Element | Block]:
    for child in node.children.values():
        yield child  # type: ignore[misc]
        if isinstance(child, Block):
            yield from elements(child)


class Visit:
    """Opens pages by their address, each in a new tab."""

    def __init__(self, script: str) -> None:
        self._script = script
        self.tabs: list[str] = []

    def at(self, page: str, **address: str) -> str:
        """All that the browser is sent for the page."""
        app = AppTest.from_file(self._script, default_timeout=60)
        app.user = secrets.claims("ana", "Ana")
        for name, value in address.items():
            app.query_params[name] = value
        if page != FIRST:
            app.switch_page(page)
        app.run()
        assert not app.exception
        assert len(app.title) == 1
        self.tabs = [tab.label for tab in app.tabs if tab.label]
        return "\n".join(f"{one.type} {one.proto}" for part in (app.main, app.sidebar) for one in elements(part))

    def addresses(self, page: str) -> list[dict[str, str]]:
        """Of the page itself, and of what it shows in tabs."""
        self.at(page)
        return [{}, *({"tab": tab} for tab in self.tabs)]


@pytest.fixture
def ana(app: AppTest, config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """Ana is signed in; Ben has something of everything, too."""
    everything.store(config, "ana", *ANA, "heron")
    everything.store(config, "ben", *BEN, WORD)
    secrets.write(tmp_path / "secrets.toml", secrets.WHOLE, monkeypatch)
    return Visit(app._script_path)


def test_both_have_something_of_everything(ana: Visit):
    with db.reading() as session:
        assert everything.tables_without(session, "ana") == []
        assert everything.tables_without(session, "ben") == []


@pytest.mark.parametrize("page", PAGES)
def test_an_id_of_another_writer_shows_what_no_id_shows(ana: Visit, asked: Asked, page: str):
    for address in ana.addresses(page):
        asked.names.clear()
        assert WORD not in ana.at(page, **address)
        for name in sorted(asked.names - CHOICES):
            for which in (0, 1):
                of_ben, of_nobody = (str(who[which]) * (32 if which else 1) for who in (BEN, NOBODY))
                theirs = ana.at(page, **address, **{name: of_ben})
                assert WORD not in theirs, (address, name)
                missing = ana.at(page, **address, **{name: of_nobody})
                assert theirs.replace(of_ben, of_nobody) == missing, (address, name)
    assert not [file for file in asked.files if WORD.encode() in file]


def test_an_id_of_her_own_opens(ana: Visit, asked: Asked):
    """Otherwise there were nothing that could differ; and these names of the address are found by the test above."""
    key, number, text = ANA[1] * 32, str(ANA[0]), "heron was written here."
    assert text in ana.at("pages/history.py", session=key)
    assert text in ana.at("pages/examples.py", example=number)
    assert "heron talk" in ana.at("pages/conversational_trainer.py", conversation=key)
    assert text in ana.at("pages/write.py", writing=key)
    ana.at("pages/fine_tune.py")
    assert "heron story" in ana.at("pages/write.py", tab="Your stories", story=number)
    assert asked.names >= {"session", "example", "conversation", "writing", "story"}
    assert any(b"heron" in file for file in asked.files)
