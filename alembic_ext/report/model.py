"""The value that a command returns and every renderer takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_ext.findings import CheckResult, Finding, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alembic_ext.facts.target import Target


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Versions of what looked."""

    alembic_ext: str
    alembic: str
    sqlalchemy: str
    python: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the version table says.

    :param exists: ``None`` when it could not be looked at.
    :param rows: the ids as stored.
    """

    version_table: str
    schema: str | None
    exists: bool | None
    rows: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class DatabaseReport:
    """One database: its target and record are ``None`` until known."""

    name: str
    target: Target | None
    record: Record | None
    schema_at: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class DoctorReport:
    """What ``doctor`` found.

    :param heads: effective heads of the revision files, as ``(id, message)`` pairs.
    :param notes: sentences that are no findings (a write of env.py's that was refused, a source passed over).
    :param invocation: how the user began (``("alembic", "-c", "conf/alembic.ini")``), for commands to paste.
    :param environment: variables the user named that a pasted command needs too (``CONFIG_FILE``).
    :param elapsed: seconds.
    :param root: the project root: files below it are shown relative to it.
    :param messages: the messages of revisions that are named in the report, by id.
    """

    exit_code: int
    tool: Tool
    heads: tuple[tuple[str, str], ...]
    databases: tuple[DatabaseReport, ...]
    results: tuple[CheckResult, ...]
    notes: tuple[str, ...] = ()
    verbose_notes: tuple[str, ...] = ()
    invocation: tuple[str, ...] = ("alembic",)
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    elapsed: float = 0.0
    command: str = "doctor"
    root: Path | None = None
    messages: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that count: suppressed ones are left out."""
        return tuple(
            finding
            for result in self.results
            if result.status.value != "suppressed"
            for finding in result.findings
        )

    @property
    def summary(self) -> dict[str, int]:
        """How many checks ended how, each counted once: found ones by their worst finding."""
        count = {"checks": len(self.results), "ok": 0, "error": 0, "warning": 0, "info": 0}
        count |= {"skipped": 0, "not_applicable": 0, "crashed": 0, "suppressed": 0}
        severities = list(Severity)
        for result in self.results:
            name = result.status.value.replace("-", "_")
            if result.status is Status.FOUND:
                name = min((finding.severity for finding in result.findings), key=severities.index).value
            count[name] += 1
        return count

    def shown(self, path: Path) -> str:
        """A file as the report names it: relative to the project root when it lies below it."""
        if self.root is not None and path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return str(path)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of ``--format json``."""
        from alembic_ext.report.json import as_dict  # noqa: PLC0415 - the renderer imports this model

        return as_dict(self)
