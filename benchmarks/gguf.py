"""GGUF files as llama.cpp reads them, against the same models in transformers: token ids, logits, likeliest tokens.

    python benchmarks/gguf.py --llama LIBRARY [--adapter FOLDER]

LIBRARY is a shared library with the functions of llama.h: libllama.so, or the extension module in the wheel of
xllamacpp. Three models are compared on 20 of the catalog's prompts, each with 60 tokens that the model in transformers
writes to it: the built-in base, the base merged with an adapter, and the base with the adapter put on by llama.cpp. An
adapter is the folder of a version; without one, one of rank 16 with random weights in all seven kinds of matrices.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.pop(0)  # not this folder: `gguf` is a package, too
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from tests.local.tiny import write_result
from zega_core.catalog import Brief, load_catalog, request
from zega_core.exports import gguf_file
from zega_core.exports.merge import merge
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form
from zega_core.fine_tune.plan import TARGETS

PROMPTS, WRITTEN, CONTEXT = 20, 60, 1024
POINTERS = (
    "llama_model_load_from_file", "llama_init_from_model", "llama_model_get_vocab", "llama_get_logits",
    "llama_get_memory", "llama_adapter_lora_init",
)  # fmt: skip


class Opaque(ctypes.Structure):
    """Parameters whose layout changes from release to release, and that are shorter than this. Those of a context begin
    with its length and the sizes of batches, in tokens."""

    _fields_ = [("head", ctypes.c_uint32 * 4), ("rest", ctypes.c_uint8 * 496)]


class Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.c_void_p),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.c_void_p),
        ("n_seq_id", ctypes.c_void_p),
        ("seq_id", ctypes.c_void_p),
        ("logits", ctypes.c_void_p),
    ]


class Llama:
    """A GGUF model in llama.cpp."""

    def __init__(self, library: ctypes.CDLL, model: Path, lora: Path | None = None) -> None:
        self._library = library
        for name in POINTERS:
            getattr(library, name).restype = ctypes.c_void_p
        for name in ("llama_model_default_params", "llama_context_default_params"):
            getattr(library, name).restype = Opaque
        library.llama_backend_init()
        self._model = ctypes.c_void_p(
            library.llama_model_load_from_file(str(model).encode(), library.llama_model_default_params())
        )
        settings = library.llama_context_default_params()
        settings.head[0] = settings.head[1] = settings.head[2] = CONTEXT
        self._context = ctypes.c_void_p(library.llama_init_from_model(self._model, settings))
        self._vocab = ctypes.c_void_p(library.llama_model_get_vocab(self._model))
        if not self._model or not self._context:
            raise SystemExit(f"llama.cpp cannot load {model}")
        if lora is not None:
            adapter = ctypes.c_void_p(library.llama_adapter_lora_init(self._model, str(lora).encode()))
            one, scale = (ctypes.c_void_p * 1)(adapter), (ctypes.c_float * 1)(1.0)
            if not adapter or library.llama_set_adapters_lora(self._context, one, ctypes.c_size_t(1), scale):
                raise SystemExit(f"llama.cpp cannot use {lora}")
        self.vocabulary = int(library.llama_vocab_n_tokens(self._vocab))

    def tokens(self, text: str) -> list[int]:
        """As a server makes them: with the marks that the model wants, and those in the text as marks."""
        data, found = text.encode(), (ctypes.c_int32 * 4096)()
        count = self._library.llama_tokenize(
            self._vocab, data, ctypes.c_int32(len(data)), found, ctypes.c_int32(4096), True, True
        )
        return list(found[: max(0, count)])

    def logits(self, tokens: Sequence[int]) -> np.ndarray[Any, Any]:
        """At every place: tokens x vocabulary."""
        self._library.llama_memory_clear(ctypes.c_void_p(self._library.llama_get_memory(self._context)), True)
        ids, wanted = (ctypes.c_int32 * len(tokens))(*tokens), (ctypes.c_int8 * len(tokens))(*[1] * len(tokens))
        batch = Batch(
            n_tokens=len(tokens),
            token=ctypes.cast(ids, ctypes.c_void_p),
            logits=ctypes.cast(wanted, ctypes.c_void_p),
        )
        if self._library.llama_decode(self._context, batch):
            raise SystemExit("llama.cpp cannot compute this text")
        at = ctypes.cast(self._library.llama_get_logits(self._context), ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(at, (len(tokens), self.vocabulary)).copy()


@dataclass
class Compared:
    same_ids: int = 0
    places: int = 0
    agreed: int = 0
    largest: float = 0.0
    losses: list[tuple[float, float]] = field(default_factory=list)

    def add(
        self,
        cut: tuple[list[int], list[int]],
        logits: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]],
        tokens: Sequence[int],
    ) -> None:
        """A text as both sides cut it, and their logits for ``tokens``."""
        ours, theirs = logits
        self.same_ids += cut[0] == cut[1]
        self.places += len(ours)
        self.agreed += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
        self.largest = max(self.largest, float(np.abs(ours - theirs).max()))
        self.losses.append((loss(ours, tokens), loss(theirs, tokens)))

    def printed(self, name: str) -> str:
        here, there = (float(np.mean(side)) for side in zip(*self.losses, strict=True))
        return (
            f"{name}: token ids equal in {self.same_ids} of {len(self.losses)} texts, largest difference of a logit "
            f"{self.largest:.4f}, likeliest token equal at {self.agreed} of {self.places} places, "
            f"loss {here:.5f} in transformers and {there:.5f} in llama.cpp"
        )


def loss(logits: np.ndarray[Any, Any], tokens: Sequence[int]) -> float:
    """Nats a token."""
    return float(torch.nn.functional.cross_entropy(torch.from_numpy(logits[:-1]), torch.tensor(tokens[1:])))


def random_adapter(folder: Path) -> Path:
    """A finished version whose weights change what the base writes."""
    torch.manual_seed(1)
    model, _ = bases.load(bases.BUILT_IN, dtype=torch.float32, device="cpu")
    tuned = bases.with_lora(model, trainable=False, r=16, lora_alpha=32, lora_dropout=0.0, target_modules=list(TARGETS))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.03)
    tuned.save_pretrained(str(folder))
    files = {name: bases.file_hash(folder / name) for name in (bases.ADAPTER, bases.ADAPTER_CONFIG)}
    write_result(folder, base_hash=bases.weights_hash(bases.BUILT_IN), files=files)
    return folder


def prompts() -> list[str]:
    catalog = load_catalog()
    chosen = catalog.prompts[:: len(catalog.prompts) // PROMPTS][:PROMPTS]
    kinds = catalog.elements
    return [request(Brief(one.text, one.genre, kinds[at % len(kinds)]), catalog) for at, one in enumerate(chosen)]


def compare(model: Any, tokenizer: Any, llama: Llama) -> Compared:
    found = Compared()
    for prompt in prompts():
        asked = form.prompt_ids(tokenizer, prompt)
        with torch.inference_mode():
            whole = model.generate(
                torch.tensor([asked]), max_new_tokens=WRITTEN, min_new_tokens=WRITTEN, do_sample=False, pad_token_id=4
            )
            ours = model(whole).logits[0].float().numpy()
        ids = whole[0].tolist()
        text = tokenizer.decode(ids)
        # A model may write the same text in other tokens than a tokenizer cuts it into: the text is cut on both sides.
        found.add(
            (tokenizer(text, add_special_tokens=False)["input_ids"], llama.tokens(text)), (ours, llama.logits(ids)), ids
        )
    return found


def difference(tuned: Any, tokenizer: Any) -> float:
    """By how much the adapter changes a logit at most, over the prompts."""
    largest = 0.0
    for prompt in prompts():
        asked = torch.tensor([form.prompt_ids(tokenizer, prompt)])
        with torch.inference_mode():
            after = tuned(asked).logits
            with tuned.disable_adapter():
                largest = max(largest, float((after - tuned(asked).logits).abs().max()))
    return largest


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--llama", type=Path, required=True)
    options.add_argument("--adapter", type=Path)
    asked = options.parse_args()
    torch.set_num_threads(1)
    library = ctypes.CDLL(str(asked.llama))
    with folder() as made:
        adapter = asked.adapter or random_adapter(made / "v1")
        base_hash = bases.weights_hash(bases.BUILT_IN)
        merge(bases.BUILT_IN, adapter, base_hash, made / "merged")
        gguf_file.write_model(bases.BUILT_IN, made / "base.gguf")
        gguf_file.write_model(made / "merged", made / "merged.gguf")
        gguf_file.write_lora(adapter, bases.BUILT_IN, made / "lora.gguf")
        model, tokenizer = bases.load(bases.BUILT_IN, dtype=torch.float32, device="cpu")
        print(compare(model, tokenizer, Llama(library, made / "base.gguf")).printed("base"))
        tuned = bases.load_adapter(model, adapter, base_hash)
        print(f"the adapter changes a logit by up to {difference(tuned, tokenizer):.2f}")
        print(compare(tuned, tokenizer, Llama(library, made / "merged.gguf")).printed("merged"))
        both = Llama(library, made / "base.gguf", made / "lora.gguf")
        print(compare(tuned, tokenizer, both).printed("base and adapter"))


if __name__ == "__main__":
    main()
