"""What axe-core finds wrong with a page that is ours to mend."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
STREAMLITS_OWN = {
    # The navigation with sections: each <li> is in a <div> of the <ul>, as Streamlit draws it.
    "list": '[data-testid="stSidebarNavItems"]',
    "listitem": '[data-testid="stSidebarNavItems"]',
    # A toast is a <div role="dialog"> that takes no name.
    "aria-dialog-name": '[data-testid="stToast"]',
    # The field for files: its <section role="presentation"> has a name and can be focused.
    "presentation-role-conflict": '[data-testid="stFileUploaderDropzone"]',
}
"""Rules that Streamlit 1.67 breaks in elements that no option of its reaches, and the one place where each is let pass;
anywhere else they count."""
INSIDE = "([target, place]) => { const at = document.querySelector(target); return !!at && !!at.closest(place); }"


def violations(page: Page) -> list[str]:
    """Rule and element of each fault that is ours; none when the page is as it should be."""
    return [
        f"{broken['id']}: {node['html'][:200]}"
        for broken in Axe().run(page, options=OPTIONS).response["violations"]
        for node in broken["nodes"]
        if not _streamlits(page, broken["id"], node)
    ]


def _streamlits(page: Page, rule: str, node: dict[str, Any]) -> bool:
    """An element inside a component, to which a way through frames leads, is never let pass. One that has gone since,
    as a toast does, is known by its own tag."""
    place, target = STREAMLITS_OWN.get(rule), node["target"]
    if place is None or len(target) != 1 or not isinstance(target[0], str):
        return False
    own_tag = node["html"].partition(">")[0]
    return place.strip("[]") in own_tag or page.evaluate(INSIDE, [target[0], place])
