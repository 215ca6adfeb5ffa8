"""What the checks are, from their own docstrings. Works offline, and without a project."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

from alembic_ext.checks import registered_checks
from alembic_ext.errors import AlembicExtError

if TYPE_CHECKING:
    from alembic_ext.checks import Check

_HEADING = re.compile(r"^## (?P<heading>.+)$", re.MULTILINE)


def explain(code_or_slug: str) -> str:
    """One check: what it looks for, why it matters, how it is mended.

    :raises AlembicExtError: no check has this code or slug.
    """
    wanted = code_or_slug.strip().lower()
    for check in registered_checks():
        if wanted in (check.code.lower(), check.slug):
            severity, safety = check.severity.value, check.safety.value
            return f"{check.code} {check.slug}   {severity}, repair: {safety}\n\n{_plain(documentation(check))}\n"
    raise AlembicExtError(
        f"No check is called {code_or_slug!r}.", hint="'alembic doctor --list-checks' lists them all."
    )


def list_checks() -> str:
    """Every check on one line."""
    checks = registered_checks()
    column = max(len(check.slug) for check in checks)
    return "".join(
        f"{check.code}  {check.slug:<{column}}  {check.severity.value:<7}  {check.safety.value:<6}  {first_line(check)}\n"
        for check in checks
    )


def list_checks_as_json() -> str:
    """Every check as an object."""
    checks = [
        {
            "code": check.code,
            "slug": check.slug,
            "severity": check.severity.value,
            "safety": check.safety.value,
            "summary": first_line(check),
        }
        for check in registered_checks()
    ]
    return json.dumps({"schema_version": 1, "checks": checks}, ensure_ascii=False, indent=2) + "\n"


def documentation(check: Check) -> str:
    """The docstring of the check's module, which is its documentation."""
    return (sys.modules[check.module].__doc__ or "Python runs without docstrings (-OO).").strip()


def first_line(check: Check) -> str:
    """The first sentence below the first heading."""
    prose = " ".join(_HEADING.sub("", documentation(check), count=1).strip().partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[.!?])\s(?=[A-Z])", prose, maxsplit=1)[0]
    return re.sub(":$", ".", sentence)  # what follows it is a list


def _plain(markdown: str) -> str:
    """Headings as plain lines, what is below them indented."""
    lines: list[str] = []
    for line in markdown.splitlines():
        heading = _HEADING.match(line)
        lines.append(heading["heading"] if heading else f"  {line}".rstrip())
    return "\n".join(lines)
