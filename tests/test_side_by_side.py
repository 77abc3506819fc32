"""Two models on one prompt: what is shown of them while they write, stop and fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence

import pytest

from zega_core.errors import Cancelled, ProviderUnavailable
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_ui.side_by_side import Side, Trial

OPTIONS = GenerationOptions(max_tokens=20, temperature=0.5, seed=3)


class Scripted:
    """Writes what it is told to; ``gate`` holds it before the second piece."""

    def __init__(
        self, pieces: Sequence[str] = (), error: Exception | None = None, gate: threading.Event | None = None
    ) -> None:
        self.pieces, self.error, self.gate = pieces, error, gate
        self.asked: list[tuple[str, GenerationOptions]] = []
        self.writing, self.closed = threading.Event(), False
        self.completion: Completion | None = None

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, object]:
        self.asked.append((messages[0].content, options))
        try:
            for number, piece in enumerate(self.pieces):
                if number == 1 and self.gate is not None:
                    self.writing.set()
                    assert self.gate.wait(10)
                yield piece
            if self.error is not None:
                raise self.error
            return self.completion
        finally:
            self.closed = True


def of(model: Scripted, label: str = "one") -> Side:
    return Side(label, lambda tell: model)


def test_both_are_asked_the_same():
    first, second = Scripted(["The ", "river"]), Scripted(["A ", "ferry"])
    trial = Trial([of(first), of(second)], "A river at night", OPTIONS)
    trial.start()
    trial.wait(10)
    assert not trial.running
    assert [(side.text, side.state, side.error) for side in trial.sides] == [
        ("The river", "done", ""),
        ("A ferry", "done", ""),
    ]
    (one,), (other,) = first.asked, second.asked
    assert one == other
    assert one[0] == "A river at night"
    assert (one[1].max_tokens, one[1].temperature, one[1].seed) == (20, 0.5, 3)


def test_a_text_that_was_cut_at_its_length_is_told_from_one_that_ended():
    cut, whole = Scripted(["The river"]), Scripted(["A ferry."])
    cut.completion, whole.completion = Completion("", "m", finish="length"), Completion("", "m", finish="stop")
    trial = Trial([of(cut), of(whole)], "A river", OPTIONS)
    trial.start()
    trial.wait(10)
    assert [(side.state, side.cut) for side in trial.sides] == [("done", True), ("done", False)]


def test_stop_keeps_what_is_written_and_ends_both():
    gate = threading.Event()
    first, second = Scripted(["The ", "river ", "rose"], gate=gate), Scripted(["never"])
    trial = Trial([of(first), of(second)], "A river", OPTIONS)
    trial.start()
    assert first.writing.wait(10)
    assert trial.running
    assert (trial.sides[0].text, trial.sides[0].state, trial.sides[1].state) == ("The ", "writing", "waiting")
    trial.stop()
    gate.set()
    trial.wait(10)
    assert trial.sides[0].text in ("The ", "The river ")
    assert [side.state for side in trial.sides] == ["stopped", "stopped"]
    assert first.closed
    assert not second.asked
    assert first.asked[0][1].stop is trial.stopped


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (ProviderUnavailable("v3's files are damaged. Delete v3."), "failed", "v3's files are damaged. Delete v3."),
        (ValueError("secret detail"), "failed", "It could not write. Try again; if that fails, run `zega doctor`."),
        (Cancelled("stopped"), "stopped", ""),
    ],
)
def test_one_that_fails_says_so_and_the_other_writes(error: Exception, state: str, said: str):
    trial = Trial([of(Scripted(["The "], error)), of(Scripted(["A ferry"]))], "A river", OPTIONS)
    trial.start()
    trial.wait(10)
    assert (trial.sides[0].text, trial.sides[0].state, trial.sides[0].error) == ("The ", state, said)
    assert (trial.sides[1].text, trial.sides[1].state) == ("A ferry", "done")


def test_a_model_that_cannot_be_had_is_a_sentence_and_what_it_waits_for_is_told():
    def starts(tell: Callable[[str], None]) -> Scripted:
        tell("Starting the process that writes.")
        raise ProviderUnavailable("The base model is not on this machine.")

    trial = Trial([Side("one", starts)], "A river", OPTIONS)
    trial.start()
    trial.wait(10)
    assert trial.sides[0].note == "Starting the process that writes."
    assert (trial.sides[0].state, trial.sides[0].error) == ("failed", "The base model is not on this machine.")
