"""Looking for words in texts by the database's own indexes of them: those of examples (migration 0006) and of stories
(migration 0007)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, or_, text
from sqlmodel import Session

_TERM = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]+")
MOST_TERMS = 20
"""Words and phrases of a search that are looked for."""
LONGEST_SEARCH = 500
"""Characters of a search that are read."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A table whose ``texts`` are in an index of words: on SQLite the table ``words`` has them under the number in
    ``identity``, on PostgreSQL they are indexed as the expression ``vector``, word for word as its migration has it."""

    words: str
    identity: Any
    texts: Sequence[Any]
    vector: ColumnElement[Any]


def vector(one: str, other: str) -> ColumnElement[Any]:
    """For ``Indexed``, of two columns; only so much of the other is indexed as an index can hold."""
    return literal_column(
        f"to_tsvector('simple', regexp_replace({one} || ' ' || left({other}, 150000), "
        r"'[!-/:-@\[-`{-~\u2010-\u2027]+', ' ', 'g'))"
    )


def holds(session: Session, indexed: Indexed, wanted: str) -> ColumnElement[bool]:
    """Each word begins a word of one of the texts; each phrase is there as it is, whatever stands between its words.
    What has neither letters nor numbers is looked for as it is typed."""
    wanted = wanted[:LONGEST_SEARCH].replace("\x00", "").encode(errors="replace").decode().strip()
    terms = [(found[1] is not None, found[1] or found[2] or "") for found in _TERM.finditer(wanted)]
    phrases = [(_WORD.findall(term), whole) for whole, term in terms[:MOST_TERMS]]
    phrases = [(words, whole) for words, whole in phrases if words]
    if not phrases:
        return or_(*(one.contains(wanted, autoescape=True) for one in indexed.texts))
    if session.get_bind().dialect.name == "sqlite":
        query = " AND ".join(f'"{" ".join(words)}"{"" if whole else "*"}' for words, whole in phrases)
        table = indexed.words
        matching = text(f"SELECT rowid FROM {table} WHERE {table} MATCH :wanted").bindparams(wanted=query)
        # + 0: what many texts have would be looked up row by row
        return (indexed.identity + 0).in_(matching.columns(indexed.identity))
    query = " & ".join(f"({_lexemes(words)}{'' if whole else ':*'})" for words, whole in phrases)
    return indexed.vector.op("@@", is_comparison=True)(func.to_tsquery(literal_column("'simple'"), query))


def _lexemes(words: list[str]) -> str:
    return " <-> ".join(f"'{word.lower()}'" for word in words)
