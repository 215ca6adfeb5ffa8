"""The target metadata that env.py hands to Alembic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import MetaData

from alembic_ext.facts.availability import NotApplicable


@dataclass(frozen=True)
class Models:
    """Tables of the target metadata.

    :param tables: table names without their schema, sorted.
    :param qualified: schema and name of each.
    """

    tables: tuple[str, ...]
    qualified: frozenset[tuple[str | None, str]] = frozenset()


def read_models(options: Mapping[str, object]) -> Models | NotApplicable:
    """The tables of ``target_metadata`` (one MetaData, or several)."""
    metadata = options.get("target_metadata")
    several = (
        metadata if isinstance(metadata, Iterable) and not isinstance(metadata, MetaData) else (metadata,)
    )
    found = [one for one in several if isinstance(one, MetaData)]
    if not found:
        return NotApplicable("env.py gives no target_metadata")
    tables = {(table.schema, table.name) for one in found for table in one.tables.values()}
    return Models(tuple(sorted({name for _, name in tables})), frozenset(tables))
