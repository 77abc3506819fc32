"""Base models: finding, describing, checking and loading them, and the adapters that sit on them.

Only safetensors are read: the other formats can run code. Nothing here fetches anything unless ``download`` is set.
Importing this loads no torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zega_core.errors import InvalidInput, ZegaError
from zega_core.fine_tune import hub
from zega_core.fine_tune.plan import read_result
from zega_core.settings import DATA

BUILT_IN = DATA / "base_model"
ADAPTER = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
_LARGEST_JSON = 50_000_000


@dataclass(frozen=True, slots=True)
class BaseInfo:
    """``label`` is for people; ``parameters`` are counted in the files, ``context`` is in tokens, ``bytes``
    those of the weights."""

    name: str
    label: str
    folder: Path
    parameters: int
    layers: int
    width: int
    context: int
    bytes: int
    has_template: bool


def label(name: str) -> str:
    return name or "the built-in model"


def resolve(name: str, *, download: bool = False) -> Path:
    """The folder of a base model: the built-in one for "", a folder, or an id on Hugging Face that is on this machine
    or, with ``download``, is fetched. Raises InvalidInput, ProviderUnavailable or HomeError with what to do."""
    if not name:
        return BUILT_IN
    if name.startswith("~") or Path(name).is_absolute():
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise InvalidInput(f"There is no folder {name}. Check its name, or choose another base model.")
        return folder
    hub.check_id(name)
    cached = hub.cached(name)
    if cached is not None and (not download or _complete(cached)):
        return cached
    if not download:
        raise InvalidInput(
            f"{name} is not on this machine. It is fetched when a fine-tune begins, unless Local only is on."
        )
    return hub.download(name)


def describe(folder: Path, name: str = "") -> BaseInfo:
    """What config and headers of the files say. Raises InvalidInput for what cannot be loaded or is not safe to."""
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}. Check its name, or choose another base model.")
    called = label(name) if name or folder == BUILT_IN else folder.name
    config = _json(folder, "config.json", called)
    tokenizer = _json(folder, "tokenizer_config.json", called) if (folder / "tokenizer_config.json").exists() else {}
    _refuse_unfit(config, tokenizer, called)
    if not (folder / "tokenizer.json").is_file():
        raise InvalidInput(f"{called} has no tokenizer.json, so it cannot read text. Choose another base model.")
    paths = _weights(folder, called)
    return BaseInfo(
        name=name,
        label=called,
        folder=folder,
        parameters=sum(_parameters(path, called) for path in paths),
        layers=_number(config, called, "num_hidden_layers", "n_layer"),
        width=_number(config, called, "hidden_size", "n_embd"),
        context=_number(config, called, "max_position_embeddings", "n_positions", "n_ctx"),
        bytes=sum(path.stat().st_size for path in paths),
        has_template=bool(tokenizer.get("chat_template")) or (folder / "chat_template.jinja").is_file(),
    )


def weights_hash(folder: Path) -> str:
    """SHA-256 over the bytes of the safetensors files in the order of their names, as hexadecimal; raises InvalidInput
    where there are none."""
    digest = hashlib.sha256()
    for path in _weights(folder, folder.name):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(folder: Path, *, dtype: Any, device: Any) -> tuple[Any, Any]:
    """Model and tokenizer, from this machine only. ``dtype`` is a torch dtype, ``device`` what ``Module.to`` takes.
    Raises InvalidInput if that cannot be done."""
    info = describe(folder)
    os.environ["HF_HUB_OFFLINE"] = "1"  # this process never fetches
    with _library_errors(info.label):
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        only_here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder, **only_here)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, dtype=dtype, output_loading_info=True, **only_here
        )
        model, report = loaded
    if report["missing_keys"]:  # the library fills them with random numbers
        raise InvalidInput(f"Weights are missing in the files of {info.label}. Download it again, or choose another.")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise InvalidInput(f"The tokenizer of {info.label} does not belong to its weights. Choose another base model.")
    return model.to(device).eval(), tokenizer


def load_adapter(model: Any, folder: Path, base_hash: str, *, trainable: bool = False) -> Any:
    """``model`` with the adapter of a finished ``version`` folder on it, as a peft model. The files are checked against
    ``result.json`` first. Raises InvalidInput."""
    shape = _shape(folder, base_hash)
    with _library_errors(folder.name):
        tuned = with_lora(model, trainable=trainable, **shape)
        _fill(tuned, folder)
    return tuned if trainable else tuned.eval()


def add_adapter(model: Any, folder: Path, base_hash: str, name: str) -> None:
    """The same beside the adapter that a peft model has, under a name of its own."""
    shape = _shape(folder, base_hash)
    with _library_errors(folder.name):
        from peft import LoraConfig

        model.add_adapter(name, LoraConfig(task_type="CAUSAL_LM", inference_mode=True, **shape))
        _fill(model, folder, name)


def _shape(folder: Path, base_hash: str) -> dict[str, Any]:
    """Known fields only: peft's own reader lets a config name modules to import."""
    check_adapter(folder, base_hash)
    settings = _json(folder, ADAPTER_CONFIG, folder.name)
    with _library_errors(folder.name):
        return {key: settings[key] for key in ("r", "lora_alpha", "lora_dropout", "target_modules")}


def _fill(model: Any, folder: Path, name: str = "default") -> None:
    from peft import set_peft_model_state_dict
    from peft.utils import get_peft_model_state_dict
    from safetensors.torch import load_file

    weights = load_file(folder / ADAPTER)
    if weights.keys() != get_peft_model_state_dict(model, adapter_name=name).keys():
        raise ValueError("the adapter's weights are not those of its config")
    set_peft_model_state_dict(model, weights, adapter_name=name)


def with_lora(model: Any, *, trainable: bool, **settings: Any) -> Any:
    """A peft model with an adapter that changes nothing yet. Raises what the library raises."""
    from peft import LoraConfig, get_peft_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what one library deprecates in the other
        return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", inference_mode=not trainable, **settings))


def check_adapter(folder: Path, base_hash: str) -> None:
    """Raises InvalidInput unless every file is as it was made and belongs to the base with that hash."""
    name = folder.name
    try:
        result = read_result(folder)
        files = {str(key): str(value) for key, value in result.files.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(f"{name} is no finished version: its result.json is missing or damaged.") from error
    for file in sorted({ADAPTER, ADAPTER_CONFIG, *files}):
        path = folder / Path(file).name
        if not path.is_file():
            raise InvalidInput(f"{name} lacks its file {path.name}. Restore it from a backup, or train a new version.")
        if file_hash(path) != files.get(file):
            raise InvalidInput(
                f"{name}'s file {path.name} is damaged. Restore it from a backup, or train a new version."
            )
    if result.base_hash != base_hash:
        raise InvalidInput(f"{name} belongs to another base model. Choose the base model that it was trained on.")


@contextmanager
def _library_errors(called: str) -> Iterator[None]:
    """The libraries raise nearly anything for broken files."""
    try:
        yield
    except ZegaError:
        raise
    except MemoryError as error:
        raise InvalidInput(f"There is not enough memory for {called}. Choose a smaller base model.") from error
    except Exception as error:
        if "memory" in str(error).lower():
            raise InvalidInput(f"There is not enough memory for {called}. Choose a smaller base model.") from error
        raise InvalidInput(f"{called} cannot be loaded: its files are damaged or of an unknown kind.") from error


def _weights(folder: Path, called: str) -> list[Path]:
    """Of the base in ``folder``: one file, or those that its index names."""
    paths = [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if not paths[0].is_file() and index.is_file():
        shards = _json(folder, index.name, called).get("weight_map")
        if not isinstance(shards, dict) or not shards or not all(isinstance(shard, str) for shard in shards.values()):
            raise InvalidInput(f"{index.name} of {called} cannot be read. Download it again, or choose another.")
        paths = sorted({folder / Path(shard).name for shard in shards.values()})
    elif not paths[0].is_file():
        raise InvalidInput(
            f"{called} has no weights as safetensors. Weights in .bin or .pt files are not loaded, because they can "
            "run code. Choose a model with safetensors."
        )
    for path in paths:
        if not path.is_file():
            raise InvalidInput(f"{path.name} of {called} is missing. Download it again, or choose another base model.")
    return paths


def _parameters(path: Path, called: str) -> int:
    """Counted in the header; the library checks that the file is as long as that says."""
    from math import prod

    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return sum(prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InvalidInput(
            f"{path.name} of {called} is damaged or cut off. Download it again, or choose another base model."
        ) from error


def _refuse_unfit(config: dict[str, Any], tokenizer: dict[str, Any], called: str) -> None:
    if config.get("auto_map") or tokenizer.get("auto_map"):
        raise InvalidInput(f"{called} needs code of its own to run, which ZEGA does not load. Choose another model.")
    kinds = config.get("architectures")
    if not isinstance(kinds, list) or not any(str(kind).endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
        raise InvalidInput(f"{called} is not a model that continues text. Choose a causal language model.")
    if config.get("quantization_config"):
        raise InvalidInput(f"{called} is stored in a compressed form that cannot be trained. Choose the full model.")


def _number(config: dict[str, Any], called: str, *names: str) -> int:
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31:
            return value
    raise InvalidInput(f"config.json of {called} does not give {names[0]}. Choose another base model.")


def _json(folder: Path, file: str, called: str) -> dict[str, Any]:
    path = folder / file
    if not path.is_file():
        raise InvalidInput(f"{called} has no {file}, so it is no model that can be loaded. Choose another base model.")
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError("too large")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("no object")
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} of {called} cannot be read. Download it again, or choose another.") from error
    return found


def _complete(folder: Path) -> bool:
    try:
        describe(folder)
    except InvalidInput:
        return False
    return True
