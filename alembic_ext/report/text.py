"""The report for people: what is wrong first, what is fine in one line.

A report is composed as lines of styled pieces. Joined, they are the plain text; ``paint`` hands the same lines to
rich, which a terminal with colours needs and nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_ext.findings import CheckResult, Finding, NextAction, Safety, Severity, Status
from alembic_ext.redaction import redact
from alembic_ext.report.escaping import cell_width, in_local_time, padded, visible, wrapped
from alembic_ext.report.paste import pasteable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.text import Text

    from alembic_ext.facts.target import Target
    from alembic_ext.report.model import DatabaseReport, DoctorReport, Record
    from alembic_ext.settings import Source

Line = tuple[tuple[str, str], ...]
"""One line: pieces of (style, text)."""

INDENT = 7
"""Where text begins below the word that opens a block (``ERROR``, ``WARN``, ``note``, ``skip``)."""

_LONG_LINE = 110
_LONG_LABEL = 36
_FEW = 4
_NARROW = 40

_SEVERITY = {
    Severity.ERROR: ("bold red", "ERROR"),
    Severity.WARNING: ("yellow", "WARN"),
    Severity.INFO: ("cyan", "note"),
}
_STATUS = {
    Status.CRASHED: ("bold red", "CRASH"),
    Status.FOUND: ("yellow", "found"),
    Status.SUPPRESSED: ("dim", "off"),
    Status.SKIPPED: ("dim", "skip"),
    Status.OK: ("green", "ok"),
    Status.NOT_APPLICABLE: ("dim", "n/a"),
}
_COUNTED = {
    "error": ("error", "errors"),
    "warning": ("warning", "warnings"),
    "info": ("note", "notes"),
    "crashed": ("crashed", "crashed"),
    "skipped": ("skipped", "skipped"),
    "suppressed": ("suppressed", "suppressed"),
    "not_applicable": ("not applicable", "not applicable"),
    "ok": ("ok", "ok"),
}


def render(
    report: DoctorReport, *, verbose: bool = False, width: int | None = None, encoding: str = "utf-8"
) -> str:
    """The whole report as plain text.

    :param width: where to break lines; ``None`` leaves that to the reader. Commands are never broken.
    :param encoding: of the stream it is meant for: what it cannot encode is escaped.
    """
    lines = compose(report, verbose=verbose, width=width, encoding=encoding)
    return "".join("".join(text for _style, text in line).rstrip() + "\n" for line in lines)


def paint(lines: Iterable[Line]) -> Text:
    """The lines for a terminal with colours. Nothing in them is read as markup."""
    from rich.text import Text  # noqa: PLC0415 - only terminals need it, and it is slow to load

    painted = Text()
    for line in lines:
        for style, text in line:
            painted.append(text, style)
        painted.append("\n")
    return painted


def compose(
    report: DoctorReport, *, verbose: bool = False, width: int | None = None, encoding: str = "utf-8"
) -> list[Line]:
    """The report's lines, top to bottom: where we looked, what is wrong, what was not looked at, the sum."""
    page = _Page(
        report, verbose=verbose, width=width if width and width >= _NARROW else None, encoding=encoding
    )
    if len(report.databases) > 1:
        _several_databases(page)
    else:
        page.header(report.databases[0] if report.databases else None)
        page.findings(report.findings)
    page.skipped()
    for note in report.notes:
        page.blank_before_block()
        page.say(note, opening=(_SEVERITY[Severity.INFO]))
    page.checks()
    page.summary()
    return page.lines


def _several_databases(page: _Page) -> None:
    report = page.report
    names = {database.name for database in report.databases}
    for database in report.databases:
        if page.lines:
            page.lines.append(())
        page.header(database)
        page.say(_position(database.record, report))
        page.findings([finding for finding in report.findings if finding.database == database.name])
    if of_the_project := [finding for finding in report.findings if finding.database not in names]:
        page.lines += [(), (("bold", "For all databases"),)]
        page.findings(of_the_project)


@dataclass
class _Page:
    """The lines so far. Everything that is not our own wording comes in through ``clean``."""

    report: DoctorReport
    verbose: bool
    width: int | None
    encoding: str
    lines: list[Line] = field(default_factory=list)

    def clean(self, text: str) -> str:
        return visible(in_local_time(redact(text, self.report.secrets)), self.encoding)

    def exact(self, text: str) -> str:
        """Like ``clean`` for a name, a path or an id, which no secret can hide in."""
        return visible(text, self.encoding)

    def blank_before_block(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append(())

    def say(self, text: str, *, indent: int = INDENT, opening: tuple[str, str] | None = None) -> None:
        """A sentence, broken where it is too long, below or beside the word that opens the block."""
        if not text:
            return
        parts = wrapped(self.clean(text), self.width - indent) if self.width else iter([self.clean(text)])
        for part in parts:
            start = (opening[0], padded(opening[1], indent)) if opening else ("", " " * indent)
            self.lines.append((start, ("", part)))
            opening = None

    def header(self, database: DatabaseReport | None) -> None:
        """Which database, from where: the first thing to doubt when a revision is unknown."""
        several = len(self.report.databases) > 1
        name: Line = (("bold", self.exact(database.name)), ("", "  ")) if several and database else ()
        tool = ("dim", f"   alembic {self.report.tool.alembic}")
        target = database.target if database else None
        if target is None:
            self.lines.append((*name, ("bold", "no database resolved"), tool))
        else:
            source = _source(target.source, self.report)
            assumed = "   (assumed: env.py was not asked)" if target.assumed else ""
            address = f"{target.dialect}  {_address(target)}"
            self.lines.append(
                (*name, ("bold", self.exact(address)), ("", self.exact(f"   from {source}{assumed}")), tool)
            )
        if self.verbose:
            self.say(_more_about(target) if target else "")
            for note in self.report.verbose_notes:
                self.say(note)

    def findings(self, findings: Iterable[Finding]) -> None:
        order = list(Severity)
        ordered = sorted(findings, key=lambda finding: order.index(finding.severity))
        column = max(
            (
                cell_width(self.title(f))
                for f in ordered
                if f.severity is not Severity.ERROR and len(self.title(f)) <= _LONG_LABEL
            ),
            default=0,
        )
        for finding in ordered:
            self.blank_before_block()
            self.finding(finding, column)

    def finding(self, finding: Finding, column: int) -> None:
        style, word = _SEVERITY[finding.severity]
        start: Line = ((style, f"{word:<{INDENT}}"), ("bold", self.title(finding)))
        summary = self.clean(finding.summary)
        beside = " " * max(2, column - cell_width(self.title(finding)) + 2)
        room = (self.width or 10_000) - INDENT - cell_width(self.title(finding) + beside)
        if finding.severity is not Severity.ERROR and cell_width(summary) <= room:
            self.lines.append((*start, ("", beside + summary)))
        else:
            self.lines.append(start)
            self.say(finding.summary)
        where = self.where(finding)
        if where and where not in summary:
            self.say(f"In {where}")
        for detail in finding.details:
            self.say(detail)
        if finding.why and (self.verbose or finding.severity is not Severity.INFO):
            self.say(f"Why it matters: {finding.why}")
        if finding.code == "AX901" and self.verbose:
            self.traceback(finding.subject)
        self.actions(finding)

    def title(self, finding: Finding) -> str:
        """The check, and of which database, where there are several."""
        if finding.database is None or len(self.report.databases) < 2:  # noqa: PLR2004
            return _title(finding)
        return f"{_title(finding)} [{self.exact(finding.database)}]"

    def where(self, finding: Finding) -> str:
        location = finding.location
        if location.path is not None:
            path = self.report.shown(location.path)
            return path if location.line is None else f"{path}:{location.line}"
        if location.table is not None:
            return location.table if location.column is None else f"{location.table}.{location.column}"
        return ""

    def traceback(self, code: str) -> None:
        for result in self.report.results:
            if result.code == code and result.traceback:
                for line in result.traceback.splitlines():
                    self.lines.append((("dim", " " * INDENT + self.clean(line.expandtabs())),))

    def actions(self, finding: Finding) -> None:
        """What to do now: one thing, or a numbered choice."""
        actions = list(finding.next_actions)
        command = finding.repair.command
        if command is not None and command not in {action.command for action in actions}:
            actions.append(
                NextAction(kind="run-command", label="repair", command=command, safety=finding.repair.safety)
            )
        if len(actions) == 1:
            self.action(actions[0], lead="Next: " if actions[0].label else "", label_column=0, indent=INDENT)
        elif actions:
            self.lines.append((("", " " * INDENT + "Do one of:"),))
            labels = [cell_width(self.clean(action.label)) for action in actions if action.command]
            column = max((width for width in labels if width <= _LONG_LABEL), default=0)
            for number, action in enumerate(actions, 1):
                self.action(action, lead=f"{number}  ", label_column=column, indent=INDENT + 2)

    def action(self, action: NextAction, *, lead: str, label_column: int, indent: int) -> None:
        label = self.clean(action.label)
        command = [] if action.command is None else pasteable(action.command, self.report).splitlines()
        shown = [visible(redact(line, self.report.secrets), self.encoding) for line in command]
        unsafe = ("yellow", "   [unsafe]") if action.safety is Safety.UNSAFE else ("", "")
        beside = padded(label, label_column) + "   " if label else ""
        whole = cell_width(" " * indent + lead + beside + "".join(shown) + unsafe[1])
        if shown and len(shown) == 1 and whole <= (self.width or _LONG_LINE):
            self.lines.append((("", " " * indent + lead + beside), ("bold", shown[0]), unsafe))
            return
        before = len(self.lines)
        parts = list(wrapped(label, self.width - indent - len(lead))) if self.width else [label] * bool(label)
        for part in parts:
            opening = lead if len(self.lines) == before else " " * len(lead)
            self.lines.append((("", " " * indent + opening + part),))
        for line in shown:
            first = len(self.lines) == before
            self.lines.append(
                (("", " " * indent + (lead if first else " " * (len(lead) + 3))), ("bold", line))
            )
        if unsafe[1]:
            self.lines[-1] = (*self.lines[-1], unsafe)

    def skipped(self) -> None:
        """What was not looked at, and why; many skipped for one reason are one line."""
        if self.verbose:
            return
        reasons: dict[str, list[CheckResult]] = {}
        for result in self.report.results:
            if result.status is Status.SKIPPED:
                reasons.setdefault(result.because or "", []).append(result)
        if reasons:
            self.blank_before_block()
        for because, results in reasons.items():
            if len(results) > _FEW:
                codes = " ".join(result.code for result in results)
                self.say(
                    f"{len(results)} checks  because {because}: {codes}", opening=_STATUS[Status.SKIPPED]
                )
            else:
                column = max(cell_width(_title(result)) for result in results)
                for result in results:
                    self.check(result, column, because)

    def checks(self) -> None:
        """Every check, for ``--verbose``."""
        if not self.verbose or not self.report.results:
            return
        self.blank_before_block()
        column = max(cell_width(_title(result)) for result in self.report.results)
        for result in self.report.results:
            self.check(result, column, result.because)

    def check(self, result: CheckResult, column: int, because: str | None) -> None:
        style, word = _STATUS[result.status]
        reason = self.clean(_because(because)) if because else ""
        if not reason and self.verbose:
            reason = f"{result.duration_ms:.1f} ms"
        self.lines.append(((style, f"{word:<{INDENT}}"), ("", f"{padded(_title(result), column)}  {reason}")))

    def summary(self) -> None:
        """How many checks ended how; and, when nothing is wrong, where the database is."""
        report = self.report
        count = report.summary
        if not report.results:
            self.blank_before_block()
            self.lines.append((("bold red", "No check ran, so nothing is known."), ("", _exit(report))))
            return
        fine = all(not count[name] for name in ("error", "warning", "crashed", "skipped"))
        if len(self.lines) > 1 or not fine:
            self.blank_before_block()
        checks = f"{count['checks']} check{'s'[: count['checks'] != 1]} in {report.elapsed:.1f} s: "
        pieces = "all ok" if count["ok"] == count["checks"] else ", ".join(_counts(count))
        position = (
            _position(report.databases[0].record, report) if fine and len(report.databases) == 1 else ""
        )
        self.lines.append(
            (
                ("bold", checks),
                ("green" if fine else "bold", f"{pieces}."),
                ("", self.exact(f" {position}" if position else "")),
                ("", _exit(report)),
            )
        )
        worst = next(
            (f for s in (Severity.ERROR, Severity.WARNING) for f in report.findings if f.severity is s), None
        )
        if worst is not None:
            pasted = pasteable(f"alembic doctor --explain {worst.code}", report)
            command = self.exact(redact(pasted, report.secrets))  # options hold whatever the user typed
            self.lines.append((("dim", f"Details: {command}        Report for tools: --format json"),))


def _title(item: Finding | CheckResult) -> str:
    return f"{item.code} {item.slug}"


def _because(reason: str) -> str:
    """A code needs the word; a sentence speaks for itself."""
    return f"because {reason}" if reason.startswith("AX") and reason[2:].isdigit() else reason


def _exit(report: DoctorReport) -> str:
    return f"        exit {report.exit_code}" if report.exit_code else ""


def _counts(count: dict[str, int]) -> Iterator[str]:
    for name, (one, many) in _COUNTED.items():
        if count[name]:
            yield f"{count[name]} {one if count[name] == 1 else many}"


def _address(target: Target) -> str:
    if target.dialect == "sqlite":
        return target.database or ":memory:"
    host = target.host or "localhost"
    if ":" in host:
        host = f"[{host}]"
    user = f"{target.user}@" if target.user else ""
    port = f":{target.port}" if target.port else ""
    schema = f"   schema {target.schema}" if target.schema and target.schema != "public" else ""
    return f"{user}{host}{port}/{target.database or ''}{schema}"


def _source(source: Source, report: DoctorReport) -> str:
    path = report.shown(source.path) if source.path else ""
    if source.via == "-x":
        return f"-x config_file={path}"
    if source.via == "CONFIG_FILE":
        return f"CONFIG_FILE={path}"
    if source.via == "setting":
        return f"{path} (our setting config_file)"
    if source.via == "sqlalchemy.url":
        return f"sqlalchemy.url in {path}" if path else "sqlalchemy.url"
    if source.kind == "env-script":
        return path or "env.py"
    if source.kind == "connection":
        return "the connection that was handed over"
    return path or source.kind


def _more_about(target: Target) -> str:
    facts = {"driver": target.driver, "server": target.server_version, "key": target.source.key}
    return "   ".join(f"{name} {value}" for name, value in facts.items() if value)


def _position(record: Record | None, report: DoctorReport) -> str:
    """Which revisions the database records, and how they stand to the heads."""
    if record is None or record.exists is None:
        return ""
    if not record.rows:
        return "No revision is recorded yet."
    messages = {**report.messages, **dict(report.heads)}
    heads = [revision for revision, _message in report.heads]
    at = _few([_named(revision, messages) for revision in record.rows])
    if not heads:
        return f"Database is at {at}."
    if set(record.rows) == set(heads):
        return f"Database is at {at}, " + (
            "the only head." if len(heads) == 1 else f"all {len(heads)} heads."
        )
    return (
        f"Database is at {at}; the " + ("head is " if len(heads) == 1 else "heads are ") + f"{_few(heads)}."
    )


def _named(revision: str | None, messages: dict[str, str]) -> str:
    if revision is None:
        return "NULL"
    if not revision.strip() or revision != revision.strip():
        return repr(revision)
    message = messages.get(revision)
    return f'{revision} "{message}"' if message else revision


def _few(items: list[str]) -> str:
    more = len(items) - _FEW
    return ", ".join(items[:_FEW]) + (f" and {more} more" if more > 0 else "")
