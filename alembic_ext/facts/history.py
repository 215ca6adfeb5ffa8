"""The graph of revisions that the files declare, with Alembic's own notions of head and dependency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles


@dataclass(frozen=True, kw_only=True)
class History:
    """Revisions by id. Built even when the graph is broken.

    :param revisions: id -> file; of duplicate ids the one Alembic would keep.
    :param parents: id -> down revisions and (resolved) dependencies that exist; labels in ``depends_on`` are
        resolved to ids.
    :param heads: ids that no other id names as its ``down_revision``, in file order (Alembic's ``heads``).
    :param effective_heads: heads that nothing depends on either; what a database at the end records.
    :param bases: ids without a down revision.
    """

    revisions: Mapping[str, RevisionFile] = field(default_factory=dict)
    down: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    heads: tuple[str, ...] = ()
    effective_heads: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()

    @classmethod
    def from_files(cls, files: RevisionFiles) -> History:
        raise NotImplementedError

    def ancestors(self, ids: Iterable[str]) -> frozenset[str]:
        """Every revision at or below these ids, dependencies included; unknown ids are ignored."""
        raise NotImplementedError

    def pending(self, applied: Iterable[str]) -> tuple[str, ...]:
        """Revisions above these ids that ``upgrade heads`` would run, parents first."""
        raise NotImplementedError
