"""Whether a JSON report keeps what schema.json promises, and promises nothing it does not keep."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from alembic_ext.report.json import SCHEMA

schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))

EVIDENCE: dict[str, dict[str, Any]] = {
    entry["if"]["properties"]["code"]["const"]: entry["then"]["properties"]["evidence"]
    for entry in schema["$defs"]["evidence"]["allOf"]
}
"""Code -> the schema of its findings' evidence."""


def departures(report: Any) -> list[str]:
    """Everything in which a report departs from the schema; a key that is not described is one too."""
    errors = [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(report)
    ]
    return errors + _not_described(report, schema, "$") + _evidence_not_described(report)


def _not_described(value: Any, rule: Any, path: str) -> list[str]:
    while isinstance(rule, dict) and "properties" not in rule and "$ref" in rule:
        rule = schema["$defs"][rule["$ref"].rpartition("/")[2]]
    if not isinstance(rule, dict):
        return []
    if "anyOf" in rule:  # null, or this
        return _not_described(value, rule["anyOf"][-1], path)
    if isinstance(value, list):
        return [
            key
            for number, item in enumerate(value)
            for key in _not_described(item, rule.get("items", {}), f"{path}[{number}]")
        ]
    if not isinstance(value, dict) or "properties" not in rule:
        return []
    known = rule["properties"]
    return [f"{path}.{key}: not described" for key in value if key not in known] + [
        key
        for name, item in value.items()
        for key in _not_described(item, known.get(name, {}), f"{path}.{name}")
    ]


def _evidence_not_described(report: Any) -> list[str]:
    return [
        f"evidence of {finding['code']}: {key}: not described"
        for finding in report["findings"]
        for key in finding["evidence"]
        if key not in EVIDENCE.get(finding["code"], {}).get("properties", {})
    ]
