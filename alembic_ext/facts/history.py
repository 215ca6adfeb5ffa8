"""The graph of revisions that the files declare, with Alembic's own notions of head and dependency."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles

DOWN_REVISION = "down_revision"
DEPENDS_ON = "depends_on"


class Edge(NamedTuple):
    """One file naming another.

    :param kind: ``down_revision`` or ``depends_on``.
    """

    child: str
    parent: str
    kind: str


class MissingParent(NamedTuple):
    """A file naming an id that no file declares.

    :param kind: ``down_revision`` or ``depends_on``.
    """

    file: RevisionFile
    parent: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """Revisions that are each other's ancestors.

    :param revisions: round the cycle, each followed by the one it names; the last names the first.
    :param cut: the edge that most likely is the mistake.
    :param because: what makes it the likely one.
    """

    revisions: tuple[str, ...]
    cut: Edge
    because: str


@dataclass(frozen=True, kw_only=True)
class LabelConflict:
    """A branch label that is used twice, or is the id of a revision."""

    label: str
    files: tuple[RevisionFile, ...]
    equals_id: bool = False


@dataclass(frozen=True, kw_only=True)
class History:
    """Revisions by id. Built even when the graph is broken.

    :param revisions: id -> file; of duplicate ids the one Alembic would keep.
    :param down: id -> down revisions that exist.
    :param parents: id -> down revisions and (resolved) dependencies that exist; labels in ``depends_on`` are
        resolved to ids.
    :param heads: ids that no other id names as its ``down_revision``, in file order (Alembic's ``heads``).
    :param effective_heads: heads that nothing depends on either; what a database at the end records.
    :param bases: ids without a down revision.
    :param edges: every edge between revisions that exist, in file order.
    :param duplicates: id -> the files that declare it, where there are several; Alembic keeps the last.
    :param missing: references to ids that no file declares.
    :param cycles: one for each knot of the graph.
    :param label_conflicts: branch labels that Alembic refuses.
    """

    revisions: Mapping[str, RevisionFile] = field(default_factory=dict)
    down: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    heads: tuple[str, ...] = ()
    effective_heads: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    duplicates: Mapping[str, tuple[RevisionFile, ...]] = field(default_factory=dict)
    missing: tuple[MissingParent, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    label_conflicts: tuple[LabelConflict, ...] = ()

    @classmethod
    def from_files(cls, files: RevisionFiles) -> History:
        """Build the graph. Only exact ids join a ``down_revision``; a ``depends_on`` may be a branch label."""
        revisions = {file.revision: file for file in files.files}
        labelled = _labelled(revisions.values())
        down: dict[str, tuple[str, ...]] = {}
        parents: dict[str, tuple[str, ...]] = {}
        edges: list[Edge] = []
        missing: list[MissingParent] = []
        named: set[str] = set()
        depended_on: set[str] = set()
        for revision, file in revisions.items():
            below = tuple(dict.fromkeys(file.down_revisions))
            needed = tuple(
                dict.fromkeys(
                    name if name in revisions else labelled.get(name, name) for name in file.depends_on
                )
            )
            named.update(below)
            depended_on.update(needed)
            for kind, ids in ((DOWN_REVISION, below), (DEPENDS_ON, needed)):
                for parent in ids:
                    if parent in revisions:
                        edges.append(Edge(child=revision, parent=parent, kind=kind))
                    else:
                        missing.append(MissingParent(file=file, parent=parent, kind=kind))
            down[revision] = tuple(parent for parent in below if parent in revisions)
            parents[revision] = tuple(
                dict.fromkeys((*down[revision], *(parent for parent in needed if parent in revisions)))
            )
        heads = tuple(revision for revision in revisions if revision not in named)
        return cls(
            revisions=revisions,
            down=down,
            parents=parents,
            heads=heads,
            effective_heads=tuple(revision for revision in heads if revision not in depended_on),
            bases=tuple(revision for revision, file in revisions.items() if not file.down_revisions),
            edges=tuple(edges),
            duplicates=_duplicates(files.files),
            missing=tuple(missing),
            cycles=tuple(_cycles(revisions, parents, edges)),
            label_conflicts=tuple(_label_conflicts(revisions)),
        )

    def ancestors(self, ids: Iterable[str]) -> frozenset[str]:
        """Every revision at or below these ids, dependencies included; unknown ids are ignored."""
        return _reachable(ids, self.parents)

    def descendants(self, ids: Iterable[str]) -> frozenset[str]:
        """Every revision at or above these ids, dependents included; unknown ids are ignored."""
        return _reachable(ids, self.children)

    def is_ancestor(self, ancestor: str, of: str) -> bool:
        """Whether ``ancestor`` lies below the revision ``of``, dependencies included; none lies below itself."""
        return ancestor != of and ancestor in self.ancestors((of,))

    def pending(self, applied: Iterable[str]) -> tuple[str, ...]:
        """Revisions above these ids that ``upgrade heads`` would run, parents first."""
        done = set(self.ancestors(applied))
        order: list[str] = []
        for start in (*self.effective_heads, *self.revisions):
            path = [start] if start not in done else []
            done.update(path)
            while path:
                revision = path[-1]
                parent = next((parent for parent in self.parents[revision] if parent not in done), None)
                if parent is None:
                    order.append(path.pop())
                else:
                    done.add(parent)
                    path.append(parent)
        return tuple(order)

    def resolve_prefix(self, text: str) -> tuple[str, ...]:
        """The ids that Alembic could take this text for: itself, a branch label, or the start of an id."""
        if text in self.revisions:
            return (text,)
        if text in self._labelled:
            return (self._labelled[text],)
        if not text:
            return ()
        names = (*((revision, revision) for revision in self.revisions), *self._labelled.items())
        return tuple(
            dict.fromkeys(
                revision
                for name, revision in names
                if len(name) >= _SHORTEST_ABBREVIATED and name.startswith(text)
            )
        )

    def unmeant_heads(self, listed: Sequence[str]) -> tuple[str, ...]:
        """The effective heads where they are several and not meant to be.

        A head is meant that is listed, or has a label that no other head has.

        :param listed: the setting ``heads``: ids and branch labels.
        """
        heads = self.effective_heads
        if len(heads) < 2 or all(self._is_meant(head, listed) for head in heads):  # noqa: PLR2004
            return ()
        return heads

    def _is_meant(self, head: str, listed: Sequence[str]) -> bool:
        own = self.labels[head]
        others = frozenset[str]().union(
            *(self.labels[other] for other in self.effective_heads if other != head)
        )
        return head in listed or not own.isdisjoint(listed) or bool(own - others)

    def message(self, revision: str) -> str:
        """The revision's message, or ``""``."""
        file = self.revisions.get(revision)
        return file.message if file else ""

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Id -> revisions that name it, dependents included, in file order."""
        above: dict[str, list[str]] = {revision: [] for revision in self.revisions}
        for revision, below in self.parents.items():
            for parent in below:
                above[parent].append(revision)
        return {revision: tuple(named_by) for revision, named_by in above.items()}

    @cached_property
    def labels(self) -> Mapping[str, frozenset[str]]:
        """Id -> its branch labels, those it inherits included.

        A label goes up to every descendant, and down an unbranched line to where branches part or meet.
        """
        carried: dict[str, set[str]] = {revision: set() for revision in self.revisions}
        above: dict[str, list[str]] = {revision: [] for revision in self.revisions}
        for revision, below in self.down.items():
            for parent in below:
                above[parent].append(revision)
        for revision, file in self.revisions.items():
            if not file.branch_labels:
                continue
            branch = _reachable((revision,), above)
            for member in branch:
                carried[member].update(file.branch_labels)
            tips = [member for member in branch if not above[member]]
            climbing = tips[0] if len(tips) == 1 else revision
            seen: set[str] = set()
            while (
                climbing not in seen
                and len(self.children[climbing]) <= 1
                and len(self.revisions[climbing].down_revisions) <= 1
            ):
                seen.add(climbing)
                carried[climbing].update(file.branch_labels)
                if not self.down[climbing]:
                    break
                climbing = self.down[climbing][0]
        return {revision: frozenset(labels) for revision, labels in carried.items()}

    @cached_property
    def _labelled(self) -> Mapping[str, str]:
        return _labelled(self.revisions.values())


class Contradiction(NamedTuple):
    """A file whose docstring says that it revises something else than its ``down_revision`` does.

    :param said: the ids of the docstring's line "Revises:".
    :param line: that line, from 1.
    """

    file: RevisionFile
    said: tuple[str, ...]
    line: int


def damaged_link(history: History) -> Contradiction | None:
    """The file that splits the history, by its own docstring: with what that says there were fewer heads."""
    for file in history.revisions.values():
        revises = _REVISES.search(file.source)
        if revises is None:
            continue
        said = tuple(re.split(r"[,\s]+", revises[1].decode(errors="replace").strip()))
        if set(said) == set(file.down_revisions) or not history.revisions.keys() >= set(said):
            continue
        if not set(said) & set(history.effective_heads):
            continue
        others = (one for one in history.revisions.values() if one is not file)
        honoured = History.from_files(
            RevisionFiles(script_location=file.location, files=(*others, replace(file, down_revisions=said)))
        )
        if len(honoured.effective_heads) < len(history.effective_heads) and not honoured.cycles:
            return Contradiction(file, said, file.source.count(b"\n", 0, revises.start()) + 1)
    return None


def what_breaks(files: RevisionFiles, history: History) -> str | None:
    """The check that reports why the order of the revisions is not known, or ``None``."""
    causes = {
        "AX202": files.unreadable,
        "AX203": history.duplicates,
        "AX204": history.missing,
        "AX205": history.cycles,
    }
    return next((code for code, broken in causes.items() if broken), None)


_SHORTEST_ABBREVIATED = 4
"""Alembic completes abbreviations only of names of at least this length."""


def _reachable(ids: Iterable[str], neighbours: Mapping[str, Sequence[str]]) -> frozenset[str]:
    todo = [revision for revision in ids if revision in neighbours]
    reached = set(todo)
    while todo:
        for revision in neighbours[todo.pop()]:
            if revision not in reached:
                reached.add(revision)
                todo.append(revision)
    return frozenset(reached)


def _labelled(files: Iterable[RevisionFile]) -> dict[str, str]:
    """Branch label -> the revision that declares it."""
    labelled: dict[str, str] = {}
    for file in files:
        for label in file.branch_labels:
            labelled.setdefault(label, file.revision)
    return labelled


def _duplicates(files: Sequence[RevisionFile]) -> dict[str, tuple[RevisionFile, ...]]:
    several = {revision for revision, count in Counter(file.revision for file in files).items() if count > 1}
    return {
        revision: tuple(file for file in files if file.revision == revision) for revision in sorted(several)
    }


def _label_conflicts(revisions: Mapping[str, RevisionFile]) -> Iterator[LabelConflict]:
    users: dict[str, list[RevisionFile]] = {}
    for file in revisions.values():
        for label in file.branch_labels:
            users.setdefault(label, []).append(file)
    for label, files in users.items():
        if label in revisions:
            yield LabelConflict(label=label, files=(*files, revisions[label]), equals_id=True)
        elif len(files) > 1:
            yield LabelConflict(label=label, files=tuple(files))


def _cycles(
    revisions: Mapping[str, RevisionFile], parents: Mapping[str, tuple[str, ...]], edges: Sequence[Edge]
) -> Iterator[Cycle]:
    """One cycle for each knot: what cannot be taken away from either end of the graph is searched."""
    left = _without_ends(_without_ends(parents))
    done: set[str] = set()
    for start in left:
        path: list[str] = []
        at: str | None = start
        position: dict[str, int] = {}
        while at is not None and at not in done and at not in position:
            position[at] = len(path)
            path.append(at)
            at = next((parent for parent in left[at] if parent not in done), None)
        if at is not None and at in position:
            round_ = tuple(path[position[at] :])
            yield _cut(round_, revisions, edges)
        done.update(path)


def _without_ends(graph: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The graph turned round, without what lies on no cycle at this end. Twice gives the knots, right way round."""
    above: dict[str, list[str]] = {revision: [] for revision in graph}
    waiting = {revision: len(below) for revision, below in graph.items()}
    for revision, below in graph.items():
        for parent in below:
            above[parent].append(revision)
    free = [revision for revision, count in waiting.items() if count == 0]
    while free:
        revision = free.pop()
        del waiting[revision]
        for child in above[revision]:
            waiting[child] -= 1
            if waiting[child] == 0:
                free.append(child)
    return {
        revision: tuple(child for child in above[revision] if child in waiting)
        for revision in graph
        if revision in waiting
    }


_REVISES = re.compile(rb"^Revises:[ \t]*([^\r\n]*)", re.MULTILINE)
_CREATE_DATE = re.compile(rb"^Create Date:[ \t]*([^\r\n]+)", re.MULTILINE)


def _cut(round_: tuple[str, ...], revisions: Mapping[str, RevisionFile], edges: Sequence[Edge]) -> Cycle:
    """Choose the edge: the one that its file's own docstring contradicts, else the one from the oldest file."""
    pairs = set(zip(round_, (*round_[1:], round_[0]), strict=True))
    candidates = [edge for edge in edges if (edge.child, edge.parent) in pairs]
    for edge in candidates:
        revises = _REVISES.search(revisions[edge.child].source)
        if edge.kind == DOWN_REVISION and revises and edge.parent not in revises[1].decode(errors="replace"):
            said = revises[1].decode(errors="replace").strip() or "nothing"
            return Cycle(revisions=round_, cut=edge, because=f"its docstring says that it revises {said}")
    if len(round_) == 1:
        return Cycle(revisions=round_, cut=candidates[0], because="it names itself")
    created = {
        edge.child: found[1]
        for edge in candidates
        if (found := _CREATE_DATE.search(revisions[edge.child].source))
    }
    if len(created) == len(round_) and len(set(created.values())) == len(round_):
        oldest = min(candidates, key=lambda edge: created[edge.child])
        return Cycle(revisions=round_, cut=oldest, because="it is the oldest of them by its create date")
    attached = [edge for edge in candidates if edge.kind == DEPENDS_ON]
    return Cycle(
        revisions=round_,
        cut=(attached or candidates)[0],
        because="it is a dependency" if attached else "it is the first of them in file order",
    )
