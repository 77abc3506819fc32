"""What can be taken out of ZEGA: each format with what it is for and what to do with it next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Format:
    """``kind`` says whether it holds training data or a model (which needs a version). ``what`` is what it is for,
    ``next`` what to do with it, both in plain sentences; behind a colon comes the command."""

    key: str
    label: str
    kind: Literal["data", "model"]
    what: str
    next: str


FORMATS: Mapping[str, Format] = {
    one.key: one
    for one in (
        Format(
            "jsonl",
            "Training data: prompt and completion",
            "data",
            "Your kept examples, one JSON object a line with prompt and completion.",
            "Most fine-tuning tools read it as it is.",
        ),
        Format(
            "chat",
            "Training data: chat messages",
            "data",
            "Your kept examples as conversations of one question and one answer, in the form of OpenAI's messages.",
            "Upload it to a service that fine-tunes chat models, or load it with TRL.",
        ),
        Format(
            "alpaca",
            "Training data: Alpaca",
            "data",
            "Your kept examples with instruction, input and output.",
            "For tools that ask for the Alpaca format, such as LLaMA-Factory or Axolotl.",
        ),
        Format(
            "sharegpt",
            "Training data: ShareGPT",
            "data",
            "Your kept examples as conversations from human to gpt.",
            "For tools that ask for the ShareGPT format, such as Unsloth or Axolotl.",
        ),
        Format(
            "peft",
            "Adapter for Python",
            "model",
            "The adapter alone as a PEFT folder with a model card: small, and it needs the base model beside it.",
            "Load it in Python with peft; the model card shows how.",
        ),
        Format(
            "merged",
            "Whole model for Python",
            "model",
            "Base model and adapter as one model in safetensors files.",
            "Load it with transformers, or convert it with other tools; the model card shows how.",
        ),
        Format(
            "gguf",
            "Whole model as GGUF",
            "model",
            "Base model and adapter in one file for llama.cpp and what is built on it, with a Modelfile.",
            "Open it in LM Studio, Jan or llama.cpp, or bring it into Ollama with two commands.",
        ),
        Format(
            "ollama",
            "Into Ollama",
            "model",
            "Your model in Ollama on this machine, made and checked by ZEGA; without Ollama the files and commands.",
            "Choose it in any program that talks to Ollama, or ask it in a terminal with:",
        ),
    )
}
