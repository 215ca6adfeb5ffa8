"""Which revision a damaged row of the version table most likely meant."""

from __future__ import annotations

from alembic_ext.facts.history import History

SHORTEST_PARTIAL = 4
"""Alembic itself accepts the first four characters of an id."""


def what_is_wrong(row: str | None, history: History, width: int | None) -> str | None:
    """``null``, ``blank``, ``blanks-around``, ``case``, ``truncated``, ``partial``, or ``None`` for a well-formed row."""
    if row is None:
        return "null"
    if not row.strip():
        return "blank"
    if row in history.revisions:
        return None
    if row.strip() in history.revisions:
        return "blanks-around"
    if meant_by(row, history):
        if any(row.strip().lower() == revision.lower() for revision in history.revisions):
            return "case"
        return "truncated" if width is not None and len(row) == width else "partial"
    return None


def meant_by(row: str, history: History) -> tuple[str, ...]:
    """The revisions that this row can stand for: same but for blanks and case, or longer by some characters."""
    name = row.strip().lower()
    same = tuple(revision for revision in history.revisions if revision.lower() == name)
    if same or len(name) < SHORTEST_PARTIAL:
        return same
    return tuple(revision for revision in history.revisions if revision.lower().startswith(name))
