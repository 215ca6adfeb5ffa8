"""The target metadata that env.py hands to Alembic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, Table

from alembic_ext.facts.availability import NotApplicable
from alembic_ext.facts.live_tables import LiveTables


@dataclass(frozen=True)
class Models:
    """Tables of the target metadata.

    :param tables: table names without their schema, sorted.
    :param qualified: schema and name of each.
    :param excluded: what env.py keeps from autogenerate, of these and of the live tables: those in another schema
        with its name.
    """

    tables: tuple[str, ...]
    qualified: frozenset[tuple[str | None, str]] = frozenset()
    excluded: frozenset[str] = frozenset()


def read_models(options: Mapping[str, object]) -> Models | NotApplicable:
    """The tables of ``target_metadata`` (one MetaData, or several)."""
    found = _metadata(options)
    if not found:
        return NotApplicable("env.py gives no target_metadata")
    tables = {(table.schema, table.name) for one in found for table in one.tables.values()}
    return Models(tuple(sorted({name for _, name in tables})), frozenset(tables))


def _metadata(options: Mapping[str, object]) -> list[MetaData]:
    metadata = options.get("target_metadata")
    several = (
        metadata if isinstance(metadata, Iterable) and not isinstance(metadata, MetaData) else (metadata,)
    )
    return [one for one in several if isinstance(one, MetaData)]


def excluded_tables(options: Mapping[str, Any], live: LiveTables) -> frozenset[str]:
    """The tables that ``include_name``, ``include_object`` or ``include_schemas`` keep from autogenerate."""
    known = {table.key: table for one in _metadata(options) for table in one.tables.values()}
    names = {(None, name) for name in live.names} | live.elsewhere
    excluded = {key for key, table in known.items() if not _is_included(options, table, reflected=False)}
    for schema, name in names:
        table = Table(name, MetaData(), schema=schema)
        if table.key not in known and not _is_included(options, table, reflected=True):
            excluded.add(table.key)
    if not options.get("include_schemas"):
        excluded |= {f"{schema}.{name}" for schema, name in live.elsewhere}
    return frozenset(excluded)


def _is_included(options: Mapping[str, Any], table: Table, *, reflected: bool) -> bool:
    """Ask env.py's own functions as Alembic does. One that fails excludes nothing."""
    by_name, by_object = options.get("include_name"), options.get("include_object")
    parents = {
        "schema_name": table.schema,
        "table_name": table.name,
        "schema_qualified_table_name": table.key,
    }
    with suppress(Exception):
        if by_name is not None and not by_name(table.name, "table", parents):
            return False
    with suppress(Exception):
        if by_object is not None and not by_object(table, table.name, "table", reflected, None):
            return False
    return True
