"""``zega teaching``: a program chooses who teaches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Command


def chosen(called: Command, *more: str) -> Any:
    done = called("teaching", "--writer", "ana", "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_chosen_stays_until_it_is_chosen_otherwise(called: Command, home: Path):
    told = chosen(called, "--first", "gemini", "--first", "groq", "--off", "ollama", "--budget", "1.5", "--votes", "2")
    assert [one["provider"] for one in told["teachers"]][:2] == ["gemini", "groq"]
    told = chosen(called, "--model", "groq/openai/gpt-oss-20b", "--model", "groq/llama-3.1-8b-instant", "--local-only")
    by_provider = {one["provider"]: one for one in told["teachers"]}
    assert by_provider["groq"]["models"] == ["openai/gpt-oss-20b", "llama-3.1-8b-instant"]
    assert not by_provider["ollama"]["on"] and (told["budget"], told["min_votes"], told["local_only"]) == (1.5, 2, True)
    told = chosen(called, "--budget", "0", "--anywhere", "--on", "ollama")
    assert (told["budget"], told["local_only"], told["min_votes"]) == (None, False, 2)
    assert chosen(called) == told
    said = called("teaching", "--writer", "ana").stdout
    assert "2 for each piece · no limit a session · judge: nobody" in said


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--first", "clippy"], "There is no service 'clippy'"),
        (["--model", "groq"], "names no model of a service"),
        (["--votes", "9"], "1 to 5"),
        (["--budget", "-1"], "euros"),
        (["--judge", "clippy"], "A judge is a service and a model"),
        (["--model", "groq/a b"], "model"),
    ],
)
def test_what_cannot_be_chosen_is_said_and_nothing_changes(called: Command, home: Path, asked: list[str], says: str):
    before = chosen(called)
    done = called("teaching", "--writer", "ana", "--no-storyteller", *asked)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr
    assert chosen(called) == before
