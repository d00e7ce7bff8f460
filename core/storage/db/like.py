"""The condition that a text holds a word, on both databases."""

import re
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_


def contains(connection: Connection, column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Return the condition that `word` occurs in the column, whatever its case."""
    # SQLite's LIKE knows the case of ASCII only, and so does a PostgreSQL made with locale C.
    forms = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    is_postgres = connection.dialect.name == "postgresql"
    like = column.ilike if is_postgres else column.like  # SQLite's LIKE is without case by itself
    return or_(*(like(_pattern(form), escape="/") for form in sorted(forms)))


def holds(column: ColumnElement[Any], folded: str) -> ColumnElement[bool]:
    """Return the condition that a folded word occurs in a column of folded texts."""
    return column.like(_pattern(folded), escape="/")


def _pattern(word: str) -> str:
    return "%" + re.sub(r"([/%_])", r"/\1", word) + "%"
