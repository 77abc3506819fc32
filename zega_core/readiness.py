"""What is ready to work and what is not, in words: ``zega doctor``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from sqlalchemy import text

from zega_core import callers, db, providers, sign_in, teacher_checks, teachers
from zega_core.catalog import load_catalog
from zega_core.errors import ConfigError, ZegaError
from zega_core.fine_tune import base as bases
from zega_core.jobs import launcher, queues
from zega_core.settings import Settings, get_settings
from zega_core.store import teaching, writers

LITTLE_SPACE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    state: Literal["ready", "note", "problem"]
    text: str


def check() -> list[Finding]:
    """Every finding; a problem means that runs will not work until it is solved."""
    try:
        settings = get_settings()
    except ConfigError as error:
        return [Finding("Settings", "problem", str(error))]
    checks = (_python, _home, _space, _database, _catalog, _teacher, _worker, _port, _api, _sign_in, _training)
    return [_guarded(one, settings) for one in checks]


def _guarded(one: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return one(settings)
    except ZegaError as error:
        return Finding(one.__name__.strip("_").capitalize(), "problem", str(error))


def _python(_: Settings) -> Finding:
    return Finding("Python", "ready", ".".join(map(str, sys.version_info[:3])))


def _home(settings: Settings) -> Finding:
    return Finding("Home", "ready", str(settings.prepare_home().resolve()))


def _space(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.prepare_home()).free
    text = f"{free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE:
        return Finding("Space", "note", f"{text}. Runs are small, but a fine-tune needs about 1 GB.")
    return Finding("Space", "ready", text)


def _database(settings: Settings) -> Finding:
    kind = "PostgreSQL" if settings.uses_postgresql else "SQLite"
    with db.session(settings) as session:
        if not settings.uses_postgresql:
            said = session.connection().execute(text("PRAGMA quick_check")).scalar_one()
            if said != "ok":
                return Finding("Database", "problem", f"zega.db is damaged ({said}). Put a backup in its place.")
        number = len(writers.ids(session))
    if not queues.books_are_sound(settings):
        return Finding("Database", "note", "jobs.db is damaged; the next worker begins a new one and loses nothing.")
    return Finding("Database", "ready", f"{kind}, {number} {'writer' if number == 1 else 'writers'}")


def _catalog(_: Settings) -> Finding:
    catalog = load_catalog()
    return Finding("Catalog", "ready", f"version {catalog.version}, {len(catalog.prompts)} prompts")


def _teacher(settings: Settings) -> Finding:
    providers.check_storyteller()
    with db.session(settings) as session:
        writer = writers.ids(session)[0]
        config = teaching.load(session, writer)
    looks = teacher_checks.look_at_all(teachers.places(settings, config))
    ready = [place.label for place in teachers.places(settings, config) if _is_ready(looks.get(place.key))]
    if config.storyteller:
        ready.append(providers.storyteller().label)
    away = [found.message for found in looks.values() if found.state != "ready" and found.message]
    text = " ".join([f"{', '.join(ready) or 'nobody'} (writer {writer}).", *away])
    return Finding("Teacher", "ready" if ready else "problem", text)


def _is_ready(found: teacher_checks.Look | None) -> bool:
    return found is not None and found.state == "ready"


def _worker(settings: Settings) -> Finding:
    settings.prepare_home()
    if launcher.worker_is_alive(settings):
        return Finding("Worker", "ready", "running")
    return Finding("Worker", "note", "not running; `make run`, the app and `zega auto-train` start one")


def _port(settings: Settings) -> Finding:
    try:
        launcher.check_port(settings.port)
    except ConfigError:
        return Finding("Port", "note", f"{settings.port} is in use: by ZEGA if it is running, else set ZEGA_PORT")
    return Finding("Port", "ready", f"{settings.port} is free")


def _api(settings: Settings) -> Finding:
    host = settings.api_host
    try:
        callers.check_keys(settings, host)
    except ConfigError as error:
        return Finding("API", "note", str(error))
    who = "this machine's programs without a key" if callers.without_keys(host) else "only who sends a key"
    return Finding("API", "ready", f"`zega api` would listen on {host}, port {settings.api_port}, and answer {who}")


def _sign_in(_: Settings) -> Finding:
    if not sign_in.is_configured():
        return Finding("Sign-in", "ready", "nobody has to sign in: whoever can open the app chooses the writer")
    named = ", ".join("the provider" if name == "default" else name for name in sign_in.providers())
    return Finding("Sign-in", "ready", f"by {named}")


def _training(_: Settings) -> Finding:
    missing = [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]
    if missing:
        return Finding("Training", "note", f"{', '.join(missing)} not installed; run `make setup`")
    base = bases.describe(bases.resolve(""))
    return Finding("Training", "ready", f"{base.label}, {base.parameters / 1e6:.0f} million parameters")
