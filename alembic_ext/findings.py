"""The words of a diagnosis: what is wrong, how sure the cure is, and what to do next. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class Severity(Enum):
    """How bad a finding is: an error breaks or loses something, a warning works but should be mended soon."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Safety(Enum):
    """How sure a repair is: safe changes no user table and is reversible, manual is only ever shown."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    MANUAL = "manual"


class Status(Enum):
    """What became of a check, in the order in which a report prefers them when databases differ."""

    CRASHED = "crashed"
    FOUND = "found"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    OK = "ok"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a finding is: a line of a file, or a column of a table."""

    path: Path | None = None
    line: int | None = None
    table: str | None = None
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class Repair:
    """The strongest repair for a finding.

    ``command`` is ``None`` when nothing we have performs it.
    """

    safety: Safety
    command: str | None = None
    reversible: bool = True


@dataclass(frozen=True, kw_only=True)
class NextAction:
    """One thing a person can do now.

    :param kind: ``run-command``, ``edit-file``, ``open-url`` or ``choose``.
    :param label: a short sentence in the reader's terms.
    :param command: what to paste, or ``None``. Alembic commands begin with ``alembic`` here; the report
        rewrites them to begin as the user began.
    """

    kind: str
    label: str
    command: str | None = None
    safety: Safety = Safety.MANUAL


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, with the evidence for it.

    :param subject: the thing itself: a revision id, a file, a table, a key.
    :param summary: one line of fact naming the thing and both sides.
    :param why: why it matters, in one or two sentences.
    :param evidence: JSON-able facts the verdict rests on; its keys are interface, per code.
    :param details: further lines for people, each already complete.
    """

    code: str
    slug: str
    severity: Severity
    subject: str
    summary: str
    why: str
    database: str | None = None
    location: Location = field(default_factory=Location)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    details: tuple[str, ...] = ()
    repair: Repair = field(default_factory=lambda: Repair(safety=Safety.MANUAL, reversible=False))
    next_actions: tuple[NextAction, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What became of one check, over all databases.

    :param because: for a skipped or not-applicable check, the reason: a code (``AX108``) or a sentence.
    :param duration_ms: milliseconds spent in the rule.
    :param traceback: for a crashed check, the traceback's text, with secrets removed.
    """

    code: str
    slug: str
    status: Status
    because: str | None = None
    duration_ms: float = 0.0
    findings: tuple[Finding, ...] = ()
    traceback: str | None = None
