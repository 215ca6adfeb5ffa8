"""What the database says of itself: the rows of the version table, as stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VersionTable:
    """The version table that env.py uses.

    :param schema: the schema it is looked for in, as env.py (or the connection's default) says.
    :param rows: ``version_num`` of every row, as stored; ``None`` for NULL.
    :param column_width: characters that ``version_num`` holds; ``None`` when the table is absent or the column
        has no limit.
    :param width_enforced: the server refuses or truncates longer values (SQLite does neither).
    """

    name: str
    schema: str | None = None
    exists: bool
    rows: tuple[str | None, ...] = ()
    column_width: int | None = None
    width_enforced: bool = True

    @property
    def ids(self) -> tuple[str, ...]:
        """The rows that hold an id at all."""
        return tuple(row for row in self.rows if row is not None and row.strip())

    @property
    def effective_width(self) -> int | None:
        """How long an id may be: Alembic creates ``VARCHAR(32)`` where there is no table yet."""
        if not self.width_enforced:
            return None
        return self.column_width if self.exists else 32


@dataclass(frozen=True, kw_only=True)
class VersionTableElsewhere:
    """A table with the form of a version table, in another place than the one env.py uses."""

    name: str
    schema: str | None
    rows: tuple[str, ...]
