"""Groq through its official client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import groq
import httpx

from zega_core.providers.adapter import Adapter, Said, as_dicts, chat_answer, listed, seed_of
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.exchange import Exchange
from zega_core.providers.service import Access, ListedModel, thinking_room
from zega_core.providers.transport import client_settings

KEEP_TO_SCHEMA = ("openai/gpt-oss", "moonshotai/kimi-k2", "meta-llama/llama-4")
"""Models that can be held to a schema; the others write JSON and are told the schema in words."""
NOT_FOR_TEXT = ("whisper", "tts", "guard", "orpheus")


class Groq(Adapter):
    provider = "groq"
    needs_key = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._client = groq.Groq(
            api_key=self.access.key,
            base_url=self.access.base_url,
            max_retries=0,
            http_client=httpx.Client(**client_settings(httpx, self.access)),
        )

    def close(self) -> None:
        self._client.close()

    def _address(self, base_url: str) -> str:
        return super()._address(base_url).removesuffix("/openai/v1")

    def _list(self, exchange: Exchange) -> list[ListedModel]:
        answer: Any = self._client.models.with_raw_response.list().json()
        names = [model["id"] for model in listed(answer["data"]) if model.get("active", True)]
        return [ListedModel(name) for name in names if not any(kind in name for kind in NOT_FOR_TEXT)]

    def _whole(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Said:
        request = _request(model, messages, options)
        return chat_answer(self._client.chat.completions.with_raw_response.create(**request).json())

    def _pieces(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Iterator[Said]:
        for piece in self._client.chat.completions.create(**_request(model, messages, options), stream=True):
            yield chat_answer(piece, "delta")


def _request(model: str, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": model,
        "messages": as_dicts(messages),
        "max_completion_tokens": options.max_tokens + thinking_room("groq", model),
        "temperature": options.temperature,
        "seed": seed_of(options),
        **_reasoning(model),
    }
    if options.schema is not None:
        request |= _held_to(options.schema, model, request["messages"])
    return request


def _held_to(schema: Mapping[str, Any], model: str, messages: list[dict[str, str]]) -> dict[str, Any]:
    if model.startswith(KEEP_TO_SCHEMA):
        form = {"name": "answer", "schema": dict(schema)}
        return {"response_format": {"type": "json_schema", "json_schema": form}}
    told = {"role": "system", "content": f"Answer with one JSON object of this JSON schema: {json.dumps(dict(schema))}"}
    return {"response_format": {"type": "json_object"}, "messages": [told, *messages]}


def _reasoning(model: str) -> dict[str, Any]:
    """As little thinking as the model allows, and none of it in the text."""
    if "gpt-oss" in model:
        return {"reasoning_effort": "low", "include_reasoning": False}
    if "qwen3" in model:
        return {"reasoning_effort": "none", "reasoning_format": "hidden"}
    return {}
