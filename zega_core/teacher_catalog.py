"""The services that can teach: their models, prices and limits as ``data/catalog/teachers.toml`` has them.

Prices and limits change; each carries the day on which it was looked up, and a writer can set their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zega_core.catalog import DATA
from zega_core.errors import InvalidInput
from zega_core.toml_tables import Table, read_toml

LIMITS = ("requests_per_minute", "requests_per_day", "tokens_per_minute", "tokens_per_day")


@dataclass(frozen=True, slots=True)
class TeacherModel:
    """``price_in`` and ``price_out`` are in US dollars for a million tokens, None when unknown. ``limits`` are the
    service's for an account without a contract, by the names in ``LIMITS``; what is missing is not limited."""

    id: str
    price_in: float | None
    price_out: float | None
    limits: dict[str, int]


@dataclass(frozen=True, slots=True)
class TeacherProvider:
    """``local`` means that the service usually runs on the writer's own machine. ``resets`` is the time zone at
    whose midnight limits of the day end; empty where they are counted over the last 24 hours."""

    key: str
    label: str
    local: bool
    needs_key: bool
    in_flight: int
    key_page: str
    terms_page: str
    resets: str
    checked: str
    models: tuple[TeacherModel, ...]

    def model(self, model_id: str) -> TeacherModel:
        """The catalog's entry; for a model that it does not know, one without price and limits."""
        return next((model for model in self.models if model.id == model_id), TeacherModel(model_id, None, None, {}))


@dataclass(frozen=True, slots=True)
class TeacherCatalog:
    """Providers in the order in which they are asked. ``euros_per_dollar`` turns list prices into euros."""

    version: int
    euros_per_dollar: float
    rate_checked: str
    providers: tuple[TeacherProvider, ...]

    def provider(self, key: str) -> TeacherProvider:
        found = next((provider for provider in self.providers if provider.key == key), None)
        if found is None:
            known = ", ".join(provider.key for provider in self.providers)
            raise InvalidInput(f"There is no teacher service '{key[:40]}'. Choose one of: {known}.")
        return found

    def price(self, provider: str, model_id: str, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What a call costs by list price, in euros; None when the price is unknown."""
        model = self.provider(provider).model(model_id)
        if model.price_in is None or model.price_out is None:
            return None
        dollars = (prompt_tokens * model.price_in + completion_tokens * model.price_out) / 1e6
        return dollars * self.euros_per_dollar


@cache
def load_teacher_catalog(folder: Path = DATA) -> TeacherCatalog:
    """``teachers.toml`` in ``folder``, checked; raises ConfigError naming file and line."""
    root = read_toml(folder / "teachers.toml")
    root.only("version", "euros_per_dollar", "rate_checked", "provider")
    providers = tuple(_provider(table) for table in root.tables("provider"))
    root.distinct("provider", [provider.key for provider in providers])
    return TeacherCatalog(
        version=root.number("version"),
        euros_per_dollar=root.decimal("euros_per_dollar"),
        rate_checked=_day(root, "rate_checked"),
        providers=providers,
    )


def _provider(table: Table) -> TeacherProvider:
    optional = ("key_page", "terms_page", "resets", "model")
    table.only("key", "label", "local", "needs_key", "in_flight", "checked", optional=optional)
    texts = {name: table.text(name) if name in table.data else "" for name in ("key_page", "terms_page", "resets")}
    models = table.tables("model", "provider.model") if "model" in table.data else []
    provider = TeacherProvider(
        key=table.text("key"),
        label=table.text("label"),
        local=table.flag("local"),
        needs_key=table.flag("needs_key"),
        in_flight=table.number("in_flight"),
        checked=_day(table, "checked"),
        models=tuple(_model(model) for model in models),
        **texts,
    )
    if not 1 <= provider.in_flight <= 64:
        raise table.broken("'in_flight' must be from 1 to 64.", "in_flight")
    table.distinct("model", [model.id for model in provider.models])
    return provider


def _model(table: Table) -> TeacherModel:
    table.only("id", optional=("price_in", "price_out", *LIMITS))
    prices = {name: table.decimal(name) if name in table.data else None for name in ("price_in", "price_out")}
    limits = {name: table.number(name) for name in LIMITS if name in table.data}
    for name, amount in limits.items():
        if amount < 1:
            raise table.broken(f"'{name}' must be at least 1; leave it out where there is no limit.", name)
    return TeacherModel(id=table.text("id"), limits=limits, **prices)


def _day(table: Table, key: str) -> str:
    value = table.text(key)
    if not re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", value):
        raise table.broken(f"'{key}' must be a day such as 2026-11-25.", key)
    return value
