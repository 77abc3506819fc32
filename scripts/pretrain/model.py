"""The Llama architecture for training: the same numbers and names as LlamaForCausalLM, with dropout and masked loss.

It stands alone so that it compiles to one graph and runs wherever torch does; a test holds it against transformers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Shape:
    vocabulary: int = 6144
    width: int = 384
    layers: int = 8
    heads: int = 6
    kv_heads: int = 2
    inner: int = 960
    context: int = 1024
    theta: float = 10000.0
    eps: float = 1e-5

    @property
    def head(self) -> int:
        return self.width // self.heads

    def config(self) -> dict[str, object]:
        """config.json. The rope base stands twice: transformers 5 reads the one, converters to GGUF the other."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": self.vocabulary,
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head,
            "hidden_act": "silu",
            "max_position_embeddings": self.context,
            "rms_norm_eps": self.eps,
            "rope_theta": self.theta,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.theta},
            "tie_word_embeddings": True,
            "attention_bias": False,
            "attention_dropout": 0.0,
            "mlp_bias": False,
            "initializer_range": 0.02,
            "use_cache": True,
            "dtype": "bfloat16",
        }


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, kv, bias=False)
        self.v_proj = nn.Linear(shape.width, kv, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, width = x.shape

        def heads(projected: Tensor) -> Tensor:
            return projected.view(batch, length, -1, self.shape.head).transpose(1, 2)

        q, k = turned(heads(self.q_proj(x)), cos, sin), turned(heads(self.k_proj(x)), cos, sin)
        shared = self.shape.heads // self.shape.kv_heads
        k, v = (one.repeat_interleave(shared, dim=1) for one in (k, heads(self.v_proj(x))))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, width))


class Mlp(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Norm(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(shape.width)), shape.eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).type_as(x) * self.weight.type_as(x)


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn, self.mlp = Attention(shape), Mlp(shape)
        self.input_layernorm, self.post_attention_layernorm = Norm(shape), Norm(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, drop: Tensor | None) -> Tensor:
        x = x + dropped(self.self_attn(self.input_layernorm(x), cos, sin), drop)
        return x + dropped(self.mlp(self.post_attention_layernorm(x)), drop)


class Trunk(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape)


class Llama(nn.Module):
    """``forward`` gives logits; ``loss`` the mean over the targets that count, from rows of one token more."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape, self.model = shape, Trunk(shape)
        angles = torch.outer(
            torch.arange(shape.context).float(), shape.theta ** (-torch.arange(0, shape.head, 2).float() / shape.head)
        ).repeat(1, 2)
        self.cos: Tensor
        self.sin: Tensor
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                deep = (2 * shape.layers) ** -0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                nn.init.normal_(weight, std=0.02 * deep)

    def forward(self, tokens: Tensor, drop: Tensor | None = None) -> Tensor:
        """``drop`` is the dropout of each row."""
        x = self.model.embed_tokens(tokens)
        cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        for layer in self.model.layers:
            x = layer(x, cos, sin, drop)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)

    def losses(self, rows: Tensor, drop: Tensor | None = None) -> Tensor:
        logits = self(rows[:, :-1], drop).float()
        return F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), reduction="none").view(rows.shape[0], -1)

    def loss(self, rows: Tensor, counts: Tensor, drop: Tensor | None = None) -> Tensor:
        return (self.losses(rows, drop) * counts).sum() / counts.sum()


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions, the two halves of a head as the pair, as in transformers."""
    one, two = x.chunk(2, dim=-1)
    return (x * cos + torch.cat((-two, one), dim=-1) * sin).type_as(x)


def dropped(x: Tensor, drop: Tensor | None) -> Tensor:
    if drop is None:
        return x
    share = drop[:, None, None]
    return x * (torch.rand_like(x, dtype=torch.float32) >= share) / (1 - share).type_as(x)
