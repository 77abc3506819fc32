"""Modelfiles, read back as Ollama's parser reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.support.ollama_server import rendered
from zega_core.errors import InvalidInput
from zega_core.exports import modelfile
from zega_core.exports.modelfile import PARAMETERS, TEMPLATE, commands
from zega_core.fine_tune import base as bases

SYSTEM, ASKED = "Be brief.", "Write a scene.\n\nGenre: Horror.\nPrompt: A door {{ opens }}"


def parsed(text: str) -> list[tuple[str, str]]:
    """What ollama's parser/parser.go finds: commands with their values, quotes taken off."""
    found, rest = list[tuple[str, str]](), text
    while rest:
        line, _, after = rest.partition("\n")
        if not line.strip() or line.startswith("#"):
            rest = after
            continue
        name, _, value = line.partition(" ")
        if name == "PARAMETER":
            name, _, value = value.partition(" ")
        if value.startswith('"""'):
            whole = rest[rest.index('"""') + 3 :]
            value, _, rest = whole.partition('"""')
            assert rest.startswith("\n")
        else:
            assert not value.startswith('"')
            rest = after
        found.append((name, value))
    return found


def test_all_that_ollama_must_know_is_said():
    found = parsed(modelfile.modelfile("./zega-ana-v3.gguf", "Made with ZEGA.\nv3"))
    assert found[0] == ("FROM", "./zega-ana-v3.gguf")
    assert ("TEMPLATE", TEMPLATE) in found
    assert found[-1] == ("LICENSE", "Made with ZEGA.\nv3")
    assert [value for name, value in found if name == "stop"] == ["<|end|>", "<|prompt|>", "<|completion|>"]
    assert {name: value for name, value in found if name in PARAMETERS and name != "stop"} == {
        "temperature": "0.8",
        "top_p": "0.95",
        "top_k": "0",
        "repeat_penalty": "1.0",
        "num_ctx": "1024",
        "num_predict": "400",
    }


@pytest.mark.parametrize(
    "name",
    ["", "  ", "a\nFROM evil", "a\rSYSTEM x", '"""x', '"x"', "a\0b", "\u202eabc", "a\u2028b"],
)
def test_a_name_cannot_smuggle_in_a_line(name: str):
    with pytest.raises(InvalidInput):
        modelfile.modelfile(name)


@pytest.mark.parametrize("text", ['a """ b', '"quoted', 'quoted"', "a\0b", "a\x1b[31m"])
def test_a_text_that_cannot_be_quoted_is_refused(text: str):
    with pytest.raises(InvalidInput):
        modelfile.modelfile("./a.gguf", text)


def test_a_name_with_spaces_and_signs_is_one_value():
    found = parsed(modelfile.modelfile("./my model's #1 $HOME.gguf"))
    assert found[0] == ("FROM", "./my model's #1 $HOME.gguf")


@pytest.mark.parametrize("system", ["", SYSTEM])
def test_the_template_says_what_the_chat_template_says(system: str):
    config = json.loads((bases.BUILT_IN / "tokenizer_config.json").read_text(encoding="utf-8"))
    messages = [{"role": "user", "content": ASKED}]
    messages = [{"role": "system", "content": system}, *messages] if system else messages
    ours = ImmutableSandboxedEnvironment().from_string(config["chat_template"]).render(messages=messages)
    assert rendered(TEMPLATE, system, [{"role": "user", "content": ASKED}]) == ours


def test_commands_go_through_a_shell_as_they_are():
    import shlex

    folder = Path("/tmp/it's a $(folder); rm -rf ~")
    typed = commands(folder, {"Modelfile": "zega-ana"}, 'Say "hello" & `go`')
    assert shlex.split(typed[0]) == ["cd", str(folder)]
    assert shlex.split(typed[1]) == ["ollama", "create", "zega-ana", "-f", "Modelfile"]
    assert shlex.split(typed[2]) == ["ollama", "run", "zega-ana", 'Say "hello" & `go`']
    assert modelfile.by_hand("zega-ana")[0] == "ollama create zega-ana -f Modelfile"
