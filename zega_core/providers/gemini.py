"""Gemini through Google's official client, google-genai."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
from google import genai
from google.genai import types

from zega_core.providers.adapter import Adapter, Said, listed, number, part, seed_of, word
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.exchange import Exchange
from zega_core.providers.service import Access, ListedModel, can_write, thinking_room
from zega_core.providers.transport import client_settings

VERSION = "v1beta"


class Gemini(Adapter):
    provider = "gemini"
    needs_key = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._http = httpx2.Client(**client_settings(httpx2, self.access))
        options = types.HttpOptions(base_url=self.access.base_url, api_version=VERSION, httpx_client=self._http)
        self._client = genai.Client(vertexai=False, api_key=self.access.key, http_options=options)

    def close(self) -> None:
        self._client.close()
        self._http.close()

    def _address(self, base_url: str) -> str:
        return super()._address(base_url).removesuffix(f"/{VERSION}")

    def _list(self, exchange: Exchange) -> list[ListedModel]:
        models = self._client.models.list(config={"page_size": 1000})
        names = [word(model.name) for model in models if "generateContent" in (model.supported_actions or [])]
        listed(json.loads(exchange.body)["models"])
        names = [name.removeprefix("models/") for name in names if name]
        return [ListedModel(name, writes=can_write(name)) for name in names]

    def _whole(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Said:
        """From the answer as it was sent: reading it into the client's classes warns of every new word."""
        request = _request(model, messages, options)
        request["config"].should_return_http_response = True
        response = self._client.models.generate_content(**request).sdk_http_response
        return _said(json.loads((response and response.body) or ""))

    def _pieces(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Iterator[Said]:
        for piece in self._client.models.generate_content_stream(**_request(model, messages, options)):
            yield _said(piece.model_dump(by_alias=True, exclude_none=True, exclude={"sdk_http_response"}))


def _request(model: str, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    turns = [message for message in messages if message.role != "system"] or [Message("user", system)]
    config = types.GenerateContentConfig(
        system_instruction=system or None,
        temperature=options.temperature,
        seed=seed_of(options),
        max_output_tokens=options.max_tokens + thinking_room("gemini", model),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
    )
    _think_little(config, model)
    if options.schema is not None:
        config.response_mime_type, config.response_json_schema = "application/json", dict(options.schema)
    contents = [
        types.Content(role="model" if turn.role == "assistant" else "user", parts=[types.Part(text=turn.content)])
        for turn in turns
    ]
    return {"model": model, "contents": contents, "config": config}


def _think_little(config: types.GenerateContentConfig, model: str) -> None:
    """As little thinking as the model allows."""
    name = model.removeprefix("models/")
    if name.startswith("gemini-2.5-flash"):
        config.thinking_config = types.ThinkingConfig(thinking_budget=0)
    elif name.startswith("gemini-3"):
        config.thinking_config = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)


def _said(answer: Any) -> Said:
    """What an answer, or a piece of one, says. Thoughts are parts of their own and left out."""
    usage, feedback = part(answer, "usageMetadata"), part(answer, "promptFeedback")
    said = Said(
        model=word(part(answer, "modelVersion")),
        prompt_tokens=number(part(usage, "promptTokenCount")),
        completion_tokens=number(part(usage, "candidatesTokenCount")) + number(part(usage, "thoughtsTokenCount")),
        blocked=bool(part(feedback, "blockReason")),
    )
    candidates = part(answer, "candidates")
    if not candidates:
        if candidates is not None or not (usage or feedback):
            raise ValueError("no candidate")
        return said
    first = listed(candidates)[0]
    if not isinstance(first, dict):
        raise ValueError("no candidate")
    said.finish = word(part(first, "finishReason")).lower()
    content = part(first, "content") or {}
    if not isinstance(content, dict):
        raise ValueError("no content")
    said.text = "".join(_text(piece) for piece in listed(part(content, "parts") or []))
    return said


def _text(piece: Any) -> str:
    text = part(piece, "text")
    if not isinstance(piece, dict) or not (text is None or isinstance(text, str)):
        raise ValueError("no text")
    return "" if piece.get("thought") else text or ""
