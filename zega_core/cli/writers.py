"""``zega writers list | assign | release``: who there is, and whose they are where people sign in."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from zega_core import db
from zega_core.cli.frame import cli, print_json
from zega_core.errors import InvalidInput
from zega_core.sign_in import MOST_ISSUER, MOST_SUBJECT
from zega_core.store import sign_ins

writers = typer.Typer(no_args_is_help=True, help="Who writes here, and whose writers they are where people sign in.")
cli.add_typer(writers, name="writers", epilog="Example: zega writers list --json")
AS_JSON = typer.Option("--json", help="Print one JSON list or object.")
WRITER = typer.Option(help="The id of a writer that is there.")


@writers.command("list", epilog="Example: zega writers list --json")
def listed(as_json: Annotated[bool, AS_JSON] = False) -> None:
    """All writers, each with the person who signs in as them."""
    with db.reading() as session:
        found = [
            {
                "writer": writer.id,
                "issuer": person.issuer if person else None,
                "subject": person.subject if person else None,
                "email": person.email if person else None,
            }
            for writer, person in sign_ins.every(session)
        ]
    if as_json:
        print_json(found)
        return
    out = Console()
    for one in found:
        whose = f"{one['email'] or 'no e-mail'}, {one['subject']} of {one['issuer']}" if one["issuer"] else "nobody's"
        out.print(f"{one['writer']}: {whose}", highlight=False, markup=False, soft_wrap=True)


@writers.command(epilog="Example: zega writers assign --writer ana --issuer https://id.example --subject 248289761001")
def assign(
    writer: Annotated[str, WRITER],
    issuer: Annotated[str, typer.Option(help="Who vouches for the person, exactly as in their identity token (iss).")],
    subject: Annotated[str, typer.Option(help="What the issuer calls the person (sub).")],
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Give a writer to a person who signs in: what ana wrote at this machine is theirs from then on."""
    for text, most, called in ((issuer, MOST_ISSUER, "--issuer"), (subject, MOST_SUBJECT, "--subject")):
        if not 0 < len(text) <= most or not text.isprintable():
            raise InvalidInput(f"{called} must be 1 to {most} printable characters.")
    with db.session() as session:
        before = sign_ins.assign(session, writer, issuer, subject)
    if as_json:
        print_json({"writer": writer, "issuer": issuer, "subject": subject, "before": before})
        return
    Console().print(
        f"{writer} is now the writer of {subject}." + (f" {before} is nobody's now." if before else ""),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@writers.command(epilog="Example: zega writers release --writer ana")
def release(writer: Annotated[str, WRITER], as_json: Annotated[bool, AS_JSON] = False) -> None:
    """Take a writer from the person who signs in as them. What is written stays; the person gets a new writer at their
    next visit."""
    with db.session() as session:
        sign_ins.release(session, writer)
    if as_json:
        print_json({"writer": writer, "issuer": None, "subject": None})
        return
    Console().print(f"{writer} is nobody's now.", highlight=False, markup=False, soft_wrap=True)
