"""``zega teaching``: who teaches, in what order and by what rules."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from zega_core import db, teaching_choices
from zega_core.analytics import euros
from zega_core.cli.frame import cli, print_json, say
from zega_core.configs import DEFAULT_WRITER, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.facts.personal import TeachingFacts, teaching_facts
from zega_core.settings import get_settings


@cli.command("teaching", epilog="Example: zega teaching --writer ana --first groq --off gemini --votes 2 --budget 1.50")
def teaching(
    writer: Annotated[str, typer.Option(help="Whose choices; created if new.")] = DEFAULT_WRITER,
    first: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE", help="Ask this service first; several in their order.")
    ] = None,
    on: Annotated[list[str] | None, typer.Option(metavar="SERVICE", help="Ask it again; may be repeated.")] = None,
    off: Annotated[list[str] | None, typer.Option(metavar="SERVICE", help="Do not ask it; may be repeated.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE/MODEL", help="Ask this model of a service; several in their order."),
    ] = None,
    votes: Annotated[int | None, typer.Option(help="How many teachers write each piece, 1 to 5.")] = None,
    budget: Annotated[float | None, typer.Option(help="Euros that a session may cost; 0 is no limit.")] = None,
    judge: Annotated[str | None, typer.Option(help='Teacher that also scores what is kept; "" is nobody.')] = None,
    local_only: Annotated[
        bool | None, typer.Option("--local-only/--anywhere", help="Ask nobody outside this machine, or anybody.")
    ] = None,
    storyteller: Annotated[
        bool | None, typer.Option("--storyteller/--no-storyteller", help="Whether it stands in when nobody can write.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Choose who teaches. What is not named stays; without any option it says what is chosen. Keys are entered in
    Settings, or are in the environment."""
    settings, asked = get_settings(), check_writer_id(writer)
    rules = {"min_votes": votes, "judge": judge, "local_only": local_only, "storyteller": storyteller}
    rules = {name: value for name, value in rules.items() if value is not None}
    if budget is not None:
        rules["budget"] = budget or None
    services = _services(on or [], off or [], model or [])
    if rules or services or first:
        with db.session(settings) as session:
            teaching_choices.change(session, asked, rules, first=first or (), services=services)
    _tell(teaching_facts(asked, settings), as_json)


def _services(on: list[str], off: list[str], models: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {provider: {"on": True} for provider in on}
    found |= {provider: {"on": False} for provider in off}
    for name in models:
        provider, slash, model = name.partition("/")
        if not slash:
            raise InvalidInput(f"{name[:80]!r} names no model of a service. It looks like groq/llama-3.1-8b-instant.")
        values = found.setdefault(provider, {})
        values["models"] = (*values.get("models", ()), model)
    return found


def _tell(told: TeachingFacts, as_json: bool) -> None:
    if as_json:
        print_json(told.as_json())
        return
    for one in told.teachers:
        say(f"{one.label}: {one.absent or ', '.join(one.models) or 'what it lists first'}")
    say(
        f"{told.min_votes} for each piece · {euros(told.budget) if told.budget else 'no limit'} a session · "
        f"judge: {told.judge or 'nobody'}"
        f"{' · nobody outside this machine' if told.local_only else ''}"
        f"{'' if told.storyteller else ' · the storyteller does not stand in'}"
    )
