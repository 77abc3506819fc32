"""What the documents promise must be there, and what is there must be in the documents."""

from __future__ import annotations

import re

import pytest

from zega_core.cli import cli
from zega_core.settings import ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def packages(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [re.split(r"[\[<>=!]", line)[0] for line in lines if line and not line.startswith(("#", "-r"))]


@pytest.mark.parametrize("field", [name for name in Settings.model_fields if name != "model_config"])
def test_every_setting_is_in_the_readme(field: str):
    assert f"`ZEGA_{field.upper()}`" in README


@pytest.mark.parametrize("package", packages("requirements.txt") + packages("requirements-dev.txt"))
def test_every_dependency_earns_its_line(package: str):
    table = README[README.index("## What it stands on") :]
    assert re.search(rf"\b{re.escape(package)}\b", table)


@pytest.mark.parametrize("requirement", (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
def test_every_dependency_is_bounded(requirement: str):
    if requirement and not requirement.startswith("#"):
        assert "==" in requirement or "<" in requirement


@pytest.mark.parametrize(
    "command", [info.name or getattr(info.callback, "__name__", "") for info in cli.registered_commands]
)
def test_every_command_is_in_the_readme(command: str):
    assert f"zega {command}" in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_every_figure_in_the_benchmarks_has_a_command_that_exists():
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    scripts = set(re.findall(r"benchmarks/\w+\.py", text))
    assert scripts == {f"benchmarks/{path.name}" for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "stub"}
    assert all((ROOT / script).exists() for script in scripts)
