"""Who teaches a writer: services as they are set up, and the group of teachers that a run asks.

The only place where teachers are chosen and put together. Gates and breakers are shared by all runs of a process,
limits by all processes.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from zega_core import db
from zega_core.allowance import SharedAllowance, scope_of
from zega_core.answers import accept
from zega_core.configs import ProviderKey, TeacherChoice, TeachingConfig
from zega_core.keys import key_of, source_of
from zega_core.providers import storyteller
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.brakes import Breaker, Gate, Purse
from zega_core.providers.fallback import Fallback
from zega_core.providers.guarded import RETRIES, Guarded
from zega_core.providers.limits import Limit
from zega_core.providers.service import Access, ServiceModel, connect, is_loopback, thinking_room
from zega_core.settings import ServiceEnvironment, Settings, service_environment
from zega_core.store import teaching
from zega_core.teacher_catalog import TeacherProvider, load_teacher_catalog
from zega_core.unfinished import certain

NO_LIMIT = 10**9
"""In the place of a listed limit that the writer took off; one that the service itself tells of holds all the same."""
SLOW_TOTAL = 300.0
"""Seconds that a model on the writer's own machine may take for a piece."""
JUDGE_TOTAL = 60.0
"""Seconds that a judge may take: the piece waits for it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One service as a writer has it. ``local`` means that nothing leaves this machine. ``absent`` says why it is not
    asked, in a writer's words; empty when it is. ``key_source`` is where the key comes from, None without one."""

    provider: TeacherProvider
    choice: TeacherChoice
    access: Access
    local: bool
    absent: str
    key_source: str | None

    @property
    def key(self) -> str:
        return self.provider.key

    @property
    def label(self) -> str:
        return self.provider.label

    @property
    def scope(self) -> str:
        return scope_of(self.key, self.access.key, self.access.base_url)

    @property
    def in_flight(self) -> int:
        return self.choice.in_flight or self.provider.in_flight

    def models(self, listed: Sequence[str] = ()) -> tuple[str, ...]:
        """The models to ask, in order: the writer's, else the catalog's, else the first that the server lists."""
        return self.choice.models or tuple(model.id for model in self.provider.models) or tuple(listed[:1])


def places(settings: Settings, config: TeachingConfig) -> list[Place]:
    """Every service in the writer's order, those that are not asked included."""
    environment = service_environment()
    return [_place(settings, config, choice, environment) for choice in config.in_order()]


def place(settings: Settings, config: TeachingConfig, provider: str) -> Place:
    return _place(settings, config, config.choice(provider), service_environment())


def _place(settings: Settings, config: TeachingConfig, choice: TeacherChoice, environment: ServiceEnvironment) -> Place:
    provider = load_teacher_catalog().provider(choice.provider)
    address = choice.base_url or _address(choice.provider, environment)
    key = key_of(settings, choice.provider, address, environment)
    local = is_loopback(address)
    absent = ""
    if not choice.on:
        absent = "Turned off."
    elif not address:
        absent = "No address. Enter where the server is."
    elif config.local_only and not local:
        absent = "Turned off by Local only."
    elif provider.needs_key and key is None:
        absent = "No key. Enter one to use it."
    access = Access(address, key, local_only=config.local_only)
    if local:
        access = replace(access, first_token=SLOW_TOTAL, total=SLOW_TOTAL)
    return Place(provider, choice, access, local, absent, source_of(settings, choice.provider, address, environment))


def _address(provider: str, environment: ServiceEnvironment) -> str:
    return {
        ProviderKey.ollama: environment.ollama_host,
        ProviderKey.groq: environment.groq_base_url,
        ProviderKey.gemini: environment.google_gemini_base_url,
        ProviderKey.huggingface: environment.zega_hf_base_url,
        ProviderKey.openai_compatible: environment.zega_openai_base_url or "",
    }[ProviderKey(provider)]


def limits_of(place: Place, model: str) -> list[Limit]:
    """What the service allows for a model: the catalog's limits, those of its first model for one that the catalog
    does not know, with the writer's own in their stead."""
    known = place.provider.models
    amounts = dict(place.provider.model(model).limits)
    if not any(one.id == model for one in known) and known:
        amounts = dict(known[0].limits)
    resets, own = place.provider.resets, place.choice.limits
    return [
        Limit(
            name,
            NO_LIMIT if amount is None else amount,
            scope=model,
            resets=resets if name.endswith("day") else "",
            own=name in own and amount is not None,
        )
        for name, amount in {**amounts, **own}.items()
        if amount is not None or name in amounts
    ]


def leaves(place: Place, model: str, elsewhere: Sequence[str] = ()) -> bool:
    """Whether what this model is asked leaves the machine. Ollama, which also answers as an OpenAI-compatible server,
    passes its cloud models on: it names them so, or lists them as ``elsewhere``."""
    return not place.local or model in elsewhere or model.lower().endswith((":cloud", "-cloud"))


def price_of(place: Place, model: str, elsewhere: Sequence[str] = ()) -> Callable[[int, int], float | None]:
    """Euros for prompt and completion tokens: nothing on this machine, else the writer's price, else the list's, else
    None."""
    if not leaves(place, model, elsewhere):
        return lambda prompt, completion: 0.0
    catalog, choice = load_teacher_catalog(), place.choice
    if choice.price_in is not None and choice.price_out is not None:
        price_in, price_out, euros = choice.price_in, choice.price_out, catalog.euros_per_dollar / 1e6
        return lambda prompt, completion: (prompt * price_in + completion * price_out) * euros
    return lambda prompt, completion: catalog.price(place.key, model, prompt, completion)


_gates: dict[str, Gate] = {}
_breakers: dict[str, Breaker] = {}
_shared_lock = threading.Lock()


def _gate_and_breaker(place: Place, model: str) -> tuple[Gate, Breaker]:
    """Of this process, for all its runs: one gate a service, one breaker a model."""
    gate_key, breaker_key = f"{place.scope}:{place.in_flight}", f"{place.scope}:{model}"
    with _shared_lock:
        gate = _gates.setdefault(gate_key, Gate(place.in_flight, finds_level=place.key == ProviderKey.ollama))
        return gate, _breakers.setdefault(breaker_key, Breaker())


def forget() -> None:
    """Begin with fresh gates and breakers."""
    with _shared_lock:
        _gates.clear()
        _breakers.clear()


def affordable(config: TeachingConfig, place: Place, model: str, elsewhere: Sequence[str] = ()) -> bool:
    """Whether a budget can hold it: an unknown price cannot be held to one."""
    return config.budget is None or price_of(place, model, elsewhere)(1, 1) is not None


def member(
    settings: Settings,
    place: Place,
    model: str,
    purse: Purse | None = None,
    *,
    elsewhere: Sequence[str] = (),
    as_judge: bool = False,
) -> Guarded:
    """One teacher of a group, with its limits, price, gate and breaker. A judge answers in its own form, soon or not
    at all."""
    access = replace(place.access, total=min(place.access.total, JUDGE_TOTAL)) if as_judge else place.access
    service = connect(place.key, access)
    model_of_service = ServiceModel(service, model)
    weakref.finalize(model_of_service, service.close)  # after its last call, also one that a stopped run left behind
    model_of_service.in_flight = place.in_flight
    gate, breaker = _gate_and_breaker(place, model)
    limits, remote = limits_of(place, model), leaves(place, model, elsewhere)
    shared = SharedAllowance(settings, place.scope, model_of_service.label, limits, model=model)
    return Guarded(
        model_of_service,
        gate=gate,
        breaker=breaker,
        allowance=shared if limits or remote else None,
        price=price_of(place, model, elsewhere),
        purse=purse,
        accept=None if as_judge else _accepted,
        certain=_certain,
        thinking_room=thinking_room(place.key, model),
        remote=remote,
        retries=0 if as_judge else RETRIES,
    )


def _accepted(completion: Completion, messages: Sequence[Message], options: GenerationOptions) -> Completion:
    brief, may_break_off = options.brief, options.may_break_off
    asked, element = (brief.prompt, brief.element) if brief else (messages[-1].content, None)
    return accept(completion, asked, element, may_break_off=may_break_off)


def _certain(text: str, options: GenerationOptions) -> str:
    return certain(text, options.brief.element if options.brief else None)


def is_down(place: Place, models: Sequence[str]) -> None:
    """Keep away from a service that could not be reached, until it is time for a probe."""
    for model in models:
        _gate_and_breaker(place, model)[1].failed(at_once=True)


def group(
    settings: Settings,
    config: TeachingConfig,
    models: Mapping[str, Sequence[str]],
    purse: Purse,
    *,
    elsewhere: Mapping[str, Sequence[str]] = {},
    why_not: Sequence[str] = (),
) -> Fallback:
    """The teachers of a run in the writer's order, with ``models`` of each service; the storyteller last, if the
    writer allows it. ``elsewhere`` are models of local services that run in a cloud. ``why_not`` is what to say of
    those who are not here when nobody is left."""
    members, unpriced = list[Guarded](), list[str]()
    for place in places(settings, config):
        away = elsewhere.get(place.key, ())
        for model in models.get(place.key, ()) if not place.absent else ():
            if affordable(config, place, model, away):
                members.append(member(settings, place, model, purse, elsewhere=away))
            else:
                unpriced.append(f"The price of {model} is not known: it is not asked while there is a budget.")
    if config.storyteller:
        members.append(Guarded(storyteller(), last_resort=True))
    return Fallback(members, why_not=[*why_not, *unpriced])


def lineup(settings: Settings, writer_id: str) -> str:
    """Who may be asked for a writer, in order, as it is noted in a session: "ollama, groq, storyteller"."""
    with db.reading(settings) as session:
        config = teaching.load(session, writer_id)
    found = [place.key for place in places(settings, config) if not place.absent]
    return ", ".join([*found, "storyteller"] if config.storyteller else found) or "nobody"
