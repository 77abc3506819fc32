"""The model that ships: small, safe to load, and able to answer a prompt and stop."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from zega_core.catalog import Brief, load_catalog, request
from zega_core.providers.prose import head_noun, words_of
from zega_core.settings import ROOT

FOLDER = ROOT / "data" / "base_model"
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def answers() -> list[tuple[Brief, str, bool]]:
    """One answer to the first prompt of every genre, elements in turn; all written together, nothing chosen."""
    from scripts.pretrain.measure import write

    catalog = load_catalog()
    briefs = [
        Brief(prompt.text, prompt.genre, catalog.elements[n % 4], None, prompt)
        for n, genre in enumerate(catalog.genres)
        for prompt in catalog.prompts_of(genre.key)[:1]
    ]
    samples = write(FOLDER, [(brief, request(brief, catalog)) for brief in briefs], seed=1)
    return [(one.brief, one.text, one.stopped) for one in samples]


def test_it_is_small_and_holds_nothing_but_data():
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 30_000_000


def test_nothing_in_it_asks_for_code():
    for path in FOLDER.glob("*.json"):
        assert "auto_map" not in json.loads(path.read_text(encoding="utf-8"))


def test_the_config_can_be_read_by_converters():
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"]
    assert "chat_template" in json.loads((FOLDER / "tokenizer_config.json").read_text(encoding="utf-8"))


def test_it_writes_sentences_and_stops(answers: list[tuple[Brief, str, bool]]):
    assert sum(stopped for *_, stopped in answers) >= len(answers) - 1
    for _, text, _ in answers:
        assert len(re.findall(r"[.!?]", text)) >= 4
        assert 40 <= len(text.split()) <= 300
        assert "<|" not in text


def test_it_keeps_to_the_prompt(answers: list[tuple[Brief, str, bool]]):
    on_topic = [
        any(head_noun(part) in words_of(text) for part in (brief.known.figure, brief.known.object, brief.known.place))
        for brief, text, _ in answers
        if brief.known
    ]
    assert sum(on_topic) >= len(on_topic) - 2


def test_the_template_is_the_form_it_was_trained_on():
    from scripts.pretrain.measure import load
    from scripts.pretrain.tokens import form

    _, tokenizer = load(FOLDER)
    said = [{"role": "user", "content": "A lamp"}, {"role": "assistant", "content": "It went out."}]
    assert tokenizer.apply_chat_template(said, tokenize=False) == form("A lamp", "It went out.")
    asked = tokenizer.apply_chat_template(said[:1], tokenize=False, add_generation_prompt=True)
    assert asked == "<|prompt|>A lamp<|completion|>"
    text = 'He said, "don’t — go…"\n\nZélie had 1,234 reasons.'
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("words", ["Standard Ebooks", "public domain", "CC0", "Kept out", "Perplexity", "not selected"])
def test_the_card_says_where_it_comes_from(words: str):
    assert words in CARD


def test_the_card_names_every_voice_that_was_kept_out():
    from scripts.pretrain.texts import KEPT_OUT

    kept = CARD[CARD.index("Kept out") :].lower().replace(" ", "-")
    assert all(name in kept for name in KEPT_OUT)


def test_a_folder_without_safetensors_is_refused(tmp_path: Path):
    from transformers import AutoModelForCausalLM

    (tmp_path / "config.json").write_bytes((FOLDER / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"anything")
    with pytest.raises(OSError):
        AutoModelForCausalLM.from_pretrained(tmp_path, local_files_only=True, use_safetensors=True)
