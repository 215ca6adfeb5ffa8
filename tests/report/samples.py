"""Reports made by hand, for the renderers' tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from alembic_ext.facts.target import Target
from alembic_ext.findings import CheckResult, Finding, Location, NextAction, Repair, Safety, Severity, Status
from alembic_ext.report.model import DatabaseReport, DoctorReport, Record, Tool
from alembic_ext.settings.model import Source

ROOT = Path("/srv/shop").absolute()
TOOL = Tool(alembic_ext="0.1.0", alembic="1.20.1", sqlalchemy="2.1.9", python="3.11.7")
HEADS = (("c3d4e5", "add index on orders"),)


def mysql(**changes: Any) -> Target:
    target = Target(
        dialect="mysql",
        driver="pymysql",
        host="127.0.0.1",
        port=3306,
        database="shop",
        user="app",
        server_version="10.11.6-MariaDB",
        source=Source(
            kind="config-file", path=ROOT / "conf" / "dev.yml", key="database.mysql", via="CONFIG_FILE"
        ),
    )
    return replace(target, **changes)


def sqlite(**changes: Any) -> Target:
    target = Target(
        dialect="sqlite",
        driver="pysqlite",
        database="/srv/shop/data/商店.db",
        server_version="3.40.1",
        source=Source(kind="config-file", path=ROOT / "config.yaml", key="database", via="config.yaml"),
    )
    return replace(target, **changes)


def at(*rows: str | None, exists: bool | None = True) -> Record:
    return Record(version_table="alembic_version", schema=None, exists=exists, rows=rows)


def database(target: Target | None, record: Record | None, name: str = "default") -> DatabaseReport:
    return DatabaseReport(name=name, target=target, record=record)


def result(code: str, slug: str, *findings: Finding, **changes: Any) -> CheckResult:
    status = Status.FOUND if findings else Status.OK
    return replace(
        CheckResult(code=code, slug=slug, status=status, duration_ms=1.25, findings=findings), **changes
    )


def skipped(code: str, slug: str, because: str = "AX301") -> CheckResult:
    return result(code, slug, status=Status.SKIPPED, because=because)


def report(*results: CheckResult, **changes: Any) -> DoctorReport:
    plain = DoctorReport(
        exit_code=0,
        tool=TOOL,
        heads=HEADS,
        databases=(database(mysql(), at("c3d4e5")),),
        results=results,
        elapsed=0.84,
        root=ROOT,
    )
    return replace(plain, **changes)


def healthy(count: int = 14, **changes: Any) -> DoctorReport:
    return report(
        *(result(f"AX{number}", f"check-{number}") for number in range(101, 101 + count)), **changes
    )


PENDING = Finding(
    code="AX304",
    slug="pending-revisions",
    severity=Severity.INFO,
    database="default",
    subject="a1b2c3",
    summary='2 revisions not applied yet: b2c3d4 "加入优惠券", c3d4e5 "add index on orders"',
    why="The application may expect them.",
    evidence={"pending": ["b2c3d4", "c3d4e5"], "recorded": ["a1b2c3"]},
    next_actions=(NextAction(kind="run-command", label="", command="alembic upgrade head"),),
)

UNKNOWN_REVISION = Finding(
    code="AX301",
    slug="revision-not-found",
    severity=Severity.ERROR,
    database="default",
    subject="9af31c",
    summary="The database is at 9af31c, and no file in migrations/versions declares it.",
    why="upgrade, downgrade and history all stop here.",
    evidence={
        "case": "other-branch",
        "rows": ["9af31c"],
        "heads": ["c3d4e5"],
        "commit": "4be12f0",
        "places": [],
        "complete": True,
        "reason": None,
    },
    details=("git knows it: added 2026-11-19T08:30:00Z on branch feature/coupons (4be12f0), never merged.",),
    repair=Repair(safety=Safety.SAFE),
    next_actions=(
        NextAction(
            kind="run-command",
            label="get the file back",
            command="git checkout feature/coupons -- migrations/versions",
        ),
        NextAction(
            kind="run-command", label="undo its changes", command="alembic downgrade -1", safety=Safety.UNSAFE
        ),
        NextAction(
            kind="choose", label="wrong database? this URL came from /etc/shop/prod.yml, key database.url"
        ),
    ),
)

IGNORED = Finding(
    code="AX602",
    slug="revisions-ignored",
    severity=Severity.WARNING,
    subject="*_迁移.py",
    summary="The rule *_迁移.py hides every new revision from git.",
    why="What is not in version control is lost with the working tree.",
    location=Location(path=ROOT / "数据库" / ".gitignore", line=31),
    evidence={
        "tool": "git",
        "rule": "*_迁移.py",
        "rule_path": "数据库/.gitignore",
        "rule_line": 31,
        "locations": ["数据库/versions"],
        "new_revisions": True,
        "files": [],
    },
    next_actions=(
        NextAction(kind="edit-file", label="remove the rule, or except the version locations from it"),
    ),
)

ELSEWHERE = Finding(
    code="AX306",
    slug="malformed-row",
    severity=Severity.ERROR,
    database="reporting",
    subject="'ABC '",
    summary="The version table public.alembic_version holds 'ABC ', and no revision is called that.",
    why="Alembic compares ids byte for byte.",
    location=Location(table="public.alembic_version", column="version_num"),
    evidence={"row": "ABC ", "wrong": "case", "fits": ["abc"]},
    next_actions=(
        NextAction(
            kind="run-command",
            label="write it as the file says",
            command="UPDATE public.alembic_version SET version_num = 'abc'\nWHERE version_num = 'ABC ';",
        ),
    ),
)

UNREADABLE = Finding(
    code="AX113",
    slug="ini-unreadable",
    severity=Severity.ERROR,
    subject="alembic.ini",
    summary="alembic.ini line 7 holds a character that Alembic cannot read in this locale.",
    why="The stock commands stop here, or will in another locale.",
    location=Location(path=ROOT / "alembic.ini", line=7),
    evidence={"reason": "encoding", "path": "alembic.ini", "line": 7, "key": None, "encoding": "ascii"},
)


def pending() -> DoctorReport:
    """Behind the head, and nothing wrong with that."""
    return report(
        *healthy(12).results,
        result("AX304", "pending-revisions", PENDING),
        result("AX406", "invalid-index", status=Status.NOT_APPLICABLE, because="only on PostgreSQL"),
        databases=(database(sqlite(), at("a1b2c3")),),
        messages={"a1b2c3": "基线"},
        elapsed=0.71,
    )


def broken(**changes: Any) -> DoctorReport:
    """One of each: error, warning, note, skipped, suppressed; begun in a way that commands must repeat."""
    plain = report(
        *healthy(11).results,
        result("AX602", "revisions-ignored", IGNORED),
        result("AX301", "revision-not-found", UNKNOWN_REVISION),
        result("AX304", "pending-revisions", PENDING),
        skipped("AX401", "stamped-ahead"),
        skipped("AX404", "model-drift", "No metadata was found."),
        result("AX601", "revision-not-committed", status=Status.SUPPRESSED, because="generated in CI"),
        databases=(database(mysql(), at("9af31c")),),
        notes=("env.py:41 writes (CREATE SCHEMA) on its own connection; that was refused.",),
        verbose_notes=("config.yaml was passed over: CONFIG_FILE names another file.",),
        invocation=("python", "run_alembic.py", "-n", "店"),
        environment=(("CONFIG_FILE", "conf/my dev.yml"),),
        exit_code=1,
        elapsed=2.14,
    )
    return replace(plain, **changes)


def unreachable() -> DoctorReport:
    """The server does not answer: one finding, and everything that needed it is skipped in one line."""
    refused = Finding(
        code="AX108",
        slug="database-unreachable",
        severity=Severity.ERROR,
        database="default",
        subject="127.0.0.1:3306",
        summary="127.0.0.1:3306 refused the connection.",
        why="Nothing about the database could be looked at.",
        evidence={
            "exception": "OperationalError",
            "number": 2003,
            "sqlstate": None,
            "said": "Connection refused",
        },
    )
    return report(
        result("AX108", "database-unreachable", refused),
        *(skipped(f"AX{number}", f"check-{number}", "AX108") for number in range(301, 310)),
        databases=(database(mysql(assumed=True, server_version=None), None),),
        exit_code=2,
        elapsed=10.02,
    )


def several() -> DoctorReport:
    """Three databases, one of them healthy, one broken, one not there; and the project has an error too."""
    postgresql = Target(
        dialect="postgresql",
        driver="psycopg",
        host="::1",
        port=5432,
        database="reporting",
        schema="berichte",
        user="app",
        server_version="15.8",
        source=Source(kind="env-script", path=ROOT / "alembic" / "env.py"),
    )
    return report(
        result("AX113", "ini-unreadable", UNREADABLE),
        result("AX303", "empty-database"),
        result("AX306", "malformed-row", ELSEWHERE),
        databases=(
            database(sqlite(), at("c3d4e5"), "商店"),
            database(postgresql, at("ABC ", None), "reporting"),
            database(None, None, "archive"),
        ),
        exit_code=1,
    )


def crashed() -> DoctorReport:
    """A check of ours raised."""
    finding = Finding(
        code="AX901",
        slug="check-crashed",
        severity=Severity.ERROR,
        database="default",
        subject="AX305",
        summary="The check AX305 overlapping-rows crashed. This is our bug, not your project's.",
        why="What this check looks for was not looked at.",
        evidence={"check": "AX305"},
        details=("Run again with --verbose for the traceback.",),
    )
    trace = 'Traceback (most recent call last):\n  File "check.py", line 3, in find\n    rows[0]\nIndexError: list index out of range\n'
    return report(
        result("AX101", "config-file-not-found"),
        result("AX305", "overlapping-rows", finding, status=Status.CRASHED, traceback=trace),
        exit_code=2,
    )
