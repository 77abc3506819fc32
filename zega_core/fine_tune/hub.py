"""Base models on Hugging Face: those that this machine already has, and fetching one."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any

from zega_core.errors import HomeError, InvalidInput, ProviderUnavailable

LOOK_SECONDS = 10.0
"""How long the first look for a model may take: being offline is told at once, not after retries."""
_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_FILES: dict[str, Any] = {
    "allow_patterns": ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"],
    "ignore_patterns": ["*/*", "consolidated*"],  # the same weights once more, in other forms
}


def check_id(name: str) -> None:
    """Raises InvalidInput unless ``name`` has the form of an id."""
    if not _ID.fullmatch(name) or ".." in name or "--" in name or name.endswith((".", "-", ".git")):
        raise InvalidInput(
            f"{name[:80]} names no model. Use an id such as HuggingFaceTB/SmolLM2-135M, or a folder with its full path."
        )


def cached(name: str) -> Path | None:
    """Where it lies on this machine, None when it is missing or incomplete. Nothing is asked."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True, **_FILES))
    except LocalEntryNotFoundError:
        return None


def download(name: str, key: str | None = None) -> Path:
    """Fetch it. ``key``, the writer's, is used only for a model that is not open to all. Raises InvalidInput (no such
    model, not open, no safetensors), ProviderUnavailable (no connection) or HomeError (no space)."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        try:
            return _fetched(name, None)
        except RepositoryNotFoundError:  # or gated, which is a kind of it
            if key is None:
                raise
            return _fetched(name, key)
    except GatedRepoError as error:
        raise InvalidInput(
            f"{name} is open only to those who accepted its terms. Accept them on huggingface.co and enter your key "
            "for Hugging Face, or choose another base model."
        ) from error
    except RepositoryNotFoundError as error:
        raise InvalidInput(f"There is no model {name} on Hugging Face, or it is private. Check its name.") from error
    except HfHubHTTPError as error:
        raise ProviderUnavailable(
            f"Hugging Face did not hand out {name}. Try again later, or choose the built-in model."
        ) from error
    except (HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HomeError(f"There is not enough space on the disk for {name}. Free some and try again.") from error
        raise ProviderUnavailable(
            f"Hugging Face could not be reached, so {name} was not downloaded. Check your connection and try again, "
            "or choose the built-in model.",
            unreachable=True,
        ) from error


def _fetched(name: str, key: str | None) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    found = HfApi().model_info(name, timeout=LOOK_SECONDS, token=key)
    names = [file.rfilename for file in found.siblings or []]
    if not any(file.endswith(".safetensors") and "/" not in file for file in names):
        raise InvalidInput(
            f"{name} has no weights as safetensors. Weights in .bin or .pt files are not loaded, because they can "
            "run code. Choose a model with safetensors."
        )
    return Path(snapshot_download(name, revision=found.sha, token=key, **_FILES))
