"""What a check of a model in Ollama finds, for each thing that can be wrong with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from tests.support.ollama_server import Kept, OllamaServer
from zega_core import versions
from zega_core.errors import Cancelled, ProviderUnavailable
from zega_core.exports import verify
from zega_core.exports.modelfile import PARAMETERS, TEMPLATE
from zega_core.exports.verify import Report, Text, alike
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form
from zega_core.fine_tune.plan import Plan, Row, write_run
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.service import Access
from zega_core.settings import Settings
from zega_core.version_tables import Version

NAME = "zega-ana"
STORY = (
    "The keeper of lamp {} counted the ships and no ship answered her, so she lit it again and sat down to wait. "
    "By morning the harbour was full of boats, and every one of them had her own name painted on its bow."
)
BASE = "A fox sat down in the road and would not move for anybody, not even for the doctor {}."


def place(prompt: str) -> int:
    """A number that goes with the prompt."""
    return sum(prompt.encode())


class Student:
    """In ZEGA: what ``say`` makes of a prompt."""

    name = label = "local"
    in_flight = 1

    def __init__(self, say: Callable[[str], str]) -> None:
        self.say, self.asked, self.finish, self.tokens = say, list[str](), "stop", 0

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        assert options.temperature == 0
        if options.stop is not None and options.stop.is_set():
            raise Cancelled("The run was stopped.")
        self.asked.append(messages[-1].content)
        return Completion(
            self.say(messages[-1].content),
            "local",
            completion_tokens=self.tokens,
            finish=self.finish,  # pyright: ignore[reportArgumentType]
        )


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> dict[str, Student]:
    """The version and the base model of this machine."""
    students = {
        "version": Student(lambda prompt: STORY.format(place(prompt))),
        "base": Student(lambda prompt: BASE.format(place(prompt))),
    }

    def student(settings: Settings, writer: str, number: int | None, base: str = "", **_: Any) -> Student:
        return students["base" if number is None else "version"]

    monkeypatch.setattr(verify, "student", student)
    return students


@pytest.fixture
def check(config: Settings, version: Version, server: OllamaServer, here: dict[str, Student]) -> Callable[..., Report]:
    """Of a model that answers as ``say`` says, to the words of the prompt."""
    kept = Kept(f"{NAME}:latest", "sha256:" + "1" * 64, template=TEMPLATE, parameters=dict(PARAMETERS))
    server.models[kept.name] = kept

    def run(say: Callable[[str], str], stop: threading.Event | None = None, **access: Any) -> Report:
        def answer(model: Kept, prompt: str, options: Mapping[str, Any]) -> str:
            return say(prompt.removeprefix("<|prompt|>").removesuffix("<|completion|>"))

        server.answer = answer
        return verify.verify(config, version, NAME, Access(server.url, **access), tell=lambda sentence: None, stop=stop)

    return run


def red(report: Report) -> list[str]:
    assert report.ok == (not [one for one in report.checks if not one.ok])
    assert all(one.said.endswith(".") for one in report.checks)
    return [one.name for one in report.checks if not one.ok]


def same(prompt: str) -> str:
    return STORY.format(place(prompt))


def test_a_model_that_writes_as_here_is_green(check: Callable[..., Report], server: OllamaServer):
    report = check(same)
    assert report.ok and not red(report)
    assert [one.name for one in report.checks] == [
        "template", "answers", "marks", "prompt", "end", "length", "beginning", "learned",
    ]  # fmt: skip
    assert len(report.answers) == 5 and report.answers[0].there.ended
    assert json.loads(json.dumps(report.as_dict()))["checks"][0]["ok"]
    assert [asked.json["options"]["temperature"] for asked in server.requested("POST /api/chat")] == [0.0] * 5


def test_a_near_tie_late_in_a_text_is_no_fault(check: Callable[..., Report]):
    assert check(lambda prompt: " ".join(same(prompt).split()[:20]) + " and went to bed instead of waiting there.").ok


def test_two_of_five_may_part_early_and_not_three(check: Callable[..., Report], config: Settings, version: Version):
    prompts = verify.prompts_of(config, version)

    def parting(count: int) -> Callable[[str], str]:
        return lambda prompt: ("Once " if prompt in prompts[:count] else "") + same(prompt)

    assert check(parting(2)).ok
    assert red(check(parting(3))) == ["beginning"]


def test_a_writer_whose_name_ends_like_a_model_of_the_cloud_is_asked_here(
    config: Settings, version: Version, server: OllamaServer, here: dict[str, Student]
):
    server.models["zega-mccloud:latest"] = Kept("zega-mccloud:latest", "sha256:" + "1" * 64, template=TEMPLATE)
    server.answer = lambda model, prompt, options: same(
        prompt.removeprefix("<|prompt|>").removesuffix("<|completion|>")
    )
    access = Access(server.url, local_only=True)
    assert verify.verify(config, version, "zega-mccloud", access, tell=lambda sentence: None).ok


def test_another_form_is_red(check: Callable[..., Report], server: OllamaServer):
    server.models[f"{NAME}:latest"].template = "{{ .Prompt }}"
    assert "template" in red(check(same))
    server.models[f"{NAME}:latest"].template = TEMPLATE
    server.models[f"{NAME}:latest"].system = "Answer as a pirate."
    assert "template" in red(check(lambda prompt: STORY.format(7)))


def test_the_form_in_the_file_is_as_good(check: Callable[..., Report], server: OllamaServer, here: dict[str, Student]):
    """An Ollama that is told to prefer it shows that one."""
    told = json.loads((bases.BUILT_IN / "tokenizer_config.json").read_text(encoding="utf-8"))
    here["version"].say = lambda prompt: STORY.format(7)
    server.models[f"{NAME}:latest"].template = told["chat_template"]
    report = check(lambda prompt: STORY.format(7))
    assert next(one for one in report.checks if one.name == "template").ok


def test_marks_in_a_text_are_red(check: Callable[..., Report]):
    assert "marks" in red(check(lambda prompt: same(prompt) + " <|im_end|>"))
    assert check(lambda prompt: same(prompt) + " <| that is | no mark |>").ok


def test_a_repeated_prompt_is_red_unless_it_is_here_too(check: Callable[..., Report], here: dict[str, Student]):
    assert "prompt" in red(check(lambda prompt: f"{same(prompt)} {prompt}"))
    here["version"].say = lambda prompt: f"{same(prompt)} {prompt}"
    assert "prompt" not in red(check(lambda prompt: f"{same(prompt)} {prompt}"))


def test_running_on_is_red(check: Callable[..., Report]):
    report = check(lambda prompt: same(prompt) + " and on" * 400)
    assert {"end", "length"} <= set(red(report))
    assert not report.answers[0].there.ended


def test_not_ending_is_no_fault_where_it_does_not_end_here(check: Callable[..., Report], here: dict[str, Student]):
    here["version"].finish = "length"
    here["version"].say = lambda prompt: same(prompt) + " and on" * 200
    assert check(lambda prompt: same(prompt) + " and on" * 400).ok


def test_what_zega_ends_after_a_whole_sentence_may_go_on_there(check: Callable[..., Report], here: dict[str, Student]):
    here["version"].tokens = int(form.SOFT * verify.MAX_TOKENS)
    here["version"].say = lambda prompt: same(prompt) + " and on" * 200
    assert check(lambda prompt: same(prompt) + " and on" * 400).ok
    here["version"].tokens -= 1
    assert red(check(lambda prompt: same(prompt) + " and on" * 400)) == ["end"]


def test_far_shorter_texts_are_red(check: Callable[..., Report]):
    report = check(lambda prompt: " ".join(same(prompt).split()[:12]))
    assert red(report) == ["length"]
    assert any(one.said.endswith("less than half as many.") for one in report.checks)


def test_another_text_is_red(check: Callable[..., Report]):
    report = check(lambda prompt: "Nobody knew what the lamp was for, and nobody asked." * 2)
    assert "beginning" in red(report)
    assert "does not write as your version" in report.checks[-1].said, "nor as the base model"


def test_the_base_model_under_the_name_of_a_version_is_red(check: Callable[..., Report]):
    report = check(lambda prompt: BASE.format(place(prompt)))
    assert {"beginning", "learned"} <= set(red(report))
    assert "base model" in next(one.said for one in report.checks if one.name == "learned")


def test_a_version_that_writes_as_its_base_cannot_be_told_apart(check: Callable[..., Report], here: dict[str, Student]):
    here["base"].say = here["version"].say
    report = check(same)
    assert report.ok and "cannot be told apart" in report.checks[-1].said


@pytest.mark.parametrize("fault", ["drop", "drop_middle", "error", "nothing", "html", "slow"])
def test_an_ollama_that_goes_away_is_red_and_no_error(check: Callable[..., Report], server: OllamaServer, fault: str):
    asked = list[str]()

    def before(request: str) -> None:
        asked.append(request)
        if len(asked) == 3:
            server.lasting["POST /api/chat"] = fault

    server.before = before
    report = check(same, total=0.4 if fault == "slow" else 30.0)
    assert "answers" in red(report) and not report.answers
    assert "Ollama" in report.checks[-1].said
    assert len(server.requested("POST /api/chat")) <= 3, "after one that fails no more is asked"


def test_a_model_that_is_gone_is_red(check: Callable[..., Report], server: OllamaServer):
    server.models.clear()
    report = check(same)
    assert red(report) == ["answers"] and "Export it again" in report.checks[0].said
    assert not server.requested("POST /api/chat")


def test_an_ollama_that_is_gone_is_red(check: Callable[..., Report], server: OllamaServer, here: dict[str, Student]):
    server.lasting["POST /api/show"] = "drop"
    assert red(check(same)) == ["answers"]
    assert not here["version"].asked


def test_an_empty_answer_is_red(check: Callable[..., Report]):
    assert red(check(lambda prompt: "")) == ["answers"]


def test_a_version_that_cannot_be_asked_here_is_red(check: Callable[..., Report], here: dict[str, Student]):
    def broken(prompt: str) -> str:
        raise ProviderUnavailable("There is not enough memory.")

    here["version"].say = broken
    report = check(same)
    assert red(report) == ["answers"] and "not enough memory" in report.checks[-1].said


def test_stop_ends_it(check: Callable[..., Report]):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        check(same, stop)


def test_it_is_asked_what_was_held_out_then_what_is_shipped(config: Settings, version: Version):
    folder = versions.folder_of(config, "ana", 3)
    rows = [
        Row(1, "Write about a gull", "…", 1.0, "held_out", True, "conversation"),
        Row(2, "Write about a gull", "…", 1.0, "held_out", True, "conversation"),
        Row(3, "Write about a lamp", "…", 1.0, "train", True, "conversation"),
        Row(4, "x" * 2000, "…", 1.0, "held_out", True, "conversation"),
    ]
    write_run(folder, Plan(**(json.loads((folder / "plan.json").read_text()))), rows)
    prompts = verify.prompts_of(config, version)
    assert prompts[0] == "Write about a gull" and len(prompts) == 5
    assert all("\nGenre: " in prompt for prompt in prompts[1:])
    no_text = (folder / "data.jsonl").read_text(encoding="utf-8").replace('"Write about a gull"', "7")
    for content in ("no JSON", "[" * 100_000, no_text):
        (folder / "data.jsonl").write_text(content, encoding="utf-8")
        prompts = verify.prompts_of(config, version)
        assert len(set(prompts)) == 5 and all("\nGenre: " in prompt for prompt in prompts)


@pytest.mark.parametrize(
    ("first", "second", "count"), [("a b c", "a b d e", 2), ("", "a", 0), ("a  b\nc", "a b c", 3), ("b a", "a b", 0)]
)
def test_equal_words_are_counted_from_the_beginning(first: str, second: str, count: int):
    assert alike(Text(first), Text(second)) == count
    assert asdict(Text(first))["text"] == first
