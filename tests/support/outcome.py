"""What a training process may leave."""

from __future__ import annotations

from zega_core.fine_tune.plan import Result

RESULT = Result(
    steps=60,
    best_step=48,
    epochs=10.0,
    tokens=90_000,
    seconds=71.0,
    tokens_per_second=1_270.0,
    train_loss=2.1,
    validation_loss_before=3.9,
    validation_loss=2.7,
    perplexity_base=38.2,
    perplexity_before=38.2,
    perplexity_after=22.4,
    held_out_texts=6,
    held_out_own=False,
    precision="bfloat16",
    device="cpu",
    micro_batch=8,
    parameters=14_358_912,
    trained_parameters=843_776,
    base_hash="b" * 64,
    size_bytes=3_400_000,
    files={},
)
