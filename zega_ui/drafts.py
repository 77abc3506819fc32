"""Scripts beside text areas and lines whose text outlives a refresh: this browser keeps every key press."""

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
    """The component whose script is ``name``.js; ``seen`` is one that stands below its text area and counts."""
    parts = [(_HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("drafts", name)]
    html, name = (_HTML, name) if seen else ("<span></span>", f"{name}_unseen")
    return component(f"zega_{name}", html=html, css=_CSS, js="\n".join(parts))
