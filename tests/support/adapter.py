"""An adapter of the built-in base that was never trained, for what needs one that can be loaded."""

from __future__ import annotations

from pathlib import Path

from zega_core.fine_tune import base


def adapter(folder: Path, *, size: float = 0.05) -> None:
    """It changes some of what the base writes; with a ``size`` of its weights of 0.5 all of it. Loads torch."""
    import torch
    from peft.utils import get_peft_model_state_dict
    from safetensors.torch import save_file

    model, _ = base.load(base.BUILT_IN, dtype=torch.float32, device="cpu")
    torch.manual_seed(3)
    tuned = base.with_lora(model, trainable=True, r=2, lora_alpha=4, lora_dropout=0.0, target_modules=["q_proj"])
    weights = {name: size * torch.randn_like(one) for name, one in get_peft_model_state_dict(tuned).items()}
    save_file(weights, folder / base.ADAPTER)
    settings = '{"r": 2, "lora_alpha": 4, "lora_dropout": 0.0, "target_modules": ["q_proj"]}'
    (folder / base.ADAPTER_CONFIG).write_text(settings, encoding="utf-8")
