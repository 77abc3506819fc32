"""The rules of docs/architecture.md that a reader of imports and lines can hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from zega_core.settings import ROOT

LAYERS: list[set[str]] = [
    {"errors"},
    {"toml_tables"},
    {"settings", "configs", "tables"},
    {
        "teacher_tables",
        "version_tables",
        "proof_tables",
        "conversation_tables",
        "writing_tables",
        "writing_configs",
        "door_tables",
    },
    {"catalog", "db", "keys"},
    {"teacher_catalog"},
    {"dataset", "analytics", "charts", "forecast", "providers", "quality", "migrations", "schedule", "embedders"},
    {"questions", "recalling", "wrapping", "history_charts"},
    {"store", "fine_tune", "style", "manuscripts"},
    {
        "allowance",
        "answers",
        "avoidance",
        "judge",
        "proof",
        "taste",
        "versions",
        "triggers",
        "unfinished",
        "child_process",
        "preparing",
        "training_reports",
        "notices",
        "changes",
        "covering",
        "sign_in",
    },
    {"teachers", "callers", "pieces", "passes", "refitting", "local", "learning", "story_files", "history_files"},
    {"meaning"},
    {"settling", "proof_task", "proof_reports", "proof_judging", "exports"},
    {"teacher_checks", "auto_train", "rescore", "rating", "fine_tuning", "importing", "proof_weighing", "answering"},
    {
        "deciding",
        "staffing",
        "teacher_words",
        "taste_words",
        "outlook",
        "rescore_words",
        "fine_tune_words",
        "learning_words",
    },
    {"figure_words", "collection", "conversation", "prompting"},
    {"conversation_words", "collection_words", "conversation_stats", "pairing", "amending"},
    {"nearest"},
    {"memory", "profiling", "shelf", "history_detail", "history_keeping", "history_reports"},
    {"writing_requests", "history"},
    {"context", "history_words", "history_share"},
    {"writing_authors", "writing_material"},
    {"writing_takes"},
    {"writing_keeping"},
    {"writing", "writing_words", "profile_words", "memory_words"},
    {
        "proving",
        "exporting",
        "proof_words",
        "export_words",
        "asking",
        "own_pages",
        "own_pages_words",
        "training_words",
        "run_results",
    },
    {"jobs"},
    {"after_saving"},
    {"readiness", "runs", "talking", "training_choices", "teaching_choices"},
    {"facts"},
    {"api"},
    {"cli", "__main__"},
]
INSIDE_MAY_IMPORT_EACH_OTHER = {
    "providers",
    "quality",
    "store",
    "jobs",
    "migrations",
    "fine_tune",
    "local",
    "cli",
    "api",
    "style",
    "proof",
    "exports",
    "questions",
    "manuscripts",
    "facts",
}
FILES = sorted(path for path in (ROOT / "zega_core").rglob("*.py") if "versions" not in path.parts)
DOORS = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "zega_ui").glob("*.py"))]


def part_of(path: Path) -> str:
    return path.relative_to(ROOT / "zega_core").parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def core_parts(names: frozenset[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("zega_core.")}


def level(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path):
    part = part_of(path)
    if part == "__init__":
        assert not imported(path)
        return
    known = set().union(*LAYERS)
    for other in core_parts(imported(path)) & known:
        if other == part and part in INSIDE_MAY_IMPORT_EACH_OTHER:
            continue
        # `cli` and `__main__` are one door.
        assert level(other) < level(part) or (part, other) == ("__main__", "cli"), f"{part} must not import {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_knows_no_page(path: Path):
    assert not {name for name in imported(path) if name.split(".")[0] in ("streamlit", "zega_ui", "pages")}


@pytest.mark.parametrize("path", DOORS, ids=lambda path: str(path.relative_to(ROOT)))
def test_doors_only_ask_for_runs(path: Path):
    jobs = {name for name in imported(path) if name.startswith("zega_core.jobs.")}
    assert {name.split(".")[2] for name in jobs} <= {"client", "launcher"}


@pytest.mark.parametrize("path", [*FILES, *DOORS], ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_readable(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_queries_are_in_the_store(path: Path):
    if part_of(path) not in ("store", "migrations"):
        assert not {name for name in imported(path) if name in ("sqlmodel.select", "sqlalchemy.select")}


def test_no_drawer_for_odds_and_ends():
    assert not [path for path in [*FILES, *DOORS] if path.stem in ("utils", "common", "helpers", "manager", "misc")]


@pytest.mark.parametrize("module", ["zega_core.jobs.worker", "zega_core.jobs.client", "zega_core.cli", "zega_ui.boot"])
def test_what_takes_long_to_load_stays_out_of_app_worker_and_command_line(module: str):
    late = {"torch", "transformers", "peft"} | (set() if module == "zega_ui.boot" else {"plotly", "docx"})
    code = f"import sys, {module}; print(sorted({late} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_shipped_data_is_never_written_to():
    for path in FILES:
        source = path.read_text(encoding="utf-8")
        writes = re.search(r"\.write|\.mkdir|\.unlink|open\([^)]*[\"'][wax]b?[\"']", source)
        assert "DATA /" not in source or not writes, path
