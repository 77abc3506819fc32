"""The LoRA adapter of a model: putting it on, reading and setting its weights, writing it as a version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from zega_core.errors import InvalidInput
from zega_core.fine_tune import base, checkpoint
from zega_core.fine_tune.checkpoint import Tensors
from zega_core.fine_tune.plan import Plan

OTHER = "other"


def attach(model: Any, plan: Plan, base_hash: str) -> Any:
    """``model`` with the adapter that ``plan`` begins with: the one of ``plan.start`` with its own rank, else a fresh
    one, which changes nothing yet. Raises InvalidInput."""
    torch.manual_seed(plan.seed)
    if plan.start:
        tuned = base.load_adapter(model, Path(plan.start), base_hash, trainable=True)
        for name, module in tuned.named_modules():
            if name.rpartition(".")[0].endswith("lora_dropout") and isinstance(module, torch.nn.Dropout):
                module.p = plan.dropout
        return tuned
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    try:
        return base.with_lora(
            model,
            trainable=True,
            r=plan.rank,
            lora_alpha=plan.alpha,
            lora_dropout=plan.dropout,
            # Other families name their matrices otherwise; then all of them learn.
            target_modules=sorted(plan.targets) if set(plan.targets) <= names else "all-linear",
        )
    except ValueError as error:
        raise InvalidInput("This base model has no part that can be trained. Choose another base model.") from error


def trained(model: Any) -> dict[str, torch.nn.Parameter]:
    """The adapter's parameters by name, in the order of the model."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def weights(model: Any) -> Tensors:
    """A copy of the adapter as peft names it in files, on the processor."""
    from peft.utils import get_peft_model_state_dict

    found: Mapping[str, torch.Tensor] = get_peft_model_state_dict(model)
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in found.items()}


def set_weights(model: Any, tensors: Tensors) -> None:
    from peft import set_peft_model_state_dict

    set_peft_model_state_dict(model, tensors)


def scaled(tensors: Tensors, strength: float) -> Tensors:
    """The adapter whose change of the model is ``strength`` times that of ``tensors``."""
    return {name: value * strength if ".lora_B." in name else value for name, value in tensors.items()}


@contextmanager
def another(model: Any, folder: Path, base_hash: str) -> Iterator[None]:
    """For a while the adapter of a finished version in the place of the model's own, whatever its rank. Raises
    InvalidInput."""
    own = model.active_adapter
    base.add_adapter(model, folder, base_hash, OTHER)
    try:
        model.set_adapter(OTHER)
        yield
    finally:
        model.set_adapter(own)
        model.delete_adapter(OTHER)


def write(folder: Path, model: Any, tensors: Tensors, base_name: str) -> None:
    """adapter_model.safetensors and adapter_config.json as peft reads them; no path of this machine is in them."""
    from safetensors.torch import save

    config = model.peft_config["default"]
    known = {
        "base_model_name_or_path": "zega-base" if not base_name or base_name.startswith(("/", "~")) else base_name,
        "bias": "none",
        "fan_in_fan_out": bool(config.fan_in_fan_out),
        "inference_mode": True,
        "lora_alpha": int(config.lora_alpha),
        "lora_dropout": float(config.lora_dropout),
        "peft_type": "LORA",
        "r": int(config.r),
        "target_modules": sorted(config.target_modules),
        "task_type": "CAUSAL_LM",
    }
    checkpoint.write(folder / base.ADAPTER, save(tensors, metadata={"format": "pt"}))
    checkpoint.write(folder / base.ADAPTER_CONFIG, json.dumps(known, indent=1).encode())
