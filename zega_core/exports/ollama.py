"""A version into Ollama: as files, as a model there, and a look at whether it writes there as it does here.

It goes as one file, base model and adapter merged. Ollama takes no adapters any more (from 0.34.1 on: "LoRA adapters
are no longer supported"), and before that it turned some of them wrong; whole models it has always taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path

from zega_core import db, teachers, versions
from zega_core.configs import ProviderKey
from zega_core.errors import Cancelled, InvalidInput, ProviderError, ProviderUnavailable
from zega_core.exports.formats import FORMATS
from zega_core.exports.gguf_file import write_model
from zega_core.exports.modelfile import MODELFILE, PARAMETERS, TEMPLATE, by_hand, modelfile
from zega_core.exports.verify import Check, Report, verify
from zega_core.fine_tune import base as bases
from zega_core.providers.ollama_models import OllamaModels, Shown
from zega_core.providers.service import Access
from zega_core.settings import Settings
from zega_core.store import teaching
from zega_core.version_tables import Version

log = getLogger(__name__)

MODEL, README = "model.gguf", "README.md"
STOPPED = "The check was stopped, so whether it writes there as it does in ZEGA is not known. Export it again to check."


@dataclass(frozen=True, slots=True)
class Delivery:
    """``notes`` say what to do next, in sentences. ``report`` is what was checked in Ollama, None where there is no
    Ollama, so that the model is not in it."""

    notes: list[str] = field(default_factory=list)
    report: Report | None = None


def deliver(
    folder: Path,
    writer_id: str,
    version: Version,
    settings: Settings,
    *,
    tell: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Delivery:
    """Write the files of ``version`` into the empty ``folder``, and make ``versions.model_name(writer_id)`` of them in
    the Ollama that the writer has set up. ``tell`` gets a sentence at each step. ``stop`` ends it (Cancelled) and
    leaves what is in Ollama as it was; once the model is there, it ends the check only. Without an Ollama that answers
    the files and the commands are all, which is no error. Raises InvalidInput or a ProviderError with what is wrong,
    HomeError when the files cannot be written."""
    name = versions.model_name(writer_id)
    mark = _mark(name, version)
    tell("Writing your model as one file.")
    with settings.home_errors():
        _write_files(folder, name, version, mark, settings)
    access = _access(settings, writer_id)
    tell("Looking for Ollama.")
    with closing(OllamaModels(access, stop)) as server:
        try:
            server.version()
        except ProviderUnavailable as error:
            if not error.unreachable:
                raise
            then = (
                "If you do not have it, install it from https://ollama.com first. Then export again, or type in the "
                "folder of this export:"
            )
            return Delivery([str(error), then, *by_hand(name)])
        _put(server, name, folder / MODEL, mark, tell)
    try:
        report = verify(settings, version, name, access, tell=tell, stop=stop)
    except Cancelled:  # the model is in Ollama all the same, and "nothing is left" would not be true
        report = Report(name, [Check("answers", False, STOPPED)])
    return Delivery([f"Your model is in Ollama as {name}. {FORMATS['ollama'].next} {by_hand(name)[-1]}"], report)


def _write_files(folder: Path, name: str, version: Version, mark: str, settings: Settings) -> None:
    base = bases.resolve(version.base)
    adapter = versions.folder_of(settings, version.user_id, version.number)
    bases.check_adapter(adapter, bases.weights_hash(base))
    write_model(base, folder / MODEL, name=name, adapter_folder=adapter)
    (folder / MODELFILE).write_text(modelfile(f"./{MODEL}", mark), encoding="utf-8")
    (folder / README).write_text(_readme(name, version), encoding="utf-8")


def _readme(name: str, version: Version) -> str:
    typed = "\n".join(by_hand(name))
    return (
        f"# {name}\n\nv{version.number} of your model: base model and what it learned, in one file for Ollama "
        f"(0.5.5 or later).\n\nIn a terminal, in this folder:\n\n```\n{typed}\n```\n\nThe first command makes the "
        "model in Ollama, the second asks it. Ask for one piece at a time: it knows no earlier turns.\n"
    )


def _mark(name: str, version: Version) -> str:
    """Goes with the model as its licence, which Ollama keeps and shows; by its first line it is known again."""
    base = "The licence of its base model holds for its part" if version.base else "Its base model is CC0 1.0"
    return (
        f"{_first_line(name)}\nv{version.number} of the writer {version.user_id}. {base}; what it learned is the "
        "writer's."
    )


def _first_line(name: str) -> str:
    return f"Made with ZEGA as {name}."


def _access(settings: Settings, writer_id: str) -> Access:
    """Also when the writer does not want Ollama as a teacher: here they ask for it."""
    with db.reading(settings) as session:
        config = teaching.load(session, writer_id)
    return teachers.place(settings, config, ProviderKey.ollama).access


def _put(server: OllamaModels, name: str, file: Path, mark: str, tell: Callable[[str], None]) -> None:
    """Under another name first: the one that it is to have changes in one small step, when all else went well. What
    was uploaded for nothing stays as a file that no model uses, and Ollama deletes such files when it starts."""
    held = server.show(name)
    if held is not None and not _is_ours(held, name):
        raise InvalidInput(
            f"Ollama has a model {name} that ZEGA did not make, or that was changed since. It was not touched. Keep it "
            f"under another name with: ollama cp {name} my-model. Then delete it with: ollama rm {name}, and export "
            "again."
        )
    tell("Giving the file to Ollama.")
    digest = server.upload(file)
    fresh = f"{name}.new"
    try:
        server.create(fresh, files={MODEL: digest}, template=TEMPLATE, parameters=PARAMETERS, license=mark, tell=tell)
        server.after_stop()  # one small step, that is not begun and then denied
        server.copy(fresh, name)
    finally:
        _tidy(server, fresh)


def _is_ours(held: Shown, name: str) -> bool:
    """One that somebody gave a system prompt or a conversation bears the same licence, but is their work."""
    return _first_line(name) in held.license.splitlines() and not held.system and not held.own_messages


def _tidy(server: OllamaModels, fresh: str) -> None:
    """Nothing depends on it: the next export makes the same name anew."""
    server.after_stop()
    try:
        server.delete(fresh)
    except ProviderError as error:
        log.warning("%s may be left in Ollama: %s", fresh, error)
