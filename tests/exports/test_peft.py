"""The adapter as a PEFT folder: loaded by peft as its card says, with nothing of the writer's in the card."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.support.outcome import RESULT
from zega_core.catalog import load_catalog
from zega_core.exports import adapter_folder, card
from zega_core.exports.card import Model, Proved
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form
from zega_core.fine_tune.data import Summary
from zega_core.proof.figures import Bleed, Change, Copies, Duel, Figures, Style
from zega_core.tables import now

CHANGE = Change(7.0, 7.4, 0.1, 0.7)
DUEL = Duel(20, 10, 6, 0.64, 0.47, 0.78)


def model(**values: Any) -> Model:
    known = {"name": "zega-ana", "number": 3, "base": "", "asked_by_template": True, "examples": 50, "own_share": 0.25}
    return Model(**{**known, "metrics": {}} | values)  # type: ignore[arg-type]


def front(text: str) -> dict[str, Any]:
    return yaml.safe_load(text.split("---\n")[1])


def code(text: str) -> str:
    found = re.search(r"```python\n(.*?)```", text, re.S)
    assert found is not None
    return found[1]


@pytest.fixture
def folder(tiny: Path, trained: Path, tmp_path: Path) -> Path:
    """On a base that is a folder of this machine, put beside as the card asks."""
    target = tmp_path / "export"
    target.mkdir()
    adapter_folder.write(trained, str(tiny), target)
    (target / "base").symlink_to(tiny)
    return target


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # what peft asks of transformers
def test_the_code_of_the_card_gives_what_zega_gives(
    tiny: Path, trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(folder)
    greedy = code(card.card(model(base=str(tiny)), "peft")).replace(
        "max_new_tokens=400, do_sample=True, temperature=0.8, top_p=0.95, top_k=0",
        "max_new_tokens=12, min_new_tokens=12, do_sample=False",
    )
    known: dict[str, Any] = {}
    exec(greedy, known)
    base, tokenizer = bases.load(tiny, dtype=torch.float32, device="cpu")
    tuned = bases.load_adapter(base, trained, bases.weights_hash(tiny))
    asked = torch.tensor([form.prompt_ids(tokenizer, known["prompt"])])
    assert known["asked"]["input_ids"].tolist() == asked.tolist()
    with torch.inference_mode():
        ours = tuned.generate(asked, max_new_tokens=12, min_new_tokens=12, do_sample=False, pad_token_id=4)
    written = tokenizer.decode(ours[0, asked.shape[1] :], skip_special_tokens=True)
    assert capsys.readouterr().out.rstrip("\n") == written.rstrip("\n")


def test_a_base_without_a_template_is_asked_as_zega_asks_it(tiny: Path):
    _, tokenizer = bases.load(tiny, dtype=torch.float32, device="cpu")
    tokenizer.chat_template = None
    line = next(
        line for line in code(card.card(model(asked_by_template=False), "merged")).splitlines() if "asked =" in line
    )
    known: dict[str, Any] = {"tokenizer": tokenizer, "prompt": "Write about the lamp."}
    exec(line, known)
    assert known["asked"]["input_ids"][0].tolist() == form.prompt_ids(tokenizer, "Write about the lamp.")


def test_the_weights_are_as_they_were_and_the_base_is_found(trained: Path, folder: Path, tiny: Path):
    assert bases.file_hash(folder / bases.ADAPTER) == bases.file_hash(trained / bases.ADAPTER)
    config = json.loads((folder / bases.ADAPTER_CONFIG).read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "base"
    before = json.loads((trained / bases.ADAPTER_CONFIG).read_text(encoding="utf-8"))
    assert config == {key: before[key] for key in adapter_folder.CONFIG} | {"base_model_name_or_path": "base"}


def test_the_built_in_base_goes_along(trained: Path, tmp_path: Path):
    adapter_folder.write(trained, "", tmp_path)
    assert bases.weights_hash(tmp_path / "base") == bases.weights_hash(bases.BUILT_IN)
    bases.load(tmp_path / "base", dtype=torch.float32, device="cpu")


def test_a_base_of_the_hub_is_named(trained: Path, tmp_path: Path):
    adapter_folder.write(trained, "HuggingFaceTB/SmolLM2-135M", tmp_path)
    config = json.loads((tmp_path / bases.ADAPTER_CONFIG).read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M"
    assert not (tmp_path / "base").exists()
    text = card.card(model(base="HuggingFaceTB/SmolLM2-135M"), "peft")
    assert front(text)["base_model"] == "HuggingFaceTB/SmolLM2-135M"
    assert 'from_pretrained("HuggingFaceTB/SmolLM2-135M"' in text


def test_the_front_matter_says_what_hubs_read():
    assert front(card.card(model(), "peft")) == {
        "library_name": "peft",
        "base_model": "zega-base",
        "pipeline_tag": "text-generation",
        "language": "en",
        "license": "other",
        "tags": ["zega", "creative-writing", "lora"],
    }
    assert front(card.card(model(), "merged"))["library_name"] == "transformers"


def test_nothing_but_what_zega_writes_is_in_its_config(trained: Path, tmp_path: Path):
    """peft's reader imports what a config names."""
    copy = Path(shutil.copytree(trained, tmp_path / "v1"))
    told = json.loads((copy / bases.ADAPTER_CONFIG).read_text(encoding="utf-8"))
    config = {key: told[key] for key in adapter_folder.CONFIG}
    forged = config | {"auto_mapping": {"parent_library": "os", "base_model_class": "system"}, "revision": "/home/ana"}
    (copy / bases.ADAPTER_CONFIG).write_text(json.dumps(forged), encoding="utf-8")
    (tmp_path / "new").mkdir()
    adapter_folder.write(copy, "somebody/model", tmp_path / "new")
    written = json.loads((tmp_path / "new" / bases.ADAPTER_CONFIG).read_text(encoding="utf-8"))
    assert written == config | {"base_model_name_or_path": "somebody/model"}


@pytest.mark.parametrize("kind", ["peft", "merged", "gguf"])
def test_the_name_of_a_folder_is_no_markdown(kind: Any, tmp_path: Path):
    text = card.card(model(base="/a/x\n```python\nimport os\n```\n<b>[y]\udcff\x7f"), kind)
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert not any(line == "import os" for line in text.splitlines()) and "<b>" not in text
    assert front(text)["base_model"] == "x----python-import os------b--y---"


@pytest.mark.parametrize(
    ("base", "called"),
    [("/home/ana/secret/my base", "my base"), ("~/models/x", "x"), ('/a/"]\ntags: [x]\n---', '"--tags: -x-----')],
)
def test_no_path_of_this_machine_is_in_a_card(base: str, called: str):
    for kind in ("peft", "merged", "gguf"):
        text = card.card(model(base=base), kind)  # type: ignore[arg-type]
        assert "home/ana" not in text
        assert "models/" not in text
        assert front(text)["base_model"] == called
        assert front(text)["tags"][0] == "zega"


def test_what_was_measured_is_said_with_the_day_of_the_verdict():
    figures = Figures(
        prompts=36, held_out_prompts=12, quality=DUEL, quality_mean=CHANGE, length=CHANGE, diversity=CHANGE,
        follows=CHANGE, unknown=CHANGE, echo_before=0, echo_after=0, unended_before=0, unended_after=0,
        copies=Copies(3, 4, 0.0, 0.1, None, "a run of the writer's own words"), bleed=Bleed(0, 0.1, ["Marguerite"]),
    )  # fmt: skip
    at = now()
    text = card.card(
        model(
            metrics={"perplexity_before": 38.2, "perplexity_after": 22.4, "held_out_texts": 6},
            proved=Proved("better", "v2", at, figures),
            summary=Summary(examples=50, prompts=48, words=7000, sources={"auto": 40, "manuscript": 10, "odd": 1},
                            splits={"train": 40, "held_out": 5, "validation": 5}, genres={"horror": 50}),
        ),
        "peft",
    )  # fmt: skip
    for said in (
        "perplexity of 6 held-out texts: 38.2 before, 22.4 after",
        f"verdict of {at:%Y-%m-%d}, compared with v2: better",
        "higher 20 times, lower 10 times",
        "7.00 before, 7.40 after",
        "50 examples, of whose words 25% are the writer's own",
        "10 of the writer's own pages",
        "10 of them were kept apart",
    ):
        assert said in text
    assert "Marguerite" not in text
    assert "a run of the writer" not in text


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (True, "- distance to the writer's style: 7.00"),
        (False, "- distance to the style of the texts it learned from: "),
    ],
)
def test_a_style_that_is_not_the_writers_is_not_called_theirs(own: bool, said: str):
    figures = Figures(
        prompts=36, held_out_prompts=12, quality=DUEL, quality_mean=CHANGE, length=CHANGE, diversity=CHANGE,
        follows=CHANGE, unknown=CHANGE, echo_before=0, echo_after=0, unended_before=0, unended_after=0,
        copies=Copies(3, 4, 0.0, 0.1, None, ""), bleed=Bleed(0, 0, []), style=Style(CHANGE, [], 900, own),
    )  # fmt: skip
    assert said in card.card(model(proved=Proved("not_shown", "v2", now(), figures)), "gguf")


@pytest.mark.parametrize("metrics", [{}, {"perplexity_before": "x", "perplexity_after": float("nan")}, RESULT.files])
def test_without_figures_it_claims_nothing(metrics: dict[str, Any]):
    text = card.card(model(metrics=metrics, own_share=float("nan")), "merged")
    assert "whether it writes better was not examined" in text
    assert "perplexity" not in text
    assert "nan" not in text


def test_the_prompt_of_the_example_is_a_request_in_zegas_words():
    known: dict[str, Any] = {}
    exec(next(line for line in code(card.card(model(), "merged")).splitlines() if line.startswith("prompt = ")), known)
    assert known["prompt"].startswith(load_catalog().element("scene").ask)
