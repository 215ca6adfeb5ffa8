"""The report for tools: one object, described by ``schema.json`` beside this file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_ext.redaction import redact
from alembic_ext.report.escaping import in_utc
from alembic_ext.report.paste import pasteable

if TYPE_CHECKING:
    from alembic_ext.facts.target import Target
    from alembic_ext.findings import CheckResult, Finding, NextAction
    from alembic_ext.report.model import DatabaseReport, DoctorReport

SCHEMA_VERSION = 1
"""Grows only when a reader of the old form would be misled."""

SCHEMA = Path(__file__).with_name("schema.json")
"""The JSON Schema (2020-12) of the object."""


def render(report: DoctorReport, *, verbose: bool = False) -> str:  # noqa: ARG001 - all formats are called alike
    """The object as text. It holds everything already: ``verbose`` adds nothing."""
    return json.dumps(as_dict(report), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def as_dict(report: DoctorReport) -> dict[str, Any]:
    """The object. Keys are never absent; what is not known is ``None``, what is empty is ``[]``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": report.command,
        "ok": report.ok,
        "exit_code": report.exit_code,
        "tool": {
            "alembic_ext": report.tool.alembic_ext,
            "alembic": report.tool.alembic,
            "sqlalchemy": report.tool.sqlalchemy,
            "python": report.tool.python,
        },
        "heads": [revision for revision, _message in report.heads],
        "databases": [_database(database, report) for database in report.databases],
        "summary": report.summary,
        "checks": [_check(result, report) for result in report.results],
        "findings": [_finding(finding, report) for finding in report.findings],
        "notes": [_plain(note, report) for note in report.notes],
        "plan": None,
    }


def _database(database: DatabaseReport, report: DoctorReport) -> dict[str, Any]:
    record = database.record
    return {
        "name": database.name,
        "target": None if database.target is None else _target(database.target, report),
        "record": None
        if record is None
        else {
            "version_table": record.version_table,
            "schema": record.schema,
            "exists": record.exists,
            "rows": list(record.rows),
        },
        "schema_at": _plain(database.schema_at, report),
    }


def _target(target: Target, report: DoctorReport) -> dict[str, Any]:
    source = target.source
    return {
        "dialect": target.dialect,
        "driver": target.driver,
        "host": target.host,
        "port": target.port,
        "database": target.database,
        "schema": target.schema,
        "user": target.user,
        "server_version": target.server_version,
        "assumed": target.assumed,
        "source": {
            "kind": source.kind,
            "path": None if source.path is None else report.shown(source.path),
            "key": source.key,
            "via": source.via,
        },
    }


def _check(result: CheckResult, report: DoctorReport) -> dict[str, Any]:
    return {
        "code": result.code,
        "slug": result.slug,
        "status": result.status.value,
        "because": _plain(result.because, report),
        "duration_ms": round(result.duration_ms, 3),
    }


def _finding(finding: Finding, report: DoctorReport) -> dict[str, Any]:
    location = finding.location
    return {
        "code": finding.code,
        "slug": finding.slug,
        "severity": finding.severity.value,
        "database": finding.database,
        "subject": _plain(finding.subject, report),
        "summary": _plain(finding.summary, report),
        "why": _plain(finding.why, report),
        "location": {
            "path": None if location.path is None else report.shown(location.path),
            "line": location.line,
            "table": location.table,
            "column": location.column,
        },
        "evidence": _plain(finding.evidence, report),
        "repair": {
            "safety": finding.repair.safety.value,
            "command": _command(finding.repair.command, report),
            "reversible": finding.repair.reversible,
        },
        "next_actions": [_action(action, report) for action in finding.next_actions],
    }


def _action(action: NextAction, report: DoctorReport) -> dict[str, Any]:
    return {
        "kind": action.kind,
        "label": _plain(action.label, report),
        "command": _command(action.command, report),
        "safety": action.safety.value,
    }


def _command(command: str | None, report: DoctorReport) -> str | None:
    return None if command is None else redact(pasteable(command, report), report.secrets)


def _plain(value: Any, report: DoctorReport) -> Any:
    """The value as JSON knows it: text without secrets, times in UTC, files as the report names them."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return redact(value, report.secrets)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, report) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item, report) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(item, report) for item in value]
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "backslashreplace"), report.secrets)
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return _plain(value.value, report)
    if isinstance(value, Path):
        return report.shown(value)
    return redact(str(value), report.secrets)
