"""GGUF files, as llama.cpp and what is built on it read them: a whole model, or a LoRA adapter for one.

Written by llama.cpp's own ``gguf`` package; importing this loads no torch. Matrices are stored as 16-bit floats, norms
and adapters as 32-bit floats. The same folders give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import gguf
import numpy as np

from zega_core.exports import llama
from zega_core.exports.llama import Array, Shape, Tokenizer


def write_model(
    model_folder: Path, target: Path, *, name: str = "ZEGA base model", adapter_folder: Path | None = None
) -> None:
    """The Llama in ``model_folder`` (config.json, model.safetensors, tokenizer.json, tokenizer_config.json) as one file
    ``target``, complete or absent; with ``adapter_folder`` merged with that adapter. ``name`` is its ``general.name``.
    Raises InvalidInput for a model of another kind or with a tokenizer that llama.cpp would read otherwise, OSError if
    it cannot be written."""
    shape = llama.shape_of(model_folder)
    tokenizer = llama.tokenizer_of(model_folder, shape)
    tensors = llama.model_tensors(model_folder, shape)
    if adapter_folder is not None:
        _merge(tensors, adapter_folder, shape)
    with _writing(target, tensors) as writer:
        writer.add_type("model")
        writer.add_name(name)
        _add_shape(writer, shape)
        _add_tokenizer(writer, tokenizer)


def write_lora(adapter_folder: Path, model_folder: Path, target: Path) -> None:
    """The adapter of a version (adapter_model.safetensors, adapter_config.json) as one file ``target`` for the model in
    ``model_folder``, complete or absent. Raises InvalidInput or OSError as ``write_model`` does."""
    rank, alpha = llama.adapter_config(adapter_folder)
    tensors = llama.adapter_tensors(adapter_folder, llama.shape_of(model_folder), rank)
    with _writing(target, tensors) as writer:
        writer.add_type("adapter")
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)


def _merge(tensors: dict[str, Array], adapter_folder: Path, shape: Shape) -> None:
    """Add to each matrix what the adapter has for it: alpha / rank x B A."""
    rank, alpha = llama.adapter_config(adapter_folder)
    found = llama.adapter_tensors(adapter_folder, shape, rank)
    for name in [name.removesuffix(".lora_a") for name in found if name.endswith(".lora_a")]:
        change = found[f"{name}.lora_b"] @ found[f"{name}.lora_a"]
        with np.errstate(over="ignore"):
            tensors[name] = (tensors[name] + alpha / rank * change).astype(np.float16)
        if not np.isfinite(tensors[name]).all():
            raise llama.unfit(adapter_folder.name, "some of its weights do not fit into 16 bits")


@contextmanager
def _writing(target: Path, tensors: Mapping[str, Array]) -> Iterator[gguf.GGUFWriter]:
    """Tell the writer what is to be said of ``tensors``; what goes wrong leaves nothing at ``target``."""
    making = target.with_name(f"{target.name}.tmp")
    writer = gguf.GGUFWriter(making, "llama")
    try:
        yield writer
        for name, values in tensors.items():
            writer.add_tensor(name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        making.replace(target)
    finally:
        writer.close()
        making.unlink(missing_ok=True)


def _add_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.theta)
    writer.add_layer_norm_rms_eps(shape.epsilon)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(
        [control if number in tokenizer.marks else normal for number in range(len(tokenizer.tokens))]
    )
    writer.add_token_merges(tokenizer.merges)
    for role, add in (
        ("bos_token", writer.add_bos_token_id),
        ("eos_token", writer.add_eos_token_id),
        ("pad_token", writer.add_pad_token_id),
    ):
        if role in tokenizer.roles:
            add(tokenizer.roles[role])
    # Said in so many words: llama.cpp puts a mark before every text of a "llama-bpe" otherwise.
    writer.add_add_bos_token(tokenizer.add_bos)
    writer.add_add_eos_token(tokenizer.add_eos)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)
