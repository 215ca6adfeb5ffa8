"""The report for people, against golden files: a change of layout shows up as a change of these files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alembic_ext.findings import NextAction, Severity, Status
from alembic_ext.report import DoctorReport, Record
from alembic_ext.report.text import compose, paint, render
from alembic_ext.settings import Source
from tests.report import samples

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture(autouse=True)
def _in_shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def matches(text: str, name: str) -> bool:
    """Compare with a golden file; ``UPDATE_GOLDEN=1`` writes it instead, to be read before it is committed."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    return True


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param("healthy", samples.healthy, id="healthy"),
        pytest.param("pending", samples.pending, id="pending"),
        pytest.param("broken", samples.broken, id="broken"),
        pytest.param("unreachable", samples.unreachable, id="unreachable"),
        pytest.param("several", samples.several, id="several"),
        pytest.param("crashed", samples.crashed, id="crashed"),
    ],
)
def test_layout(name: str, make: Callable[[], DoctorReport]) -> None:
    assert matches(render(make()), name)


def test_layout_with_verbose() -> None:
    assert matches(render(samples.broken(), verbose=True), "broken_verbose")
    assert matches(render(samples.crashed(), verbose=True), "crashed_verbose")


def test_layout_on_a_narrow_terminal() -> None:
    assert matches(render(samples.broken(), width=64), "broken_narrow")


def test_layout_where_the_encoding_knows_no_chinese() -> None:
    """Under LC_ALL=C nothing may fail, and nothing may be lost: what cannot be encoded is escaped."""
    text = render(samples.broken(), encoding="ascii")
    assert text.isascii()
    assert matches(text, "broken_ascii")


def test_colours_change_no_character() -> None:
    for make in (samples.healthy, samples.pending, samples.broken, samples.several):
        lines = compose(make())
        plain = [line.rstrip() for line in paint(lines).plain.splitlines()]
        assert plain == render(make()).splitlines()


def test_values_are_never_markup_or_control_sequences() -> None:
    """A revision message is text from a file: it may not colour, erase or reverse what we print."""
    finding = replace(
        samples.PENDING,
        summary="[red]\x1b[2J\x9b31m\u202eevil\u2066\r\nERROR  AX000 forged\x00\udce9",
        details=("[link=http://x]here[/link]",),
    )
    report = samples.report(samples.result("AX304", "pending-revisions", finding))

    text = render(report)
    assert r"[red]\x1b[2J\x9b31m\u202eevil\u2066\r\nERROR  AX000 forged\x00\udce9" in text
    assert "[link=http://x]here[/link]" in text
    assert paint(compose(report)).plain.replace("\n", "").isprintable()


def test_secrets_never_show() -> None:
    """Also where escaping for the terminal's encoding would have changed their form first."""
    secret = "p%w@r:d/#é"
    finding = replace(
        samples.UNKNOWN_REVISION,
        summary=f"cannot connect with {secret}",
        details=(f"mysql://u:{secret}@h/db", f"{secret!r}"),
        next_actions=(NextAction(kind="run-command", label=f"use {secret}", command=f"mysql -p'{secret}'"),),
    )
    crash = samples.result(
        "AX305",
        "overlapping-rows",
        replace(samples.UNKNOWN_REVISION, code="AX901", subject="AX305"),
        status=Status.CRASHED,
        traceback=f"Error: {secret}",
        because=secret,
    )
    report = samples.report(
        samples.result("AX301", "revision-not-found", finding),
        crash,
        samples.skipped("AX302", "unstamped", f"no {secret}"),
        notes=(f"note {secret}",),
        verbose_notes=(f"note {secret}",),
        secrets=(secret,),
    )

    for verbose in (False, True):
        for encoding in ("utf-8", "ascii"):
            text = render(report, verbose=verbose, encoding=encoding)
            assert "***" in text
            assert "p%w" not in text
            assert "r:d/#" not in text


def test_a_target_is_shown_whole_even_if_the_password_is_the_same_word() -> None:
    """Database, user and password are often all called ``shop``; hiding the name would hide the target."""
    report = samples.healthy(secrets=("shop",))

    assert render(report).startswith("mysql  app@127.0.0.1:3306/shop ")


def test_every_source_is_named() -> None:
    yaml = samples.ROOT / "conf" / "dev.yml"
    ini = samples.ROOT / "alembic.ini"

    def header(kind: str, via: str | None, path: Path | None) -> str:
        source = Source(kind=kind, via=via, path=path, key="database")
        databases = (samples.database(samples.mysql(source=source), None),)
        return render(samples.healthy(databases=databases)).splitlines()[0].split("   ")[1]

    assert header("config-file", "-x", yaml) == "from -x config_file=conf/dev.yml"
    assert header("config-file", "CONFIG_FILE", yaml) == "from CONFIG_FILE=conf/dev.yml"
    assert header("config-file", "setting", yaml) == "from conf/dev.yml (our setting config_file)"
    assert header("config-file", "config.yaml", samples.ROOT / "config.yaml") == "from config.yaml"
    assert header("ini", "sqlalchemy.url", ini) == "from sqlalchemy.url in alembic.ini"
    assert header("env-script", None, samples.ROOT / "alembic" / "env.py") == "from alembic/env.py"
    assert header("connection", None, None) == "from the connection that was handed over"
    assert (
        header("config-file", "CONFIG_FILE", Path("/etc/x.yml")) == f"from CONFIG_FILE={Path('/etc/x.yml')}"
    )


def test_where_the_database_is() -> None:
    def last(record: Record, heads: tuple[tuple[str, str], ...] = samples.HEADS) -> str:
        databases = (samples.database(samples.mysql(), record),)
        return (
            render(samples.healthy(databases=databases, heads=heads))
            .splitlines()[-1]
            .partition("all ok. ")[2]
        )

    many = tuple((f"{letter}1", "") for letter in "abcdef")
    assert last(samples.at("c3d4e5")) == 'Database is at c3d4e5 "add index on orders", the only head.'
    assert (
        last(samples.at(*(r for r, _ in many)), many)
        == "Database is at a1, b1, c1, d1 and 2 more, all 6 heads."
    )
    assert last(samples.at("old")) == "Database is at old; the head is c3d4e5."
    assert last(samples.at(None)) == "Database is at NULL; the head is c3d4e5."
    assert last(samples.at("old"), ()) == "Database is at old."
    assert last(samples.at()) == "No revision is recorded yet."
    assert last(samples.at(exists=None)) == ""


def test_nothing_checked_does_not_look_like_success() -> None:
    text = render(samples.report(exit_code=2))

    assert "No check ran, so nothing is known.        exit 2" in text
    assert "all ok" not in text


def test_a_long_list_of_skipped_checks_is_one_line() -> None:
    lines = [line for line in render(samples.unreachable()).splitlines() if line.startswith("skip")]

    assert lines == [
        "skip   9 checks  because AX108: " + " ".join(f"AX{number}" for number in range(301, 310))
    ]


def test_errors_come_before_warnings_before_notes() -> None:
    words = [line[:5].strip() for line in render(samples.broken()).splitlines() if "AX" in line[:10]]

    assert words == ["ERROR", "WARN", "note", "skip", "skip"]


def test_commands_are_never_broken() -> None:
    """A broken line could not be pasted."""
    command = "alembic merge " + " ".join(f"revision{number}" for number in range(40))
    finding = replace(
        samples.PENDING, next_actions=(NextAction(kind="run-command", label="合并分支", command=command),)
    )
    report = samples.report(samples.result("AX304", "pending-revisions", finding))

    assert any(line.strip() == command for line in render(report, width=60).splitlines())


def test_chinese_labels_line_up() -> None:
    actions = (
        NextAction(kind="run-command", label="升级", command="alembic upgrade head"),
        NextAction(kind="run-command", label="look first", command="alembic history"),
    )
    finding = replace(samples.PENDING, next_actions=actions)
    text = render(samples.report(samples.result("AX304", "pending-revisions", finding)))

    assert "1  升级         alembic upgrade head" in text
    assert "2  look first   alembic history" in text


def test_severity_is_told_without_colour() -> None:
    for severity, word in ((Severity.ERROR, "ERROR"), (Severity.WARNING, "WARN"), (Severity.INFO, "note")):
        finding = replace(samples.PENDING, severity=severity)
        assert f"\n{word}" in render(samples.report(samples.result("AX304", "pending-revisions", finding)))
