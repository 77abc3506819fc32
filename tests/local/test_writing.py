"""Writing through the real process of this machine: what comes is stored, and Stop reaches the model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.quick import WORD
from tests.support.worker import until
from zega_core import db, writing
from zega_core.local import process
from zega_core.settings import Settings
from zega_core.writing_authors import NO_VERSION
from zega_core.writing_configs import WriteRequest
from zega_core.writing_tables import Take, TakeState

pytestmark = pytest.mark.crash


@pytest.fixture(autouse=True)
def none_outlives_the_test(config: Settings) -> Iterator[None]:
    yield
    process.end(config)
    child = process._children.pop(config.home, None)
    if child is not None:
        child.kill()
        child.wait(10)


def take_of(key: str) -> Take:
    with db.reading() as session:
        return writing.state(session, "ana", key)[1][0]


def test_the_real_one_writes_and_is_stopped(config: Settings):
    request = WriteRequest(writer_id="ana", brief="A lighthouse.", genre="mystery", words=800, seed=3)
    key = writing.start(request, config).key
    assert NO_VERSION in take_of(key).note
    until(lambda: len(take_of(key).text) > 60 or take_of(key).state != TakeState.writing, 120)
    writing.stop("ana", key, config)
    assert writing.wait(key, 60)
    assert (take_of(key).state, take_of(key).error) == (TakeState.stopped, "")
    assert len(take_of(key).text) > 60


def test_the_same_seed_writes_the_same_and_the_next_take_another(config: Settings):
    request = WriteRequest(writer_id="ana", brief="A lighthouse.", genre="mystery", words=20, seed=3)
    texts: list[str] = []
    key = ""
    for _ in range(2):
        key = writing.start(request, config).key
        assert writing.wait(key, 120)
        assert take_of(key).state == TakeState.done
        texts.append(take_of(key).text)
    writing.again("ana", key, config)
    assert writing.wait(key, 120)
    with db.reading() as session:
        texts.append(writing.state(session, "ana", key)[1][1].text)
    assert texts[0] == texts[1] != texts[2]


def test_stop_ends_what_the_process_writes(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "MODULE", "tests.local.quick")
    monkeypatch.setenv("ZEGA_TEST_DELAY", "0.05")
    key = writing.start(WriteRequest(writer_id="ana", brief="A lighthouse.", words=800), config).key
    until(lambda: WORD.strip() in take_of(key).text, 60)
    writing.stop("ana", key, config)
    assert writing.wait(key, 30)  # all of it would take a minute
    assert take_of(key).state == TakeState.stopped
    again = writing.start(WriteRequest(writer_id="ana", brief="A lighthouse.", words=20), config).key
    assert writing.wait(again, 30)
    assert (take_of(again).state, take_of(again).cut) == (TakeState.done, True)
