"""Writing with torch: what is written, when it ends, what is kept warm, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.local.tiny import tiny_base, tiny_version
from zega_core.errors import InvalidInput, NotFound, ProviderUnavailable, ZegaError
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form
from zega_core.local.engine import Engine
from zega_core.local.names import ModelName
from zega_core.local.protocol import Begun, Writing, Written
from zega_core.settings import Settings

PROMPT = "A lantern that remembers."
V3 = ModelName("ana", 3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with version 3 of ana, made once."""
    folder = tmp_path_factory.mktemp("made")
    tiny_version(folder / "home", tiny_base(folder / "base"))
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil. The version still says where its base first was."""
    shutil.copytree(made / "home", tmp_path / "place")
    return tmp_path / "place"


def engine_of(home: Path, **settings: Any) -> Engine:
    return Engine(Settings(home=home), **settings)


def wrote(engine: Engine, writing: Writing, *, stop_after: int | None = None) -> tuple[list[str], Begun, Written]:
    pieces: list[str] = []
    begun: list[Begun] = []
    stop = threading.Event()

    def tell(item: Begun | str) -> None:
        if isinstance(item, Begun):
            begun.append(item)
            return
        pieces.append(item)
        if stop_after is not None and len(pieces) >= stop_after:
            stop.set()

    done = engine.write(writing, tell, stop)
    return pieces, begun[0], done


def unmerged(base: Path, folder: Path, tokens: int) -> str:
    """What the library itself writes with the adapter beside the base, the likeliest token each time."""
    model, tokenizer = bases.load(base, dtype=torch.float32, device="cpu")
    tuned = bases.load_adapter(model, folder, bases.weights_hash(base))
    asked = torch.tensor([form.prompt_ids(tokenizer, PROMPT)])
    with torch.inference_mode():
        found = tuned.generate(
            input_ids=asked, attention_mask=torch.ones_like(asked), do_sample=False, max_new_tokens=tokens
        )
    return tokenizer.decode(found[0, asked.shape[1] :], skip_special_tokens=True)


def test_a_merged_version_writes_what_the_adapter_beside_its_base_does(made: Path):
    greedy = Writing(V3, PROMPT, max_tokens=40, temperature=0)
    text = "".join(wrote(engine_of(made / "home"), greedy)[0])
    assert text == unmerged(made / "base", made / "home/versions/ana/v3", 40)
    bare = "".join(wrote(engine_of(made / "home"), replace(greedy, name=ModelName(base=str(made / "base"))))[0])
    assert text != bare


def test_the_same_seed_writes_the_same_and_another_does_not(made: Path):
    engine, writing = engine_of(made / "home"), Writing(V3, PROMPT, max_tokens=30, seed=5)
    first, begun, done = wrote(engine, writing)
    assert wrote(engine, replace(writing, seed=6))[0] != first
    assert wrote(engine, writing) == (first, begun, done)
    assert wrote(engine_of(made / "home"), writing)[0] == first
    assert begun == Begun(len(form.prompt_ids(engine.shelf.take(V3).tokenizer, PROMPT)), 0)
    assert done == Written(30, "length")


def test_options_change_what_is_written(made: Path):
    engine, writing = engine_of(made / "home"), Writing(V3, PROMPT, max_tokens=30, seed=5)
    plain = wrote(engine, writing)[0]
    for other in ({"temperature": 1.9}, {"top_p": 0.1}, {"repetition_penalty": 0.5}):
        assert wrote(engine, replace(writing, **other))[0] != plain


def test_the_built_in_model_ends_by_itself_and_shows_no_mark(tmp_path: Path):
    pieces, begun, done = wrote(
        engine_of(tmp_path), Writing(ModelName(), "<|end|>Describe the setting of a harbour.", seed=2)
    )
    assert done.finish == "stop"
    assert len(pieces) > 5
    assert "<|" not in "".join(pieces)
    assert begun.cut == 0


def test_every_mark_ends_a_text_and_none_is_shown(made: Path):
    engine = engine_of(made / "home")
    warm = engine.shelf.take(V3)
    mark = warm.tokenizer.convert_tokens_to_ids("<|prompt|>")
    with torch.no_grad():
        head = warm.model.get_output_embeddings()
        biased = torch.nn.Linear(head.in_features, head.out_features)
        biased.weight = head.weight
        biased.bias = torch.nn.Parameter(torch.zeros(head.out_features))
        biased.bias[mark] = 1e4
        warm.model.set_output_embeddings(biased)
    pieces, _, done = wrote(engine, Writing(V3, PROMPT, max_tokens=30))
    assert (pieces, done) == ([], Written(1, "stop"))


def test_stop_ends_it_within_a_token_or_two(made: Path):
    pieces, _, done = wrote(engine_of(made / "home"), Writing(V3, PROMPT, max_tokens=150), stop_after=3)
    assert done.finish == "stop"
    assert 3 <= done.tokens <= 12  # a piece may take some tokens to be whole characters
    assert len(pieces) <= 4


def test_stop_before_its_turn_loads_nothing(made: Path):
    engine, stop, told = engine_of(made / "home"), threading.Event(), []
    stop.set()
    assert engine.write(Writing(V3, PROMPT), told.append, stop) == Written(0, "stop")
    assert (told, engine.shelf.names) == ([], [])


def test_a_prompt_that_is_too_long_loses_its_middle(made: Path):
    long = "First words. " + "and more " * 400 + "Last words."
    _, begun, done = wrote(engine_of(made / "home"), Writing(V3, long, max_tokens=100))
    assert begun.prompt_tokens == 256 - 100
    assert begun.cut > 200
    assert done.tokens <= 100
    _, begun, done = wrote(engine_of(made / "home"), Writing(V3, long, max_tokens=5000))
    assert (begun.prompt_tokens, done) == (128, Written(128, "length"))


def test_what_was_asked_for_least_lately_leaves_first(made: Path):
    base = ModelName(base=str(made / "base"))
    tiny_version(made / "home", made / "base", number=4, seed=4)
    size = engine_of(made / "home").shelf.take(base).bytes
    shelf = engine_of(made / "home", most_bytes=int(2.5 * size)).shelf
    v4 = ModelName("ana", 4)
    warm = shelf.take(V3)
    shelf.take(base)
    assert shelf.take(V3) is warm
    shelf.take(v4)
    assert shelf.names == [V3, v4]
    small = engine_of(made / "home", most_bytes=1).shelf
    small.take(V3)
    small.take(v4)
    assert small.names == [v4]


def test_a_version_that_is_deleted_is_not_served_any_more(place: Path):
    engine, writing = engine_of(place), Writing(V3, PROMPT, max_tokens=3)
    wrote(engine, writing)
    shutil.rmtree(place / "versions/ana/v3")
    with pytest.raises(NotFound, match="no version v3"):
        wrote(engine, writing)
    assert engine.shelf.names == []


def test_a_version_whose_files_changed_is_loaded_again(place: Path, made: Path):
    engine, writing = engine_of(place), Writing(V3, PROMPT, max_tokens=20, temperature=0)
    before = wrote(engine, writing)[0]
    shutil.rmtree(place / "versions/ana/v3")
    tiny_version(place, made / "base", seed=9)
    assert wrote(engine, writing)[0] != before


def spoil(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / file
        path.write_bytes(change(path.read_bytes()))

    return act


def other_base(folder: Path) -> None:
    base = tiny_base(folder.parent / "other", seed=7)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    (folder / "plan.json").write_text(json.dumps(plan | {"base": str(base)}), encoding="utf-8")


def base_is_gone(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    gone = {"base": "/nowhere/at/all", "base_name": "/nowhere/at/all"}
    (folder / "plan.json").write_text(json.dumps(plan | gone), encoding="utf-8")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (spoil(bases.ADAPTER, lambda old: old[:-1] + bytes([old[-1] ^ 1])), "v3's file adapter_model.* is damaged"),
        (spoil(bases.ADAPTER, lambda old: old[:100]), "v3's file adapter_model.* is damaged"),
        (spoil(bases.ADAPTER_CONFIG, lambda old: b"{}"), "v3's file adapter_config.json is damaged"),
        (spoil("result.json", lambda old: b"[" * 9000), "its result.json is missing or damaged"),
        (spoil("plan.json", lambda old: b'{"base": 3}'), "its plan.json is missing or damaged"),
        (spoil("plan.json", lambda old: b'{"base": "/a\\u0000b"}'), "its plan.json is missing or damaged"),
        (spoil("plan.json", lambda old: b"[1, 2]"), "its plan.json is missing or damaged"),
        (spoil("plan.json", lambda old: b"\xff"), "its plan.json is missing or damaged"),
        (lambda folder: (folder / "plan.json").unlink(), "its plan.json is missing or damaged"),
        (lambda folder: (folder / bases.ADAPTER).unlink(), "v3 lacks its file adapter_model"),
        (other_base, "v3 belongs to another base model"),
        (base_is_gone, "no folder /nowhere/at/all"),
    ],
)
def test_a_version_that_is_not_whole_is_refused_in_one_sentence(place: Path, how: Callable[[Path], None], says: str):
    how(place / "versions/ana/v3")
    with pytest.raises(InvalidInput, match=says) as caught:
        wrote(engine_of(place), Writing(V3, PROMPT))
    assert "\n" not in str(caught.value)


def test_a_base_that_moved_is_found_by_its_name(place: Path, made: Path):
    plan = json.loads((place / "versions/ana/v3/plan.json").read_text(encoding="utf-8"))
    moved = plan | {"base": "/where/it/was", "base_name": str(made / "base")}
    (place / "versions/ana/v3/plan.json").write_text(json.dumps(moved), encoding="utf-8")
    assert wrote(engine_of(place), Writing(V3, PROMPT, max_tokens=3))[2].tokens == 3


@pytest.mark.parametrize("name", ["nobody/has-this-model", "/nowhere"])
def test_a_base_that_is_not_there(tmp_path: Path, name: str):
    with pytest.raises(InvalidInput, match=name):
        wrote(engine_of(tmp_path), Writing(ModelName(base=name), PROMPT))


def test_weights_that_give_no_numbers(tmp_path: Path):
    base = tiny_base(tmp_path / "base")
    engine, name = engine_of(tmp_path), ModelName(base=str(base))
    with torch.no_grad():
        engine.shelf.take(name).model.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(InvalidInput, match="no usable numbers"):
        wrote(engine, Writing(name, PROMPT))


def test_no_memory_left_is_said(made: Path, monkeypatch: pytest.MonkeyPatch):
    engine = engine_of(made / "home")

    def full(*_: Any, **__: Any) -> Any:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(engine.shelf.take(V3).model, "generate", full)
    with pytest.raises(ProviderUnavailable, match="not enough memory"):
        wrote(engine, Writing(V3, PROMPT))


def test_a_model_larger_than_the_machine_is_not_begun(made: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("zega_core.local.shelf.memory", lambda: 100_000)
    with pytest.raises(ZegaError, match="more than this machine has"):
        wrote(engine_of(made / "home", device="cpu"), Writing(V3, PROMPT))


def test_texts_are_written_one_after_another(made: Path, monkeypatch: pytest.MonkeyPatch):
    engine, at_once, most = engine_of(made / "home"), [0], [0]
    engine.shelf.take(V3)
    generate = engine._generate

    def noted(*arguments: Any) -> Written:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        try:
            return generate(*arguments)
        finally:
            at_once[0] -= 1

    monkeypatch.setattr(engine, "_generate", noted)
    texts: dict[int, str] = {}

    def one(seed: int) -> None:
        texts[seed] = "".join(wrote(engine, Writing(V3, PROMPT, max_tokens=20, seed=seed))[0])

    threads = [threading.Thread(target=one, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    one(9)
    for seed in range(4):
        assert texts[seed] == "".join(wrote(engine, Writing(V3, PROMPT, max_tokens=20, seed=seed))[0])


def test_a_prepared_engine_has_the_built_in_model_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    engine = engine_of(tmp_path)
    engine.prepare()
    assert engine.shelf.names == [ModelName()]
    monkeypatch.setattr(bases, "BUILT_IN", tmp_path / "gone")
    broken = engine_of(tmp_path)
    broken.prepare()
    with pytest.raises(InvalidInput, match="no folder"):
        wrote(broken, Writing(ModelName(), PROMPT))


def test_nothing_is_fetched(made: Path):
    wrote(engine_of(made / "home"), Writing(V3, PROMPT, max_tokens=2))
    assert os.environ["HF_HUB_OFFLINE"] == "1"
