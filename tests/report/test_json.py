"""The report for tools: what it promises is in the schema, and the schema is checked against it."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from alembic_ext.checks import registered_checks
from alembic_ext.findings import NextAction, Repair, Safety, Severity, Status
from alembic_ext.report import RENDERERS, DoctorReport
from alembic_ext.report.json import as_dict
from tests.report import samples
from tests.report.schema import EVIDENCE, departures, schema

EVERY_SAMPLE = [
    pytest.param(samples.healthy, id="healthy"),
    pytest.param(samples.pending, id="pending"),
    pytest.param(samples.broken, id="broken"),
    pytest.param(samples.unreachable, id="unreachable"),
    pytest.param(samples.several, id="several"),
    pytest.param(samples.crashed, id="crashed"),
    pytest.param(samples.report, id="nothing-checked"),
]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("make", EVERY_SAMPLE)
def test_reports_keep_what_the_schema_promises(make: Callable[[], DoctorReport]) -> None:
    assert departures(json.loads(RENDERERS["json"](make()))) == []


def test_departures_are_noticed() -> None:
    """The helper that other tests rely on can fail."""
    report = json.loads(RENDERERS["json"](samples.broken()))
    del report["plan"]
    report["secretly"] = 1
    report["summary"]["ok"] = -1
    report["databases"][0]["target"]["source"]["via"] = "magic"
    report["findings"][0]["evidence"]["undescribed"] = True
    report["findings"][1]["evidence"] = {}

    found = "\n".join(departures(report))
    for word in ("'plan'", "$.secretly", "-1", "magic", "undescribed", "'reason'"):
        assert word in found


def test_the_whole_object() -> None:
    """The object of the design, key by key, from one small report."""
    report = samples.report(
        samples.result("AX101", "config-file-not-found"),
        samples.result("AX301", "revision-not-found", samples.UNKNOWN_REVISION),
        samples.skipped("AX401", "stamped-ahead"),
        databases=(samples.database(samples.mysql(), samples.at("9af31c")),),
        exit_code=1,
        invocation=("python", "run_alembic.py"),
    )

    assert json.loads(RENDERERS["json"](report)) == {
        "schema_version": 1,
        "command": "doctor",
        "ok": False,
        "exit_code": 1,
        "tool": {"alembic_ext": "0.1.0", "alembic": "1.20.1", "sqlalchemy": "2.1.9", "python": "3.11.7"},
        "heads": ["c3d4e5"],
        "databases": [
            {
                "name": "default",
                "target": {
                    "dialect": "mysql",
                    "driver": "pymysql",
                    "host": "127.0.0.1",
                    "port": 3306,
                    "database": "shop",
                    "schema": None,
                    "user": "app",
                    "server_version": "10.11.6-MariaDB",
                    "assumed": False,
                    "source": {
                        "kind": "config-file",
                        "path": "conf/dev.yml",
                        "key": "database.mysql",
                        "via": "CONFIG_FILE",
                    },
                },
                "record": {
                    "version_table": "alembic_version",
                    "schema": None,
                    "exists": True,
                    "rows": ["9af31c"],
                },
                "schema_at": None,
            }
        ],
        "summary": {
            "checks": 3,
            "ok": 1,
            "error": 1,
            "warning": 0,
            "info": 0,
            "skipped": 1,
            "not_applicable": 0,
            "crashed": 0,
            "suppressed": 0,
        },
        "checks": [
            {
                "code": "AX101",
                "slug": "config-file-not-found",
                "status": "ok",
                "because": None,
                "duration_ms": 1.25,
            },
            {
                "code": "AX301",
                "slug": "revision-not-found",
                "status": "found",
                "because": None,
                "duration_ms": 1.25,
            },
            {
                "code": "AX401",
                "slug": "stamped-ahead",
                "status": "skipped",
                "because": "AX301",
                "duration_ms": 1.25,
            },
        ],
        "findings": [
            {
                "code": "AX301",
                "slug": "revision-not-found",
                "severity": "error",
                "database": "default",
                "subject": "9af31c",
                "summary": "The database is at 9af31c, and no file in migrations/versions declares it.",
                "why": "upgrade, downgrade and history all stop here.",
                "location": {"path": None, "line": None, "table": None, "column": None},
                "evidence": dict(samples.UNKNOWN_REVISION.evidence),
                "repair": {"safety": "safe", "command": None, "reversible": True},
                "next_actions": [
                    {
                        "kind": "run-command",
                        "label": "get the file back",
                        "command": "git checkout feature/coupons -- migrations/versions",
                        "safety": "manual",
                    },
                    {
                        "kind": "run-command",
                        "label": "undo its changes",
                        "command": "python run_alembic.py downgrade -1",
                        "safety": "unsafe",
                    },
                    {
                        "kind": "choose",
                        "label": "wrong database? this URL came from /etc/shop/prod.yml, key database.url",
                        "command": None,
                        "safety": "manual",
                    },
                ],
            }
        ],
        "notes": [],
        "plan": None,
    }


def test_each_check_is_counted_once_by_its_worst_finding() -> None:
    two = samples.result(
        "AX301",
        "x",
        samples.PENDING,
        samples.UNKNOWN_REVISION,
        replace(samples.IGNORED, severity=Severity.INFO),
    )
    summary = samples.report(
        two,
        samples.result("AX302", "x", samples.PENDING),
        samples.result("AX303", "x", samples.IGNORED),
        samples.skipped("AX304", "x"),
        samples.result("AX305", "x", status=Status.NOT_APPLICABLE),
        samples.result("AX306", "x", samples.UNKNOWN_REVISION, status=Status.CRASHED),
        samples.result("AX307", "x", samples.UNKNOWN_REVISION, status=Status.SUPPRESSED),
        samples.result("AX308", "x"),
    ).summary

    assert summary == {
        "checks": 8,
        "ok": 1,
        "error": 1,
        "warning": 1,
        "info": 1,
        "skipped": 1,
        "not_applicable": 1,
        "crashed": 1,
        "suppressed": 1,
    }
    assert sum(summary.values()) == 2 * summary["checks"]


def test_suppressed_findings_are_left_out() -> None:
    report = samples.report(
        samples.result("AX301", "x", samples.UNKNOWN_REVISION, status=Status.SUPPRESSED, because="known")
    )

    assert as_dict(report)["findings"] == []
    assert as_dict(report)["checks"][0]["because"] == "known"


def test_values_become_what_json_knows() -> None:
    evidence = {
        "when": datetime(2026, 11, 22, 18, 41, 7, tzinfo=timezone(timedelta(hours=8))),
        "naive": datetime(2026, 11, 22, 10, 41, 7),  # noqa: DTZ001 - on purpose
        "day": date(2026, 11, 22),
        "file": samples.ROOT / "alembic" / "env.py",
        "set": {"b", "a"},
        "tuple": ("商店", None, 1.5, True),
        "bytes": b"AAA1 \xff",
        "nan": float("nan"),
        "severity": Severity.ERROR,
        "nested": {1: [Path("/elsewhere")]},
    }
    report = samples.report(samples.result("AX304", "x", replace(samples.PENDING, evidence=evidence)))

    assert json.loads(RENDERERS["json"](report))["findings"][0]["evidence"] == {
        "when": "2026-11-22T10:41:07Z",
        "naive": "2026-11-22T10:41:07Z",
        "day": "2026-11-22",
        "file": "alembic/env.py",
        "set": ["a", "b"],
        "tuple": ["商店", None, 1.5, True],
        "bytes": "AAA1 \\xff",
        "nan": None,
        "severity": "error",
        "nested": {"1": [str(Path("/elsewhere"))]},
    }


def test_secrets_never_show_and_structure_stays() -> None:
    """A password may be the word ``error``: the free text loses it, the keys and codes do not."""
    secret = "p%w@r:d/#é"
    finding = replace(
        samples.UNKNOWN_REVISION,
        subject=secret,
        summary=f"error {secret}",
        why=secret,
        evidence={"text": [f"mysql://u:{secret}@h/db"], "error": secret},
        repair=Repair(safety=Safety.SAFE, command=f"mysql -p'{secret}'"),
        next_actions=(NextAction(kind="run-command", label=secret, command=f"mysql -p'{secret}'"),),
    )
    report = samples.report(
        samples.result("AX301", "revision-not-found", finding),
        samples.skipped("AX302", "unstamped", secret),
        secrets=(secret, "error"),
    )

    text = RENDERERS["json"](report)
    assert "p%w" not in text
    assert "r:d/#" not in text
    assert json.loads(text)["findings"][0]["severity"] == "error"
    assert json.loads(text)["findings"][0]["summary"] == "*** ***"


def test_every_check_describes_its_evidence() -> None:
    """A new check adds its entry to ``$defs.evidence`` of schema.json."""
    assert sorted(EVIDENCE) == sorted(check.code for check in registered_checks())


@pytest.mark.parametrize("check", [pytest.param(check, id=check.code) for check in registered_checks()])
def test_evidence_keys_that_a_check_writes_are_described(check: Any) -> None:
    keys = EVIDENCE[check.code].get("properties", {})

    assert set(EVIDENCE[check.code].get("required", [])) <= set(keys)
    assert _evidence_keys(Path(str(sys.modules[check.module].__file__))) - set(keys) == set()


def _evidence_keys(file: Path) -> set[str]:
    """The keys of every literal ``evidence={...}`` in a check's source."""
    return {
        key.value
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.keyword) and call.arg == "evidence" and isinstance(call.value, ast.Dict)
        for key in call.value.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
