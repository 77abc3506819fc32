"""What is covered is what is kept now, however it came to be so."""

from __future__ import annotations

import pytest

from tests.support.scored import add
from tests.support.talking import answered, own_words, started
from zega_core import conversation, covering, db, rating
from zega_core.questions.coverage import Coverage, coverage
from zega_core.settings import Settings
from zega_core.store import conversations

pytestmark = pytest.mark.usefixtures("database")


def test_it_is_counted_as_if_for_the_first_time(config: Settings):
    def look() -> tuple[Coverage, Coverage]:
        with db.reading() as session:
            return covering.covered(session, "ana", config), coverage(conversations.coverage_rows(session, "ana"))

    assert look()[0].total == 0
    first, second = (add(own_words(number), score=8.0, genre="horror", element="dialogue") for number in (1, 2))
    seen = [look()]
    add(own_words(3), genre="horror", modifier="humor")
    add(own_words(4), writer="ben")
    seen.append(look())
    with db.session() as session:
        rating.rate(session, "ana", first, config, decision="discard")
    seen.append(look())
    found = answered(started(), own_words(5))
    seen.append(look())
    with db.session() as session:
        rating.clear(session, "ana", first, config)
        rating.rate(session, "ana", second, config, decision="discard")  # as many as before, and other ones
    seen.append(look())
    with db.session() as session:
        conversation.edit(session, "ana", found.turn_id, f"{own_words(6)} {own_words(7)} {own_words(8)}", config)
    seen.append(look())
    with db.session() as session:
        conversation.delete(session, "ana", found.turn_id, config)
    seen.append(look())
    assert [mine.total for mine, _ in seen] == [2, 3, 2, 3, 3, 3, 2]
    for mine, counted in seen:
        assert mine == counted
