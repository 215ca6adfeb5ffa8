"""
## What it does
Reports more than one effective head: a revision that no other one follows or depends on. Heads are meant to be
several, and nothing is said, where each of them has a branch label of its own or is listed in the setting `heads`.
While files are unreadable, duplicated, without parent or in a cycle, the heads are not known and this check is
skipped: AX202 to AX205 say why.

## Why is this bad?
`upgrade head` and `revision` stop with "Multiple head revisions are present".

## Example
Two pull requests added a revision to the same parent; each was fine alone.

## Repair
A merge revision joins them and is right for every database, whichever of them it has run. Changing the
`down_revision` of one of them is not: a database that stands on it would never run the other. Where a file's
docstring ("Revises: ...") contradicts its `down_revision` and would join the heads, the file was damaged: then the
`down_revision` is what to mend, and no merge is proposed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from alembic_ext.checks.check import CannotTellError, Check
from alembic_ext.facts.history import Contradiction, History, damaged_link, what_breaks
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity
from alembic_ext.settings import Settings

check = Check(module=__name__, code="AX206", severity=Severity.ERROR, safety=Safety.SAFE)


IN_SUMMARY = 4


@check.rule
def find(revision_files: RevisionFiles, history: History, settings: Settings) -> Iterator[Finding]:
    if cause := what_breaks(revision_files, history):
        raise CannotTellError(because=cause)
    heads = history.unmeant_heads(settings.own.heads)
    if not heads:
        return
    damaged = damaged_link(history)
    more = f" and {len(heads) - IN_SUMMARY} more" if len(heads) > IN_SUMMARY else ""
    named = ", ".join(_named(head, history) for head in heads[:IN_SUMMARY]) + more
    at = damaged.file if damaged else history.revisions[heads[-1]]
    yield check.finding(
        subject=heads[0],
        summary=f"{len(heads)} heads: {named}." + (f" {_contradiction(damaged)}" if damaged else ""),
        why="upgrade head and revision stop here, because they do not know which one is meant.",
        evidence={
            "heads": list(heads),
            "files": [str(history.revisions[head].path) for head in heads],
            "common_ancestors": _branch_points(heads, history),
            "docstring_says": list(damaged.said) if damaged else None,
        },
        location=Location(path=at.path, line=at.down_revision_line),
        details=()
        if damaged
        else (
            "Do not change a down_revision instead: a database that stands on that head would never run the other.",
        ),
        repair=Repair(safety=Safety.MANUAL, reversible=True),
        next_actions=_restore(damaged) if damaged else _join(heads),
    )


def _join(heads: tuple[str, ...]) -> tuple[NextAction, ...]:
    merge = f'alembic merge {" ".join(shlex.quote(head) for head in heads)} -m "merge"'
    return (
        NextAction(kind="run-command", label="join them with a merge revision", command=merge),
        NextAction(
            kind="edit-file", label="meant to be several? give each a branch label, or list them in heads"
        ),
    )


def _restore(damaged: Contradiction) -> tuple[NextAction, ...]:
    said = _ids(damaged.said)
    return (
        NextAction(kind="edit-file", label=f"set down_revision back to {said}, if the docstring is right"),
        NextAction(
            kind="edit-file", label="correct the docstring, if it is not: then ask again, and merge the heads"
        ),
    )


def _contradiction(damaged: Contradiction) -> str:
    file, said = damaged.file, _ids(damaged.said)
    line = f", line {file.down_revision_line}" if file.down_revision_line else ""
    return (
        f"{file.path.name} has down_revision = {_ids(file.down_revisions)}{line},"
        f" but its docstring says that it revises {said}, line {damaged.line}."
    )


def _ids(ids: tuple[str, ...]) -> str:
    return repr(ids[0] if len(ids) == 1 else ids or None)


def _named(head: str, history: History) -> str:
    message = history.message(head)
    return f'{head} "{message}"' if message else head


def _branch_points(heads: tuple[str, ...], history: History) -> list[str]:
    """The newest revisions that all heads have in common."""
    common = frozenset.intersection(*(history.ancestors((head,)) for head in heads))
    return sorted(one for one in common if common.isdisjoint(history.children[one]))
