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
`down_revision` of one of them is not: a database that stands on it would never run the other.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from alembic_ext.checks.check import CannotTellError, Check
from alembic_ext.facts.history import History
from alembic_ext.facts.revision_files import RevisionFiles
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity
from alembic_ext.settings import Settings

check = Check(module=__name__, code="AX206", severity=Severity.ERROR, safety=Safety.SAFE)


@check.rule
def find(revision_files: RevisionFiles, history: History, settings: Settings) -> Iterator[Finding]:
    heads = history.effective_heads
    if cause := _what_breaks(revision_files, history):
        raise CannotTellError(because=cause)
    if len(heads) < 2 or all(_is_meant(head, history, settings.own.heads) for head in heads):  # noqa: PLR2004
        return
    merge = f'alembic merge {" ".join(shlex.quote(head) for head in heads)} -m "merge"'
    yield check.finding(
        subject=heads[0],
        summary=f"{len(heads)} heads: {', '.join(_named(head, history) for head in heads)}.",
        why="upgrade head and revision stop here, because they do not know which one is meant.",
        evidence={
            "heads": list(heads),
            "files": [str(history.revisions[head].path) for head in heads],
            "common_ancestors": _branch_points(heads, history),
        },
        location=Location(
            path=history.revisions[heads[-1]].path, line=history.revisions[heads[-1]].down_revision_line
        ),
        details=(
            "Do not change a down_revision instead: a database that stands on that head would never run the other.",
        ),
        repair=Repair(safety=Safety.MANUAL, reversible=True),
        next_actions=(
            NextAction(kind="run-command", label="join them with a merge revision", command=merge),
            NextAction(
                kind="edit-file", label="meant to be several? give each a branch label, or list them in heads"
            ),
        ),
    )


def _what_breaks(revision_files: RevisionFiles, history: History) -> str | None:
    """The check that reports why the heads are not known, or ``None``."""
    causes = {
        "AX202": revision_files.unreadable,
        "AX203": history.duplicates,
        "AX204": history.missing,
        "AX205": history.cycles,
    }
    return next((code for code, broken in causes.items() if broken), None)


def _is_meant(head: str, history: History, listed: tuple[str, ...]) -> bool:
    """Whether the head is listed, or has a label that no other head has."""
    own = history.labels[head]
    others = frozenset[str]().union(
        *(history.labels[other] for other in history.effective_heads if other != head)
    )
    return head in listed or not own.isdisjoint(listed) or bool(own - others)


def _named(head: str, history: History) -> str:
    message = history.message(head)
    return f'{head} "{message}"' if message else head


def _branch_points(heads: tuple[str, ...], history: History) -> list[str]:
    """The newest revisions that all heads have in common."""
    common = frozenset.intersection(*(history.ancestors((head,)) for head in heads))
    return sorted(one for one in common if common.isdisjoint(history.children[one]))
