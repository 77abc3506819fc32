"""Any server that speaks OpenAI's protocol: LM Studio, llama-server, vLLM, OpenRouter and many more."""

from __future__ import annotations

from zega_core.providers.huggingface import HuggingFace


class OpenAICompatible(HuggingFace):
    """Through Hugging Face's client, which speaks the same protocol to any address with any key."""

    provider = "openai_compatible"
