"""Versions: which is in use, going back, names, deleting, comparing."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support import tuned
from zega_core import db, versions
from zega_core.errors import ChangedElsewhere, InvalidInput, NotFound, ZegaError
from zega_core.settings import Settings
from zega_core.store import versions as rows

pytestmark = pytest.mark.usefixtures("database")


def in_use(settings: Settings, writer: str = "ana") -> int | None:
    with db.reading(settings) as session:
        found = rows.promoted(session, writer)
    return None if found is None else found.number


def numbers(settings: Settings, writer: str = "ana") -> list[int]:
    with db.reading(settings) as session:
        return [one.number for one in rows.all_of(session, writer)]


def test_going_back_undoes_one_choice_after_the_other(config: Settings):
    for _ in range(3):
        tuned.version(config, "ana", promote=True)
    assert in_use(config) == 3
    assert versions.roll_back("ana", config) == 2
    assert versions.roll_back("ana", config) == 1
    assert versions.roll_back("ana", config) is None
    assert in_use(config) is None
    with pytest.raises(InvalidInput, match="nothing to go back to"):
        versions.roll_back("ana", config)
    assert numbers(config) == [3, 2, 1]


def test_the_base_model_can_be_chosen_and_taken_back(config: Settings):
    tuned.version(config, "ana", promote=True)
    versions.promote("ana", None, config)
    assert in_use(config) is None
    assert versions.roll_back("ana", config) == 1
    assert in_use(config) == 1


def test_promoting_what_is_in_use_leaves_nothing_to_take_back(config: Settings):
    tuned.version(config, "ana", promote=True)
    versions.promote("ana", 1, config)
    assert versions.roll_back("ana", config) is None


def test_a_choice_made_on_an_old_page_is_refused_and_says_what_is_in_use(config: Settings):
    for _ in range(3):
        tuned.version(config, "ana")
    versions.promote("ana", 2, config, instead_of=None)
    with pytest.raises(ChangedElsewhere, match="v2 was put in use"):
        versions.promote("ana", 3, config, instead_of=None)
    assert in_use(config) == 2


def test_pressing_twice_goes_back_once(config: Settings):
    for _ in range(3):
        tuned.version(config, "ana", promote=True)
    assert versions.roll_back("ana", config, instead_of=3) == 2
    with pytest.raises(ChangedElsewhere, match="v2 was put in use"):
        versions.roll_back("ana", config, instead_of=3)
    assert in_use(config) == 2


def test_two_promotes_at_once_end_with_one_of_them_and_one_sentence(config: Settings):
    for _ in range(2):
        tuned.version(config, "ana")

    def choose(number: int) -> str:
        try:
            versions.promote("ana", number, config, instead_of=None)
        except InvalidInput as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(choose, (1, 2)))
    assert said[0] == ""
    assert "was put in use" in said[1]
    assert in_use(config) in (1, 2)


def test_a_version_whose_files_are_gone_is_not_put_in_use(config: Settings):
    tuned.version(config, "ana", promote=True)
    tuned.version(config, "ana", files=False)
    with pytest.raises(NotFound, match=r"files of v2 are not in .*backup"):
        versions.promote("ana", 2, config)
    assert in_use(config) == 1


def test_going_back_to_a_version_whose_files_are_gone_keeps_the_one_in_use(config: Settings):
    tuned.version(config, "ana", promote=True)
    tuned.version(config, "ana", promote=True)
    shutil.rmtree(versions.folder_of(config, "ana", 1))
    with pytest.raises(NotFound):
        versions.roll_back("ana", config)
    assert in_use(config) == 2


def test_the_one_in_use_cannot_be_deleted_others_can_with_their_files(config: Settings):
    tuned.version(config, "ana", promote=True)
    tuned.version(config, "ana", promote=True)
    with pytest.raises(InvalidInput, match="v2 is in use"):
        versions.delete("ana", 2, config)
    versions.delete("ana", 1, config)
    assert numbers(config) == [2]
    assert not versions.folder_of(config, "ana", 1).exists()
    assert versions.roll_back("ana", config) is None
    tuned.version(config, "ana")
    assert numbers(config) == [3, 2], "a number is never given twice"


def test_deleting_the_newest_does_not_free_its_number(config: Settings):
    tuned.version(config, "ana", promote=True)
    tuned.version(config, "ana")
    versions.delete("ana", 2, config)
    tuned.version(config, "ana")
    assert numbers(config) == [3, 1]


@pytest.mark.parametrize(
    "act",
    [
        lambda config: versions.promote("ben", 1, config),
        lambda config: versions.rename("ben", 1, "mine", config),
        lambda config: versions.delete("ben", 1, config),
    ],
)
def test_another_writers_version_is_not_found(config: Settings, act):
    tuned.version(config, "ana")
    tuned.keep(config, "ben", 1)
    with pytest.raises(NotFound, match="no version v1"):
        act(config)
    assert numbers(config) == [1]


def test_a_name_may_change_and_nothing_else_does(config: Settings):
    before = tuned.version(config, "ana")
    versions.rename("ana", 1, "  the   dark one ", config)
    with db.reading(config) as session:
        after = rows.get(session, "ana", 1)
    assert after.name == "the dark one"
    assert after.model_dump(exclude={"name"}) == before.model_dump(exclude={"name"})


@pytest.mark.parametrize("name", ["x" * 61, "two\x00", "‮backwards"])
def test_a_name_that_cannot_be_shown_is_refused(config: Settings, name: str):
    tuned.version(config, "ana")
    with pytest.raises(InvalidInput, match="60 characters"):
        versions.rename("ana", 1, name, config)


@pytest.mark.parametrize("writer", ["../ben", "", "a/b", "A" * 70])
def test_no_path_is_made_of_an_id_that_is_none(config: Settings, writer: str):
    with pytest.raises(ZegaError):
        versions.folder_of(config, writer, 1)


def test_comparing_marks_what_differs(config: Settings):
    first = tuned.version(config, "ana")
    second = tuned.version(config, "ana", examples=70, parent=1)
    found = {one.label: one for one in versions.compare(first, second)}
    assert found["Examples"].differs and (found["Examples"].first, found["Examples"].second) == ("50", "70")
    assert found["Begins from"].second == "v1"
    assert not found["Rank"].differs


def test_what_another_program_wrote_into_a_row_can_still_be_compared(config: Settings):
    hostile: dict[str, Any] = {"settings": ["no", "dict"], "metrics": {"perplexity_before": "<b>9</b>", "steps": None}}
    version = tuned.version(config, "ana", **hostile)
    assert all(not one.differs for one in versions.compare(version, version))
