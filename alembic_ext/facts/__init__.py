"""What is true: read-only, frozen, gathered once. ``gather`` is the only door, and it never raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alembic_ext.facts.availability import NotApplicable, Unavailable

__all__ = ["DATABASE_FACTS", "PROJECT_FACTS", "DatabaseFacts", "Facts", "NotApplicable", "Unavailable"]

PROJECT_FACTS = frozenset({"settings", "revision_files", "history", "version_control", "commits", "ini_file", "env_script", "shadowing"})
"""Facts about the project, each once."""

DATABASE_FACTS = frozenset(
    {"reached", "look", "version_table", "version_tables_elsewhere", "live_tables", "models", "privileges", "lost_revisions"}
)
"""Facts about one database."""


@dataclass(frozen=True)
class DatabaseFacts:
    """What is true of one database: fact name -> value, ``Unavailable`` or ``NotApplicable``."""

    name: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Facts:
    """Everything that was gathered."""

    project: Mapping[str, object]
    databases: tuple[DatabaseFacts, ...]
