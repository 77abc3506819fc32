"""Scripts beside text areas whose text outlives a refresh: this browser keeps every key press, and counts the words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

_HERE = Path(__file__).parent
_HTML = "<span data-count></span><span data-keys></span>"
_CSS = """
:host, span { font: 400 0.875rem/1.4 "Source Sans", sans-serif; color: light-dark(#5A6166, #A9AFB0); }
@media (hover: none) { [data-keys] { display: none; } }
"""


def script(name: str, *, seen: bool = True) -> Any:
    """The component whose script is ``name``.js; ``seen`` is one that stands below its text area."""
    parts = [(_HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("drafts", name)]
    return component(f"zega_{name}", html=_HTML if seen else "<span></span>", css=_CSS, js="\n".join(parts))
