"""A stand-in for an Ollama that keeps models: it answers as its source does (server/routes.go, server/create.go,
types/model/name.go of 2026), faults included.

    with OllamaServer(answer=lambda model, prompt, options: "A lantern.") as server:
        Access(server.url)...
        server.models["zega-ana:latest"].template

What the real one would fetch from the network is noted in ``pulls`` instead.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import gguf

NO_ADAPTERS_FROM = (0, 34, 1)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
FULL = "write /var/lib/ollama/blobs/sha256-123: no space left on device"

Answer = Callable[["Kept", str, Mapping[str, Any]], str]
"""Of a model, the prompt as it is rendered, and the options in force; what it writes, without an end."""


@dataclass
class Kept:
    """A model as it is kept. ``info`` is the header of its file."""

    name: str
    digest: str
    template: str = "{{ .Prompt }}"
    system: str = ""
    license: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, str]] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    json: Any


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class OllamaServer:
    """On 127.0.0.1. ``faults`` by the beginning of a request ("POST /api/create"), each for the first one that it fits,
    ``lasting`` for all: ``drop`` closes the connection without a word, ``drop_middle`` after some of the answer,
    ``drop_after`` when the work is done, ``full`` is a full disk, ``error`` HTTP 500, ``slow`` waits for half a second,
    ``nothing`` is an empty body, ``html`` no JSON. ``before`` is called with each request before it is answered."""

    def __init__(
        self, version: str = "0.34.2", *, answer: Answer = lambda model, prompt, options: "A lantern."
    ) -> None:
        self.version, self.answer = version, answer
        self.models, self.blobs = dict[str, Kept](), dict[str, bytes]()
        self.requests, self.pulls, self.prompts = list[Asked](), list[str](), list[str]()
        self.faults, self.lasting = dict[str, str](), dict[str, str]()
        self.before: Callable[[str], None] = lambda request: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> OllamaServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def requested(self, start: str) -> list[Asked]:
        return [asked for asked in self.requests if f"{asked.method} {asked.path}".startswith(start)]

    def fault(self, method: str, path: str) -> str:
        request = f"{method} {path}"
        self.before(request)
        for faults in (self.lasting, self.faults):
            for start in faults:
                if request.startswith(start):
                    return faults[start] if faults is self.lasting else self.faults.pop(start)
        return ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            ollama = server

        return Handler

    # ------------------------------------------------------------------------------------------------------- the work

    def show(self, name: str) -> dict[str, Any]:
        model = self.models.get(full_name(name))
        if model is None:
            raise Refused(404, f"model '{name}' not found")
        parameters = [
            f"{key:<30} {json.dumps(one)}"
            for key, value in model.parameters.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        shown: dict[str, Any] = {
            "license": "\n".join(model.license),
            "modelfile": f"FROM /models/blobs/{model.digest.replace(':', '-')}\n",
            "parameters": "\n".join(parameters),
            "template": model.template,
            "details": {"parent_model": "", "format": "gguf", "family": model.info.get("general.architecture", "")},
            "model_info": model.info,
            "capabilities": ["completion"],
            "modified_at": "2026-11-25T12:00:00.123456789Z",
        }
        shown |= {"system": model.system} if model.system else {}
        return shown | ({"messages": model.messages} if model.messages else {})

    def tags(self) -> dict[str, Any]:
        named = [{"name": name, "model": name, "digest": model.digest[7:]} for name, model in self.models.items()]
        return {"models": [one | {"modified_at": "2026-11-25T12:00:00Z", "size": 1, "details": {}} for one in named]}

    def keep_blob(self, digest: str, body: bytes) -> int:
        if not DIGEST.fullmatch(digest):
            raise Refused(400, "invalid digest format")
        if digest in self.blobs:
            return 200
        found = f"sha256:{sha256(body).hexdigest()}"
        if found != digest:
            raise Refused(400, f'digest mismatch, expected "{digest}", got "{found}"')
        self.blobs[digest] = body
        return 201

    def check_create(self, asked: Mapping[str, Any]) -> None:
        """What is refused before the stream begins."""
        if asked.get("adapters") and _numbers(self.version) >= NO_ADAPTERS_FROM:
            raise Refused(400, "LoRA adapters are no longer supported")
        full_name(asked.get("model") or "")
        for path, digest in (asked.get("files") or {}).items():
            if path.startswith("/") or ".." in path or "\\" in path:
                raise Refused(400, f"file path must be relative: {path}")
            if not DIGEST.fullmatch(digest):
                raise Refused(400, f"invalid digest for {path}: invalid digest format")

    def create(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The lines of the stream; the model is there once "success" is said."""
        name, files = full_name(asked["model"]), asked.get("files") or {}
        if asked.get("from"):
            yield from self._from(asked, name)
            return
        if not files:
            yield {"error": "neither 'from' or 'files' was specified"}
            return
        if len(files) != 1 or not next(iter(files)).endswith(".gguf"):
            yield {"error": "supplied file was not in GGUF format"}
            return
        path, digest = next(iter(files.items()))
        yield {"status": "parsing GGUF"}
        if digest not in self.blobs:
            yield {"error": f"open /models/blobs/{digest.replace(':', '-')}: no such file or directory"}
            return
        info = read_header(self.blobs[digest])
        if info is None:
            yield {"error": "invalid file magic"}
            return
        if info.get("general.type") == "adapter":
            yield {"error": f"LoRA adapters are no longer supported: {path} is a LoRA adapter"}
            return
        yield {"status": f"using existing layer {digest}"}
        yield from self._write(asked, Kept(name, digest, info=info))

    def _from(self, asked: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
        source = self.models.get(full_name(asked["from"]))
        if source is None:
            self.pulls.append(asked["from"])
            yield {"status": "pulling manifest"}
            yield {"error": "pull model manifest: file does not exist"}
            return
        yield from self._write(asked, Kept(name, source.digest, source.template, source.system, info=source.info))

    def _write(self, asked: Mapping[str, Any], model: Kept) -> Iterator[dict[str, Any]]:
        template = asked.get("template") or model.template
        if template.count("{{") != template.count("}}"):
            yield {"error": "template error: unclosed action"}
            return
        license = asked.get("license") or []
        model.template, model.system = template, asked.get("system") or model.system
        model.license += [license] if isinstance(license, str) else list(license)
        model.parameters |= asked.get("parameters") or {}
        model.messages += asked.get("messages") or []
        yield {"status": "writing manifest"}
        self.models[model.name] = model
        yield {"status": "success"}

    def copy(self, source: str, target: str) -> None:
        found, named = self.models.get(full_name(source)), full_name(target)
        if found is None:
            raise Refused(404, f'model "{source}" not found')
        self.models[named] = Kept(named, **{key: value for key, value in vars(found).items() if key != "name"})

    def delete(self, name: str) -> None:
        if self.models.pop(full_name(name), None) is None:
            raise Refused(404, f"model '{name}' not found")

    def write(self, asked: Mapping[str, Any], messages: Sequence[Mapping[str, str]]) -> tuple[str, str]:
        """The text and why it ended, as the runner does it: up to a stop or so many words."""
        model = self.models.get(full_name(asked["model"]))
        if model is None:
            raise Refused(404, f"model '{asked['model']}' not found")
        prompt = rendered(model.template, model.system, messages)
        self.prompts.append(prompt)
        options = {**model.parameters, **(asked.get("options") or {})}
        text, reason = self.answer(model, prompt, options), "stop"
        for stop in options.get("stop") or []:
            text = text.partition(stop)[0]
        words = re.findall(r"\s*\S+", text)
        if len(words) > (most := options.get("num_predict", -1)) >= 0:
            text, reason = "".join(words[:most]), "length"
        return text, reason


def full_name(name: str) -> str:
    """As it is listed; raises Refused for what is none."""
    path, _, tag = name.partition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    *before, model = path.split("/")
    good = PART.fullmatch(model) and PART.fullmatch(tag) and len(before) <= 2
    if not good or not all(NAMESPACE.fullmatch(one) for one in before[-1:]):
        raise Refused(400, "invalid model name")
    return f"{path}:{tag}"


def rendered(template: str, system: str, messages: Sequence[Mapping[str, str]]) -> str:
    """What text/template makes of a template of ``if .X``, ``end`` and ``.X`` for one turn, where X is System, Prompt
    or Response; what follows the response is left out, as template/template.go does it for the last turn."""
    values = {"System": system, "Prompt": "", "Response": ""}
    for message in messages:
        values[{"system": "System", "user": "Prompt", "assistant": "Response"}[message["role"]]] = message["content"]
    text = template.partition("{{ .Response }}")[0]
    text = re.sub(
        r"{{-? *if \.(\w+) *-?}}(.*?){{-? *end *-?}}",
        lambda found: found[2] if values[found[1]] else "",
        text,
        flags=re.S,
    )
    return re.sub(r"{{ *\.(\w+) *}}", lambda found: values[found[1]], text)


def read_header(body: bytes) -> dict[str, Any] | None:
    """The short fields of a GGUF file, None for another file."""
    if body[:4] != b"GGUF":
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.gguf")
        path.write_bytes(body)
        reader = gguf.GGUFReader(path)
        info = {
            name: one.contents() for name, one in reader.fields.items() if one.types[:1] != [gguf.GGUFValueType.ARRAY]
        }
        del reader  # it holds the file open
    return info


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ollama: OllamaServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_HEAD = do_DELETE = do_GET

    def _handle(self) -> None:
        body = self._body()
        is_blob = self.path.startswith("/api/blobs/")
        asked = None if is_blob or not body else json.loads(body)
        self.ollama.requests.append(Asked(self.command, self.path, asked))
        fault = self.ollama.fault(self.command, self.path)
        if fault == "slow":
            time.sleep(0.5)
        elif fault in ("drop", "error", "nothing", "html") or (fault == "full" and is_blob):
            self._broken(fault)
            return
        try:
            self._answer(asked, body, fault)
        except Refused as refused:
            self._send(refused.status, {"error": str(refused)})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            found = bytearray()
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(found)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _broken(self, fault: str) -> None:
        if fault == "drop":
            self.close_connection = True
        elif fault == "full":
            self._send(500, {"error": FULL})
        elif fault == "error":
            self._send(500, {"error": "llama-server process has terminated: exit status 2"})
        else:
            self._raw(200, b"" if fault == "nothing" else b"<html><body>Sign in</body></html>")

    def _answer(self, asked: Any, body: bytes, fault: str) -> None:
        ollama, where = self.ollama, (self.command, self.path)
        if self.path.startswith("/api/blobs/"):
            self._blob(self.path.rpartition("/")[2], body)
        elif where == ("GET", "/api/version"):
            self._send(200, {"version": ollama.version})
        elif where == ("GET", "/api/tags"):
            self._send(200, ollama.tags())
        elif where == ("POST", "/api/show"):
            self._send(200, ollama.show(asked["model"]))
        elif where == ("POST", "/api/create"):
            ollama.check_create(asked)
            self._stream(ollama.create(asked), fault, 2)
        elif where == ("POST", "/api/copy"):
            ollama.copy(asked["source"], asked["destination"])
            self._done(fault)
        elif where == ("DELETE", "/api/delete"):
            ollama.delete(asked["model"])
            self._done(fault)
        elif where == ("POST", "/api/chat"):
            self._written(asked, asked["messages"], fault)
        elif where == ("POST", "/api/generate"):
            said = [{"role": "user", "content": asked["prompt"]}]
            self._written(
                asked, [{"role": "system", "content": asked["system"]}, *said] if asked.get("system") else said, fault
            )
        else:
            self._raw(404, b"404 page not found")

    def _blob(self, digest: str, body: bytes) -> None:
        if self.command == "HEAD":
            self._raw(200 if digest in self.ollama.blobs else 404, b"")
        else:
            self._raw(self.ollama.keep_blob(digest, body), b"")

    def _done(self, fault: str) -> None:
        if fault == "drop_after":
            self.close_connection = True
        else:
            self._raw(200, b"")

    def _written(self, asked: Mapping[str, Any], messages: Sequence[Mapping[str, str]], fault: str) -> None:
        text, reason = self.ollama.write(asked, messages)
        chat = self.path == "/api/chat"

        def line(said: str, **more: Any) -> dict[str, Any]:
            content = {"message": {"role": "assistant", "content": said}} if chat else {"response": said}
            return {"model": asked["model"], "created_at": "2026-11-25T12:00:00Z", **content, "done": False, **more}

        counts = {"prompt_eval_count": 9, "eval_count": len(text.split()), "total_duration": 5}
        end = {"done": True, "done_reason": reason, **counts}
        if asked.get("stream", True):
            pieces = re.findall(r"\s*\S+\s*", text)
            self._stream(iter([*map(line, pieces), line("", **end)]), fault, 2)
        else:
            self._send(200, line(text, **end))

    def _stream(self, lines: Iterator[dict[str, Any]], fault: str, middle: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, line in enumerate(lines):
            if fault == "full" and number == middle:
                line = {"error": FULL}
            if (fault == "drop_middle" and number == middle) or (
                fault == "drop_after" and line.get("status") == "success"
            ):
                self.close_connection = True
                return
            said = json.dumps(line).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(said), said))
            self.wfile.flush()
            if "error" in line:
                break
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, value: Any) -> None:
        self._raw(status, json.dumps(value).encode())

    def _raw(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
