"""Versions into Ollama, with its real client against a stand-in on this machine."""

from __future__ import annotations

import copy
import json
import shutil
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support.ollama_server import Kept, OllamaServer, rendered
from zega_core import db, versions
from zega_core.configs import TeacherChoice, TeachingConfig
from zega_core.errors import Cancelled, InvalidInput, ProviderError, ProviderUnavailable, TeacherRefused
from zega_core.exports import ollama, verify
from zega_core.exports.modelfile import TEMPLATE
from zega_core.exports.ollama import Delivery, deliver
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form
from zega_core.providers.base import Completion, GenerationOptions
from zega_core.settings import Settings
from zega_core.store import teaching
from zega_core.version_tables import Version

NAME = "zega-ana:latest"
HERE, BASE = "The keeper counted the ships and none of them answered him.", "A fox sat in the road and would not go."


class Scripted:
    """A model of this machine that says one thing."""

    name = label = "local"
    in_flight = 1

    def __init__(self, text: str) -> None:
        self._text = text

    def complete(self, messages: Any, options: GenerationOptions) -> Completion:
        return Completion(self._text, "local")


@pytest.fixture(autouse=True)
def students(monkeypatch: pytest.MonkeyPatch) -> None:
    def student(settings: Settings, writer: str, number: int | None, base: str = "", **_: Any) -> Scripted:
        return Scripted(BASE if number is None else HERE)

    monkeypatch.setattr(verify, "student", student)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def export(config: Settings, version: Version, tmp_path: Path, told: list[str]) -> Any:
    """Deliver into a new folder."""
    numbers = iter(range(100))

    def run(stop: threading.Event | None = None, row: Version = version) -> Delivery:
        folder = tmp_path / f"export-{next(numbers)}"
        folder.mkdir()
        return deliver(folder, row.user_id, row, config, tell=told.append, stop=stop)

    return run


def older(server: OllamaServer, **values: Any) -> Kept:
    """What an earlier export left in Ollama."""
    kept = Kept(NAME, "sha256:" + "0" * 64, template=TEMPLATE, license=["CC0", "Made with ZEGA as zega-ana.\nv2"])
    for name, value in values.items():
        setattr(kept, name, value)
    server.models[NAME] = kept
    return copy.deepcopy(kept)


def test_a_version_becomes_a_model_that_is_checked(server: OllamaServer, export: Any, tmp_path: Path, told: list[str]):
    server.answer = lambda model, prompt, options: HERE
    done = export()
    assert done.report is not None and done.report.ok, done.report
    assert list(server.models) == [NAME]
    model = server.models[NAME]
    assert model.template == TEMPLATE
    assert model.parameters["repeat_penalty"] == 1.0 and "<|end|>" in model.parameters["stop"]
    assert model.info["general.architecture"] == "llama" and model.info["general.name"] == "zega-ana"
    file = (tmp_path / "export-0" / "model.gguf").read_bytes()
    assert model.digest == f"sha256:{sha256(file).hexdigest()}"
    assert any("ollama run zega-ana" in note for note in done.notes)
    assert any("success" in line for line in told)
    assert not server.pulls


def test_the_folder_has_what_it_takes_to_do_it_by_hand(server: OllamaServer, export: Any, tmp_path: Path):
    export()
    folder = tmp_path / "export-0"
    assert {path.name for path in folder.iterdir()} == {"model.gguf", "Modelfile", "README.md"}
    modelfile = (folder / "Modelfile").read_text(encoding="utf-8")
    assert "FROM ./model.gguf\n" in modelfile and TEMPLATE in modelfile and "Made with ZEGA as zega-ana." in modelfile
    assert "ollama create zega-ana -f Modelfile\n" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_file_that_is_there_is_not_sent_again(server: OllamaServer, export: Any):
    export()
    export()
    assert len(server.requested("HEAD /api/blobs/")) == 2
    assert len(server.requested("POST /api/blobs/")) == 1


def test_an_earlier_export_is_replaced(server: OllamaServer, export: Any):
    older(server)
    assert export().report
    assert server.models[NAME].digest != "sha256:" + "0" * 64
    assert list(server.models) == [NAME]


@pytest.mark.parametrize(
    "values",
    [
        {"license": ["Mine."]},
        {"license": []},
        {"license": ["Made with ZEGA as zega-eve."]},
        {"system": "Answer as a pirate."},
        {"messages": [{"role": "user", "content": "Hello"}]},
    ],
)
def test_a_model_of_that_name_that_is_somebodys_own_is_not_touched(
    server: OllamaServer, export: Any, values: dict[str, Any]
):
    before = older(server, **values)
    with pytest.raises(InvalidInput, match="ollama cp zega-ana"):
        export()
    assert server.models == {NAME: before}
    assert not server.requested("POST /api/blobs/") and not server.requested("POST /api/create")


@pytest.mark.parametrize(
    ("request_", "fault", "said"),
    [
        ("GET /api/version", "error", "Ollama"),
        ("GET /api/version", "html", "cannot be read"),
        ("GET /api/version", "nothing", "Ollama"),
        ("POST /api/show", "error", "trouble"),
        ("HEAD /api/blobs/", "drop", "broke off"),
        ("POST /api/blobs/", "full", "disk on which Ollama keeps its models is full"),
        ("POST /api/blobs/", "drop", "broke off"),
        ("POST /api/create", "full", "disk on which Ollama keeps its models is full"),
        ("POST /api/create", "error", "trouble"),
        ("POST /api/create", "drop", "broke off"),
        ("POST /api/create", "drop_middle", "broke off"),
        ("POST /api/create", "drop_after", "broke off"),
        ("POST /api/create", "nothing", "broke off"),
        ("POST /api/create", "html", "cannot be read"),
        ("POST /api/copy", "error", "trouble"),
        ("POST /api/copy", "drop", "broke off"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_leaves_what_was_there(
    server: OllamaServer, export: Any, request_: str, fault: str, said: str
):
    before = older(server)
    server.faults[request_] = fault
    with pytest.raises(ProviderError, match=said) as caught:
        export()
    assert str(caught.value).endswith(".") and "Traceback" not in str(caught.value)
    assert server.models == {NAME: before}
    assert not server.faults, "the fault was not met"


def test_what_goes_wrong_the_first_time_leaves_nothing(server: OllamaServer, export: Any):
    server.faults["POST /api/create"] = "drop_after"
    with pytest.raises(ProviderUnavailable):
        export()
    assert not server.models
    assert export().report


def test_when_it_goes_away_for_good_the_next_export_tidies_up(server: OllamaServer, export: Any):
    before = older(server)
    server.faults["POST /api/create"] = "drop_after"
    server.lasting["DELETE /api/delete"] = "drop"
    with pytest.raises(ProviderUnavailable):
        export()
    assert server.models[NAME] == before
    server.lasting.clear()
    assert export().report and list(server.models) == [NAME]


def test_without_ollama_the_files_and_the_commands_are_all(export: Any, tmp_path: Path):
    done = export()
    assert done.report is None
    assert done.notes == [
        "Ollama cannot be reached at http://127.0.0.1:9. Start it with the command ollama serve.",
        "If you do not have it, install it from https://ollama.com first. Then export again, or type in the folder of "
        "this export:",
        "ollama create zega-ana -f Modelfile",
        "ollama run zega-ana 'Write a scene in an old harbour town'",
    ]
    assert (tmp_path / "export-0" / "model.gguf").stat().st_size > 100_000


@pytest.mark.parametrize("number", ["0.5.4", "0.1.48", "v0.4.0-rc1"])
def test_an_ollama_that_is_too_old_is_told_what_is_needed(server: OllamaServer, export: Any, number: str):
    server.version = number
    with pytest.raises(TeacherRefused, match=r"0\.5\.5 or later"):
        export()
    assert not server.blobs and not server.models


@pytest.mark.parametrize("number", ["0.5.5", "0.34.0", "0.34.1", "0.40.0-rc2", "1.0.0", "0.0.0"])
def test_every_later_ollama_takes_it(server: OllamaServer, export: Any, number: str):
    server.version = number
    assert export().report


def test_an_ollama_without_a_version_is_none(server: OllamaServer, export: Any):
    server.version = "dev"
    with pytest.raises(TeacherRefused, match="does not say which version"):
        export()


@pytest.mark.parametrize("moment", ["GET /api/version", "HEAD /api/blobs/", "POST /api/create"])
def test_stop_leaves_what_was_there(server: OllamaServer, export: Any, moment: str):
    before, stop = older(server), threading.Event()
    server.lasting[moment] = "slow"
    server.before = lambda request: stop.set() if request.startswith(moment) else None
    with pytest.raises(Cancelled):
        export(stop)
    server.lasting.clear()
    assert server.models == {NAME: before}


@pytest.mark.parametrize("moment", ["POST /api/copy", "DELETE /api/delete", "POST /api/chat"])
def test_stop_when_it_is_made_says_that_the_model_is_there(server: OllamaServer, export: Any, moment: str):
    before, stop = older(server), threading.Event()
    server.lasting[moment] = "slow"
    server.before = lambda request: stop.set() if request.startswith(moment) else None
    done = export(stop)
    assert list(server.models) == [NAME] and server.models[NAME].digest != before.digest
    assert "is in Ollama as zega-ana" in done.notes[0]
    assert not done.report.ok and "check was stopped" in done.report.checks[0].said


@pytest.mark.parametrize("base", ["", "somebody/model"])
def test_the_licence_speaks_of_the_base_that_it_has(version: Version, base: str):
    version.base = base
    said = ollama._mark("zega-ana", version)
    assert ("CC0 1.0" in said) == (not base)
    assert said.splitlines()[0] == "Made with ZEGA as zega-ana."


def test_local_only_keeps_it_on_this_machine(config: Settings, export: Any, monkeypatch: pytest.MonkeyPatch):
    elsewhere = TeacherChoice(provider="ollama", base_url="http://10.0.0.9:11434")  # pyright: ignore[reportArgumentType]
    with db.session(config) as session:
        teaching.save(session, "ana", TeachingConfig(teachers=(elsewhere,), local_only=True))
    with pytest.raises(TeacherRefused, match="Nothing was sent"):
        export()


def test_ollama_need_not_be_a_teacher(config: Settings, server: OllamaServer, export: Any):
    with db.session(config) as session:
        off = TeacherChoice(provider="ollama", on=False)  # pyright: ignore[reportArgumentType]
        teaching.save(session, "ana", TeachingConfig(teachers=(off,)))
    assert export().report


def test_the_longest_id_of_a_writer_makes_a_name_that_ollama_takes(
    server: OllamaServer, export: Any, config: Settings, version: Version
):
    writer = "a" * 62 + "-_"
    versions.folder_of(config, "ana", 3).parent.rename(versions.folder_of(config, writer, 3).parent)
    version.user_id = writer
    assert export().report
    assert list(server.models) == [f"zega-{writer}:latest"]


def test_a_base_that_is_asked_otherwise_is_refused(
    server: OllamaServer, export: Any, version: Version, tiny: Path, tmp_path: Path
):
    other = tmp_path / "other"
    shutil.copytree(tiny, other)
    told = json.loads((other / "tokenizer_config.json").read_text(encoding="utf-8"))
    told["chat_template"] = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    (other / "tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    version.base = str(other)
    with pytest.raises(InvalidInput, match="another form"):
        export()
    assert not server.requests


def test_what_differs_there_is_in_the_report(server: OllamaServer, export: Any):
    server.answer = lambda model, prompt, options: BASE
    done = export()
    assert not done.report.ok
    assert any("writes as the base model" in check.said for check in done.report.checks if not check.ok)
    assert len(done.notes) == 1, "what is in the report is not said twice"


def test_a_damaged_version_is_not_given_away(server: OllamaServer, export: Any, config: Settings):
    (versions.folder_of(config, "ana", 3) / bases.ADAPTER).write_bytes(b"damaged")
    with pytest.raises(InvalidInput, match="damaged"):
        export()
    assert not server.requests


def test_the_file_writes_as_the_version_does(
    server: OllamaServer, export: Any, tiny: Path, config: Settings, tmp_path: Path
):
    """Read by another reader than wrote it: transformers turns it back into its own model."""
    export()
    read: Any = AutoModelForCausalLM.from_pretrained(
        tmp_path / "export-0", gguf_file="model.gguf", dtype=torch.float32, local_files_only=True
    )
    model, tokenizer = bases.load(tiny, dtype=torch.float32, device="cpu")
    tuned = bases.load_adapter(model, versions.folder_of(config, "ana", 3), bases.weights_hash(tiny))
    tokens = torch.tensor([form.prompt_ids(tokenizer, "Write about the lamp in the old harbour town")])
    with torch.no_grad():
        mine, base = tuned(tokens).logits, None
        with tuned.disable_adapter():
            base = tuned(tokens).logits
        theirs = read(tokens).logits
    assert (mine - theirs).abs().max() < 0.02 * mine.abs().max()
    assert (base - theirs).abs().max() > 0.2 * mine.abs().max()


@pytest.mark.parametrize("system", ["", "You write plainly."])
@pytest.mark.parametrize("prompt", ["A lantern.", 'Two "lamps"\n\nand {{ .System }} a quay', "  wörd 🙂 "])
def test_ollama_asks_in_the_form_that_was_trained(system: str, prompt: str):
    tokenizer: Any = AutoTokenizer.from_pretrained(bases.BUILT_IN, local_files_only=True)
    said = [{"role": "system", "content": system}] if system else []
    said.append({"role": "user", "content": prompt})
    asked = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    assert rendered(TEMPLATE, "", said) == asked
    assert tokenizer(asked, add_special_tokens=False)["input_ids"] == form.prompt_ids(
        tokenizer, f"{system}\n\n{prompt}" if system else prompt
    )
