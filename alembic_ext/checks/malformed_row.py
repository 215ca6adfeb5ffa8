"""
## What it does
Reports rows of the version table that are blank or NULL, and rows that are a revision's id but for blanks around
it, case, or missing characters at the end (cut off at the column's width, or abbreviated).

## Why is this bad?
Alembic stops with "Can't locate revision identified by 'aaa1 '", or, for a part of an id, takes it for the whole
in `current` and then inserts a second row at the next upgrade.

## Example
MariaDB without strict mode cut a long id off at 32 characters, without a word.

## Repair
Writing the one id that fits, or deleting a row that says nothing more than the others do. Where several fit, the
SQL for each is shown, and a person chooses.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_ext.checks.check import Check
from alembic_ext.facts.history import History
from alembic_ext.facts.row_spelling import meant_by, what_is_wrong
from alembic_ext.facts.row_statements import delete_rows, write_id
from alembic_ext.facts.target import Target
from alembic_ext.facts.version_table import VersionTable
from alembic_ext.findings import Finding, Location, NextAction, Repair, Safety, Severity

check = Check(module=__name__, code="AX306", severity=Severity.ERROR, safety=Safety.SAFE)

_SENTENCES = {
    "null": "is NULL",
    "blank": "is blank",
    "blanks-around": "has blanks around it",
    "case": "differs in case",
    "truncated": "was cut off at the column's width",
    "partial": "is only the beginning of an id",
}


@check.rule
def find(version_table: VersionTable, history: History, target: Target) -> Iterator[Finding]:
    for row in version_table.rows:
        wrong = what_is_wrong(row, history, version_table.column_width)
        if wrong is None:
            continue
        fits = meant_by(row, history) if row and row.strip() else ()
        meant = f"; it fits {', '.join(fits)}" if fits else ""
        yield check.finding(
            subject=repr(row) if row is not None else "NULL",
            summary=f"A row of the version table ({row!r}) {_SENTENCES[wrong]}{meant}.",
            why="Alembic compares ids character by character: this row is no revision to it.",
            evidence={"row": row, "wrong": wrong, "fits": list(fits)},
            location=Location(table=version_table.name, column="version_num"),
            repair=Repair(safety=Safety.SAFE if len(fits) == 1 or not (row or "").strip() else Safety.MANUAL),
            next_actions=tuple(_next(row, fits, version_table, history, target.dialect)),
        )


def _next(
    row: str | None, fits: tuple[str, ...], used: VersionTable, history: History, dialect: str
) -> Iterator[NextAction]:
    recorded = history.ancestors(one for one in used.ids if one != row)
    if row is None or not fits:
        sql = delete_rows(used, dialect, (row,))
        yield NextAction(kind="choose", label="delete it, in the database:", command=sql)
    elif used.rows.count(row) > 1:
        yield NextAction(kind="choose", label="It is there more than once: first see AX305.")
    else:
        for fit in fits:
            write = "correct it, in the database:" if len(fits) == 1 else f"if it is {fit}:"
            says_nothing = fit in recorded
            sql = delete_rows(used, dialect, (row,)) if says_nothing else write_id(used, dialect, row, fit)
            yield NextAction(kind="choose", label=write, command=sql)
