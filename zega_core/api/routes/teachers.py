"""Who teaches, in what order and by what rules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictBool

from zega_core import db, teacher_checks, teaching_choices
from zega_core.api import problems, threads
from zega_core.api.access import ForWriter
from zega_core.api.fields import Sent, Text, UsedSettings
from zega_core.configs import Dollars, LimitName, ModelId, ProviderKey
from zega_core.facts.personal import LookFacts, TeachingFacts, of_looks, teaching_facts

router = APIRouter(prefix="/teachers", tags=["teachers"])


class TeachingAsked(Sent):
    """``first`` are the services that are asked first, in this order. ``budget`` is in euros a session, null is no
    limit; ``judge`` is a service and a model that also scores what is kept, empty for none."""

    first: Annotated[tuple[ProviderKey, ...], Field(max_length=len(ProviderKey))] = ()
    storyteller: StrictBool = True
    local_only: StrictBool = False
    min_votes: Annotated[int, Field(ge=1, le=5)] = 1
    budget: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] | None = None
    judge: Annotated[Text, Field(max_length=100)] = ""


class TeacherAsked(Sent):
    """``models`` empty are those of the catalog, or what a local server lists first. Of ``limits`` a number stands in
    for the listed one and null is no limit; prices are in US dollars a million tokens, null is the list price."""

    on: StrictBool = True
    models: Annotated[tuple[ModelId, ...], Field(max_length=8)] = ()
    limits: dict[LimitName, Annotated[int, Field(ge=1, le=10**9)] | None] = Field(default_factory=dict)
    in_flight: Annotated[int, Field(ge=1, le=64)] | None = None
    base_url: Annotated[Text, Field(max_length=300)] = ""
    price_in: Dollars | None = None
    price_out: Dollars | None = None


@router.get("", operation_id="get_teachers", responses=problems.documented(404, 422))
def get_teachers(writer: ForWriter, settings: UsedSettings) -> TeachingFacts:
    """Who teaches, in what order and by what rules; no key is told."""
    return teaching_facts(writer, settings)


@router.patch("", operation_id="change_teaching", responses=problems.documented(404, 422))
def change_teaching(wanted: TeachingAsked, writer: ForWriter, settings: UsedSettings) -> TeachingFacts:
    """Change the rules and the order; what is left out stays. Keys are entered in Settings, or in the environment."""
    rules = wanted.model_dump(exclude_unset=True)
    first = rules.pop("first", ())
    with db.session(settings) as session:
        teaching_choices.change(session, writer, rules, first=first)
    return teaching_facts(writer, settings)


@router.patch("/{provider}", operation_id="change_teacher", responses=problems.documented(404, 422))
def change_teacher(
    provider: ProviderKey, wanted: TeacherAsked, writer: ForWriter, settings: UsedSettings
) -> TeachingFacts:
    """Change how one service is used; what is left out stays."""
    values = wanted.model_dump(exclude_unset=True)
    with db.session(settings) as session:
        teaching_choices.change(session, writer, {}, services={provider: values})
    return teaching_facts(writer, settings)


@router.post("/survey", operation_id="survey_teachers", responses=problems.documented(404, 422))
@threads.long
def survey_teachers(writer: ForWriter, settings: UsedSettings) -> list[LookFacts]:
    """Look at every service now: is it there, does it take the key, which models does it list."""
    return of_looks(teacher_checks.survey(settings, writer))
