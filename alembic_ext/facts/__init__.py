"""What is true: read-only, frozen, gathered once. ``gather`` is the only door, and it never raises."""

from __future__ import annotations

from alembic_ext.facts.availability import NotApplicable, Unavailable
from alembic_ext.facts.gather import DATABASE_FACTS, PROJECT_FACTS, DatabaseFacts, Facts, gather

__all__ = [
    "DATABASE_FACTS",
    "PROJECT_FACTS",
    "DatabaseFacts",
    "Facts",
    "NotApplicable",
    "Unavailable",
    "gather",
]
