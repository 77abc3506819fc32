"""Signing in by OpenID Connect: whether it is set up, what is wrong with how, and whose writer a person is.

Streamlit does the signing in itself (``st.login``) from the section ``[auth]`` of its secrets files. They are read here
without it, for the API and so that a section that is broken closes the door: Streamlit takes a file that it cannot read
for none.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from sqlmodel import Session

from zega_core import db
from zega_core.configs import DEFAULT_WRITER
from zega_core.errors import ConfigError, InvalidInput
from zega_core.settings import ROOT
from zega_core.store import sign_ins

SECRETS = Path(".streamlit") / "secrets.toml"
CALLBACK = "/oauth2callback"
FIELDS = ("client_id", "client_secret", "server_metadata_url")
"""Of each provider, in ``[auth]`` itself or in a section of its own, ``[auth.google]``."""
SHORTEST_SECRET = 32
"""Whoever guesses the secret of the cookie signs in as anybody."""
MOST_ISSUER, MOST_SUBJECT, MOST_EMAIL, MOST_SLUG = 300, 255, 254, 40


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as the provider says. Issuer and subject are who it is; name and e-mail are only shown."""

    issuer: str
    subject: str
    email: str = ""
    name: str = ""

    @property
    def shown(self) -> str:
        return self.name or self.email or "Signed in"


def files() -> list[Path]:
    """Where Streamlit looks for secrets, the one that outweighs last: the user's, then those beside app.py."""
    return [Path.home() / SECRETS, ROOT / SECRETS]


def is_configured() -> bool:
    """Whether people must sign in: there is an ``[auth]``, or a file in which there may be one that cannot be read."""
    try:
        return _section() is not None
    except ConfigError:
        return True


def providers() -> list[str]:
    """Who can be asked to sign a person in, as ``st.login`` takes it: "default", or the names of sections. Raises
    ConfigError with what is wrong, so that nobody is sent to sign in where that cannot work."""
    auth = _section()
    if auth is None:
        raise ConfigError(_wrong("the section [auth] must be in .streamlit/secrets.toml beside app.py"))
    if not isinstance(auth, Mapping):
        raise ConfigError(_wrong("[auth] must be a section with redirect_uri, cookie_secret and a provider"))
    if find_spec("authlib") is None or find_spec("httpx") is None:
        raise ConfigError("Signing in needs the package authlib. Install what ZEGA needs again: make setup")
    _check_shared(auth)
    named = {
        name: section for name, section in auth.items() if isinstance(section, Mapping) and name != "client_kwargs"
    }
    if any(auth.get(field) for field in FIELDS) and "default" not in named:
        named = {"default": auth, **named}
    if not named:
        raise ConfigError(_wrong(f"{FIELDS[0]} is missing"))
    for name, section in named.items():
        _check_provider(name, section)
    return list(named)


def person_of(claims: Mapping[str, Any]) -> Person | None:
    """Who it is by the claims of an identity token that was checked; None when nobody is signed in. Raises InvalidInput
    for claims by which nobody can be told from others."""
    if claims.get("is_logged_in") is not True:
        return None
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not _usable(issuer, MOST_ISSUER) or not _usable(subject, MOST_SUBJECT):
        raise InvalidInput(
            "Whoever signed you in did not say who you are (the claims iss and sub). Sign out and try again, or ask "
            "who runs this ZEGA."
        )
    return Person(issuer, subject, _shown(claims.get("email"), MOST_EMAIL), _shown(claims.get("name"), 100))


def writer_of(session: Session, issuer: str, subject: str, email: str, name: str) -> str:
    """The person's writer; a new person gets a new one, called after them. Two tabs at once make one."""
    slug = slug_of(name) or slug_of(email.partition("@")[0]) or "writer"
    for number in count(1):
        person = sign_ins.find(session, issuer, subject)
        if person is not None:
            if person.email != email:
                person.email = email
                session.add(person)
            return person.user_id
        # The writer of whoever works at this machine without signing in is never a person's by their name.
        if number > 1 or slug != DEFAULT_WRITER:
            sign_ins.add(session, slug if number == 1 else f"{slug}-{number}", issuer, subject, email)
    raise AssertionError("numbers do not end")


def writer_for(person: Person) -> str:
    """The same in a transaction of its own, which writes only when there is news."""
    with db.reading() as session:
        known = sign_ins.find(session, person.issuer, person.subject)
    if known is not None and known.email == person.email:
        return known.user_id
    with db.session() as session:
        return writer_of(session, person.issuer, person.subject, person.email, person.name)


def slug_of(text: str) -> str:
    """What can be a writer's id of a name in any script; empty when nothing can."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters)[:MOST_SLUG].strip("-")


def _section() -> object | None:
    """``[auth]`` of the last file that has one, as Streamlit takes it; None without one."""
    found: object | None = None
    for path in files():
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8")).get("auth", found)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{path} cannot be read ({error}). It may say who can sign in, so nobody is let in. Correct or remove "
                "it, then start ZEGA again."
            ) from error
    return found


def _check_shared(auth: Mapping[str, Any]) -> None:
    address = auth.get("redirect_uri")
    if not isinstance(address, str) or not address.endswith(CALLBACK) or not _is_address(address):
        raise ConfigError(_wrong(f"redirect_uri must be the https:// address of this app, followed by {CALLBACK}"))
    secret = auth.get("cookie_secret")
    if not isinstance(secret, str) or len(secret) < SHORTEST_SECRET:
        raise ConfigError(_wrong(f"cookie_secret must be {SHORTEST_SECRET} or more characters that nobody can guess"))


def _check_provider(name: str, section: Mapping[str, Any]) -> None:
    where = "" if name == "default" else f" in [auth.{name}]"
    if "_" in name:
        raise ConfigError(_wrong(f"the name {name} has an underscore; a section's name must have none"))
    for field in FIELDS:
        if not isinstance(section.get(field), str) or not section[field].strip():
            raise ConfigError(_wrong(f"{field} is missing{where}"))
    if not _is_address(section["server_metadata_url"]):
        raise ConfigError(_wrong(f"server_metadata_url{where} must be an address that begins with https://"))


def _is_address(text: str) -> bool:
    """Whether it can be asked: https, or http on this machine."""
    try:
        parts = urlsplit(text.replace("{port}", "1"))
    except ValueError:
        return False
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


def _wrong(what: str) -> str:
    return (
        f"Signing in is not set up correctly, so nobody is let in: {what}. Correct .streamlit/secrets.toml, then start "
        "ZEGA again."
    )


def _usable(text: object, most: int) -> TypeGuard[str]:
    return isinstance(text, str) and 0 < len(text) <= most and text.isprintable()


def _shown(text: object, most: int) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:most] if isinstance(text, str) else ""
