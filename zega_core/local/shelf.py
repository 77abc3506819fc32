"""The models that are kept warm: loaded, checked and merged. Only the server's process imports this."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from zega_core.errors import InvalidInput, NotFound
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import sampling
from zega_core.local.names import ModelName
from zega_core.settings import Settings
from zega_core.versions import folder_of

VERSION_FILES = (bases.ADAPTER, bases.ADAPTER_CONFIG, "result.json", "plan.json")
SHARE_OF_MEMORY = 0.25
"""Of the machine's memory that warm models may take together; one is kept however large it is."""
UNKNOWN_MEMORY = 8 * 1024**3
LONGEST_PLAN = 1_000_000
BYTES_A_WEIGHT = 4
"""Models write in float32: bfloat16 was slower on processors, and this way the text is that of the measured model."""

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Warm:
    """A model ready to write. ``stops`` are the token ids that end a text, ``context`` is in tokens, ``bytes`` those of
    its weights in memory. ``stamp`` is what its ``files`` were like when it was loaded."""

    model: Any
    tokenizer: Any
    stops: frozenset[int]
    context: int
    bytes: int
    files: tuple[Path, ...]
    stamp: Stamp


class Shelf:
    """The last few models that were asked for, the least lately used leaving first. For one thread at a time."""

    def __init__(self, settings: Settings, *, most_bytes: int | None = None, device: str | None = None) -> None:
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.most_bytes = int(SHARE_OF_MEMORY * memory()) if most_bytes is None else most_bytes
        self._settings = settings
        self._warm: OrderedDict[ModelName, Warm] = OrderedDict()
        self._hashes: dict[Path, tuple[Stamp, str]] = {}

    @property
    def names(self) -> list[ModelName]:
        return list(self._warm)

    def take(self, name: ModelName) -> Warm:
        """The model, loaded if it is not warm or if its files are no longer those that were loaded. Raises InvalidInput
        or NotFound when it cannot be had."""
        warm = self._warm.get(name)
        if warm is not None and _stamp(warm.files) == warm.stamp:
            self._warm.move_to_end(name)
            return warm
        self._warm.pop(name, None)
        warm = self._warm[name] = self._version(name) if name.writer else self._base(name)
        self._make_room(0)
        return warm

    def _base(self, name: ModelName) -> Warm:
        folder = bases.resolve(name.base)
        files = tuple(_base_files(folder))
        stamp = _stamp(files)
        model, tokenizer, context = self._load(folder)
        return _warm(model, tokenizer, context, files, stamp)

    def _version(self, name: ModelName) -> Warm:
        folder = folder_of(self._settings, name.writer, name.number)
        if not folder.is_dir():
            raise NotFound(f"There is no version v{name.number} of your model. Choose another version.")
        files = tuple(folder / file for file in VERSION_FILES)
        stamp = _stamp(files)
        base = _base_of(folder)
        adapted = self._hash(base)
        bases.check_adapter(folder, adapted)
        model, tokenizer, context = self._load(base)
        merged = bases.load_adapter(model, folder, adapted).merge_and_unload()
        return _warm(merged, tokenizer, context, files, stamp)

    def _load(self, folder: Path) -> tuple[Any, Any, int]:
        info = bases.describe(folder)
        need = info.parameters * BYTES_A_WEIGHT
        if self.device == "cpu" and need > memory():
            raise InvalidInput(
                f"{info.label} needs {need / 1024**3:.0f} GB of memory, more than this machine has. Choose a smaller "
                "base model."
            )
        self._make_room(need)
        model, tokenizer = bases.load(folder, dtype=torch.float32, device=self.device)
        return model, tokenizer, info.context

    def _make_room(self, need: int) -> None:
        """Let models go until ``need`` more bytes fit, but never the one that is asked for right now."""
        least = 0 if need else 1
        while len(self._warm) > least and need + sum(warm.bytes for warm in self._warm.values()) > self.most_bytes:
            self._warm.popitem(last=False)
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def _hash(self, base: Path) -> str:
        """Of a base's weights. Computed again only when their files changed."""
        stamp = _stamp(_base_files(base))
        known = self._hashes.get(base)
        if known is None or known[0] != stamp:
            known = self._hashes[base] = (stamp, bases.weights_hash(base))
        return known[1]


def memory() -> int:
    """Bytes of memory in this machine; a guess where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN_MEMORY


def _warm(model: Any, tokenizer: Any, context: int, files: tuple[Path, ...], stamp: Stamp) -> Warm:
    ends = sampling.ends(tokenizer, model.generation_config)
    model.generation_config = GenerationConfig()  # how to write is said with each request, and nowhere else
    size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    return Warm(model, tokenizer, ends, context, size, files, stamp)


def _base_of(folder: Path) -> Path:
    """The base that a version was trained on: the folder it was read from if that is still there, else found by its
    name. Raises InvalidInput."""
    try:
        path = folder / "plan.json"
        if path.stat().st_size > LONGEST_PLAN:
            raise ValueError("too large")
        plan = json.loads(path.read_text(encoding="utf-8"))
        base, name = plan["base"], plan["base_name"]
        if not isinstance(base, str) or not isinstance(name, str):
            raise ValueError("no text")
        found = Path(base)
        if found.is_absolute() and found.is_dir():
            return found
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            f"{folder.name} does not say what base model it belongs to: its plan.json is missing or damaged. Restore "
            "it from a backup, or train a new version."
        ) from error
    return bases.resolve(name)


def _base_files(folder: Path) -> list[Path]:
    return [folder / "config.json", folder / "tokenizer.json", *sorted(folder.glob("*.safetensors"))]


def _stamp(files: Sequence[Path]) -> Stamp:
    """Changes whenever one of the files does; what is missing counts as empty."""
    return tuple(_looks(path) for path in files)


def _looks(path: Path) -> tuple[int, int, int]:
    try:
        seen = path.stat()
    except OSError:
        return (0, 0, 0)
    return (seen.st_mtime_ns, seen.st_size, seen.st_ino)
