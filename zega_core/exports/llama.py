"""A Llama model's folder as llama.cpp wants it: its shape, its tensors and its tokenizer, or why that cannot be.

Nothing is guessed: a model whose text or weights llama.cpp would read otherwise is refused. Importing this loads no
torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors import SafetensorError, deserialize

from zega_core.errors import InvalidInput
from zega_core.fine_tune import base as bases

Array = np.ndarray[Any, Any]
LLAMA_BPE = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
"""How Llama 3 splits text into words; llama.cpp knows it as "llama-bpe" (src/llama-vocab.cpp)."""
MOST_LAYERS = 512
_SIZES = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
_NOT_PLAIN = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern", "modules_to_save", "trainable_token_indices")


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a Llama, from its config.json. ``head`` is the width of a head, ``context`` is in tokens."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int
    epsilon: float
    theta: float
    tied: bool

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Every tensor of such a model by llama.cpp's name, with its shape."""
        width, inner, q, kv = self.width, self.inner, self.heads * self.head, self.kv_heads * self.head
        block: dict[str, tuple[int, ...]] = {
            "attn_norm": (width,),
            "attn_q": (q, width),
            "attn_k": (kv, width),
            "attn_v": (kv, width),
            "attn_output": (width, q),
            "ffn_norm": (width,),
            "ffn_gate": (inner, width),
            "ffn_up": (inner, width),
            "ffn_down": (width, inner),
        }
        every = {f"blk.{layer}.{name}.weight": size for layer in range(self.layers) for name, size in block.items()}
        every |= {"token_embd.weight": (self.vocabulary, width), "output_norm.weight": (width,)}
        return every if self.tied else every | {"output.weight": (self.vocabulary, width)}


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """``tokens`` by their ids, of which ``marks`` are no text; ``merges`` as "left right"; ``roles`` are ids of
    bos_token, eos_token and pad_token, as far as there are such."""

    tokens: list[str]
    marks: set[int]
    merges: list[str]
    roles: dict[str, int]
    add_bos: bool
    add_eos: bool
    chat_template: str


def shape_of(folder: Path) -> Shape:
    """Raises InvalidInput for anything but a plain Llama that is safe to read."""
    bases.describe(folder)
    config = read_json(folder / "config.json")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rope, dict) or not _is_plain(config, rope):
        raise unfit(folder.name, "it is no plain Llama")
    try:
        heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
        shape = Shape(
            layers=int(config["num_hidden_layers"]),
            width=width,
            inner=int(config["intermediate_size"]),
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head=int(config.get("head_dim") or width // heads),
            vocabulary=int(config["vocab_size"]),
            context=int(config["max_position_embeddings"]),
            epsilon=float(config["rms_norm_eps"]),
            theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0),
            tied=bool(config.get("tie_word_embeddings")),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise unfit(folder.name, "its config.json is not complete") from error
    if shape.layers > MOST_LAYERS or min(shape.heads, shape.kv_heads, shape.head) < 1 or shape.head % 2:
        raise unfit(folder.name, "its config.json names sizes that no Llama has")
    return shape


def _is_plain(config: Mapping[str, Any], rope: Mapping[str, Any]) -> bool:
    return (
        config.get("model_type") == "llama"
        and config.get("hidden_act") == "silu"
        and not config.get("attention_bias")
        and not config.get("mlp_bias")
        and rope.get("rope_type", rope.get("type", "default")) == "default"
    )


def model_tensors(folder: Path, shape: Shape) -> dict[str, Array]:
    """Matrices as 16-bit floats, norms as 32-bit ones, by llama.cpp's names in the order of those of the file. Raises
    InvalidInput where they are not those of ``shape``."""
    names, expected, found = _names(shape), shape.tensors(), dict[str, Array]()
    if (folder / "model.safetensors.index.json").is_file():
        raise unfit(folder.name, "its weights are in several files")
    for name, values in _read(folder / "model.safetensors"):
        if shape.tied and name == "lm_head.weight":
            continue
        called = names.get_name(name, try_suffixes=(".weight",)) or ""
        if expected.get(called) != values.shape:
            raise unfit(folder.name, "its weights are not those of its config.json")
        values = _turned(name, values, shape)
        if values.ndim > 1:
            with np.errstate(over="ignore"):
                values = values.astype(np.float16)
        if not np.isfinite(values).all():
            raise unfit(folder.name, "some of its weights do not fit into 16 bits")
        found[called] = values
    if found.keys() != expected.keys():
        raise unfit(folder.name, "its weights are not complete")
    return found


def adapter_tensors(folder: Path, shape: Shape, rank: int) -> dict[str, Array]:
    """``blk.N.attn_q.weight.lora_a`` and ``….lora_b`` and so on, as 32-bit floats. Raises InvalidInput."""
    names, matrices, found = _names(shape), shape.tensors(), dict[str, Array]()
    for name, values in _read(folder / bases.ADAPTER):
        module, _, part = name.removeprefix("base_model.model.").removesuffix(".weight").rpartition(".")
        called = names.get_name(f"{module}.weight", try_suffixes=(".weight",)) or ""
        matrix = matrices.get(called, ())
        if len(matrix) != 2 or part not in ("lora_A", "lora_B"):
            raise unfit(folder.name, "its adapter has parts that llama.cpp does not know")
        if values.shape != ((rank, matrix[1]) if part == "lora_A" else (matrix[0], rank)):
            raise unfit(folder.name, "its adapter does not fit this base model")
        if part == "lora_B":
            values = _turned(f"{module}.weight", values, shape)
        found[f"{called}.{part.lower()}"] = values
    if not found or any(f"{name[:-1]}{other}" not in found for name in found for other in "ab"):
        raise unfit(folder.name, "its adapter is not complete")
    return found


def adapter_config(folder: Path) -> tuple[int, float]:
    """Rank and alpha of a plain LoRA adapter; raises InvalidInput for any other."""
    config = read_json(folder / bases.ADAPTER_CONFIG)
    rank, alpha = config.get("r"), config.get("lora_alpha")
    plain = config.get("peft_type") == "LORA" and not any(config.get(name) for name in _NOT_PLAIN)
    if not plain or not _positive(rank) or not _positive(alpha) or not isinstance(rank, int):
        raise unfit(folder.name, "its adapter is no plain LoRA")
    return rank, float(alpha)  # type: ignore[arg-type]


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9


def tokenizer_of(folder: Path, shape: Shape) -> Tokenizer:
    """Raises InvalidInput unless llama.cpp cuts and joins text exactly as this one does, and the model is asked in the
    form of the built-in base: ``modelfile.TEMPLATE`` knows no other."""
    found, told = read_json(folder / "tokenizer.json"), read_json(folder / "tokenizer_config.json")
    try:
        same = _is_llama_bpe(found)
        vocab, merges, added = found["model"]["vocab"], found["model"]["merges"], found["added_tokens"]
        by_id = {number: token for token, number in vocab.items()} | {one["id"]: one["content"] for one in added}
        tokenizer = Tokenizer(
            tokens=[by_id[number] for number in range(len(by_id))],
            marks={one["id"] for one in added if one["special"]},
            merges=[" ".join(pair) if isinstance(pair, list) else str(pair) for pair in merges],
            roles=_roles(told, {token: number for number, token in by_id.items()}),
            add_bos=bool(told.get("add_bos_token")),
            add_eos=bool(told.get("add_eos_token")),
            chat_template=_chat_template(folder, told),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unfit(folder.name, "its tokenizer is of a kind that ZEGA cannot carry over exactly") from error
    if not same:
        raise unfit(folder.name, "its tokenizer is of a kind that ZEGA cannot carry over exactly")
    if tokenizer.chat_template != _chat_template(bases.BUILT_IN, read_json(bases.BUILT_IN / "tokenizer_config.json")):
        raise unfit(folder.name, "it is asked in another form than the built-in base model")
    if len(tokenizer.tokens) != shape.vocabulary:
        raise unfit(folder.name, "its tokenizer does not belong to its weights")
    return tokenizer


def _is_llama_bpe(found: Mapping[str, Any]) -> bool:
    split, to_bytes = found["pre_tokenizer"]["pretokenizers"]
    model = found["model"]
    return (
        found.get("normalizer") is None
        and found.get("post_processor") is None
        and split["type"] == "Split"
        and split["pattern"] == {"Regex": LLAMA_BPE}
        and (split["behavior"], split["invert"]) == ("Isolated", False)
        and to_bytes["type"] == "ByteLevel"
        and not to_bytes["add_prefix_space"]
        and not to_bytes["use_regex"]
        and model["type"] == "BPE"
        and model["ignore_merges"] is True  # as llama.cpp does for "llama-bpe"
        and not any(one["lstrip"] or one["rstrip"] or one["single_word"] for one in found["added_tokens"])
        and all(one["special"] for one in found["added_tokens"])  # a plain one would be cut up there
    )


def _roles(told: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, int]:
    roles = dict[str, int]()
    for role in ("bos_token", "eos_token", "pad_token"):
        token = told.get(role)
        token = token["content"] if isinstance(token, dict) else token
        if token is not None:
            roles[role] = ids[token]
    return roles


def _chat_template(folder: Path, told: Mapping[str, Any]) -> str:
    path = folder / "chat_template.jinja"
    template = path.read_text(encoding="utf-8") if path.is_file() else told.get("chat_template")
    return template if isinstance(template, str) else ""


def _turned(name: str, values: Array, shape: Shape) -> Array:
    """Rows of q and k as llama.cpp wants them: it turns neighbouring rows of a head together where transformers turns
    the first half with the second (``LlamaModel.permute`` of its convert_hf_to_gguf.py)."""
    heads = {"q_proj": shape.heads, "k_proj": shape.kv_heads}.get(name.split(".")[-2])
    if heads is None:
        return values
    rows, columns = values.shape
    return np.ascontiguousarray(values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2)).reshape(
        rows, columns
    )


def _names(shape: Shape) -> gguf.TensorNameMap:
    return gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, shape.layers)


def _read(path: Path) -> Iterator[tuple[str, Array]]:
    """Tensors as 32-bit floats by name, sorted."""
    try:
        found = dict(deserialize(path.read_bytes()))
    except (SafetensorError, OSError) as error:
        raise InvalidInput(
            f"{path.name} of {path.parent.name} is damaged or missing. Restore it from a backup."
        ) from error
    for name in sorted(found):
        kind, data, size = found[name]["dtype"], found[name]["data"], found[name]["shape"]
        if kind == "BF16":  # the upper half of a 32-bit float
            values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif kind in _SIZES:
            values = np.frombuffer(data, _SIZES[kind]).astype(np.float32)
        else:
            raise unfit(path.parent.name, "its weights are stored in a form that ZEGA does not know")
        yield name, values.reshape(size)


def read_json(path: Path) -> dict[str, Any]:
    """An object; raises InvalidInput where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("no object")
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path.name} of {path.parent.name} cannot be read. Restore it from a backup.") from error
    return found


def unfit(called: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{called} cannot be written as GGUF by ZEGA: {why}. Export the whole model for Python, then convert that with "
        "llama.cpp's convert_hf_to_gguf.py."
    )
