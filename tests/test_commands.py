"""The Python API: values and exceptions, nothing printed, nothing ended."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config

import alembic_ext
from alembic_ext.checks import check_crashed, registered_checks, run_checks
from alembic_ext.checks.check import CannotTellError, Check
from alembic_ext.errors import AlembicExtError
from alembic_ext.facts import DatabaseFacts, Facts, NotApplicable, Unavailable
from alembic_ext.findings import Finding, Severity, Status
from tests.project import Project


def codes(report: alembic_ext.DoctorReport) -> set[str]:
    return {finding.code for finding in report.findings}


def test_a_healthy_project_has_no_findings_and_is_ok(tmp_path: Path) -> None:
    project = Project.create(tmp_path, at="head", models=True)

    report = alembic_ext.doctor(Config(project.ini))

    assert (report.exit_code, report.ok, codes(report)) == (0, True, set())
    assert [head for head, _ in report.heads] == ["ccc3"]
    (database,) = report.databases
    assert database.target is not None
    assert database.target.database == str(tmp_path / "app.db")
    assert database.record is not None
    assert database.record.rows == ("ccc3",)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = Project.create(tmp_path, at="head")
    capfd.readouterr()

    alembic_ext.doctor(Config(project.ini))

    assert capfd.readouterr() == ("", "")


def test_pending_revisions_are_a_note_and_an_error_when_the_head_is_required(tmp_path: Path) -> None:
    config = Config(Project.create(tmp_path, at="aaa1").ini)

    assert (alembic_ext.doctor(config).exit_code, codes(alembic_ext.doctor(config))) == (0, {"AX304"})
    assert alembic_ext.doctor(config, require_head=True).exit_code == 1
    assert alembic_ext.doctor(config, fail_on="info").exit_code == 1
    assert alembic_ext.doctor(config, fail_on="never", require_head=True).exit_code == 0


def test_an_empty_database_is_an_error_when_the_head_is_required(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    (tmp_path / "app.db").touch()

    report = alembic_ext.doctor(Config(project.ini), require_head=True)

    assert (report.exit_code, codes(report)) == (1, {"AX303"})


def test_a_database_that_was_not_seen_gives_no_verdict_whatever_fails(tmp_path: Path) -> None:
    config = Config(Project.create(tmp_path).ini)

    assert alembic_ext.doctor(config).exit_code == 2
    assert alembic_ext.doctor(config, fail_on="never").exit_code == 2


@pytest.mark.parametrize("code", ["AX106", "AX107", "AX108", "AX109", "AX110", "AX111", "AX118", "AX304"])
@pytest.mark.parametrize("fail_on", ["error", "never"])
def test_one_check_alone_gives_no_verdict_on_a_database_that_was_not_seen(
    tmp_path: Path, code: str, fail_on: str
) -> None:
    config = Config(Project.create(tmp_path).ini)

    assert alembic_ext.doctor(config, only=[code], fail_on=fail_on).exit_code == 2


def test_what_comes_after_the_failure_was_not_examined(tmp_path: Path) -> None:
    report = alembic_ext.doctor(Config(Project.create(tmp_path).ini))

    outcome = {result.code: (result.status, result.because) for result in report.results}
    assert outcome["AX107"] == (Status.OK, None)
    assert outcome["AX106"][0] is Status.FOUND
    for code in ("AX118", "AX108", "AX109", "AX110", "AX111"):
        assert outcome[code] == (Status.SKIPPED, "AX106")


def test_nothing_was_connected_to_when_env_py_fails_first(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    project.write_env(text="raise ValueError")
    project.write_ini({"sqlalchemy.url": ""})

    report = alembic_ext.doctor(Config(project.ini))

    outcome = {result.code: result.status for result in report.results}
    assert outcome["AX111"] is Status.FOUND
    assert {outcome[code] for code in ("AX106", "AX107", "AX108", "AX109")} == {Status.SKIPPED}
    assert report.exit_code == 2


@pytest.mark.parametrize("fail_on", ["error", "never"])
def test_the_second_of_several_databases_that_was_not_seen_gives_no_verdict(
    tmp_path: Path, fail_on: str
) -> None:
    project = Project.create(tmp_path, at="head")
    project.write_env(
        text=f"""
import sqlalchemy as sa
from alembic import context

for url in ({project.url!r}, "sqlite:///{tmp_path}/gone.db"):
    with sa.create_engine(url).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
    )

    report = alembic_ext.doctor(Config(project.ini), fail_on=fail_on)

    assert codes(report) == {"AX106"}
    assert len(report.databases) == 2
    assert report.exit_code == 2


@pytest.mark.parametrize("options", [{"only": ["AX202"]}, {"skip": ["AX303", "AX304"]}, {}])
def test_the_required_head_wins_over_what_is_left_out(tmp_path: Path, options: dict[str, list[str]]) -> None:
    config = Config(Project.create(tmp_path, at="aaa1", own={"ignore": "AX304 = later"}).ini)

    assert (
        alembic_ext.doctor(
            config, require_head=True, only=options.get("only", []), skip=options.get("skip", [])
        ).exit_code
        == 1
    )


def test_checks_of_files_alone_need_no_database(tmp_path: Path) -> None:
    """A pre-commit hook has none."""
    project = Project.create(tmp_path)

    report = alembic_ext.doctor(Config(project.ini), only=["AX202", "duplicate-revision-id"])

    assert [(result.code, result.status) for result in report.results] == [
        ("AX202", Status.OK),
        ("AX203", Status.OK),
    ]
    assert report.exit_code == 0


def test_no_check_at_all_is_no_health(tmp_path: Path) -> None:
    """An empty run must never look like success."""
    project = Project.create(tmp_path, at="head")

    report = alembic_ext.doctor(Config(project.ini), only=["AX202"], skip=["AX202"])

    assert (report.exit_code, report.results) == (2, ())


@pytest.mark.parametrize("rows", [("aaa1",), ("aaa1", "ccc3"), ("CCC3",), ()])
def test_nothing_that_writes_to_a_wrong_database_is_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: tuple[str, ...]
) -> None:
    project = Project.create(tmp_path, at="head", models=True)
    project.set_rows(*rows)
    before = alembic_ext.doctor(Config(project.ini))
    project.write_config(f"database: 'sqlite:///{tmp_path}/other.db'\n", "prod.yaml")
    monkeypatch.setenv("CONFIG_FILE", str(tmp_path / "prod.yaml"))

    report = alembic_ext.doctor(Config(project.ini))

    assert codes(report) == codes(before) | {"AX105"}
    (other,) = (finding for finding in report.findings if finding.code != "AX105")
    assert [(action.label, action.command) for action in other.next_actions] == [
        ("Nothing, before AX105 is settled.", None)
    ]
    assert "before AX105" not in str(before.findings[0].next_actions)


def test_a_check_that_is_skipped_for_one_that_did_not_run_gives_no_verdict(tmp_path: Path) -> None:
    """Nobody says what is wrong with the files then."""
    project = Project.create(tmp_path, at="aaa1")
    project.write("migrations/versions/x.py", "(")

    assert alembic_ext.doctor(Config(project.ini), only=["AX304"], require_head=True).exit_code == 2
    assert alembic_ext.doctor(Config(project.ini), only=["AX304", "AX202"]).exit_code == 1


def test_a_write_that_is_refused_many_times_is_one_note(tmp_path: Path) -> None:
    project = Project.create(tmp_path, at="head")
    env = project.root / "migrations" / "env.py"
    env.write_text(
        env.read_text("utf-8").replace(
            "        with context.begin_transaction",
            "        for _ in range(3):\n"
            "            try:\n"
            "                connection.exec_driver_sql('CREATE TABLE x (id INTEGER)')\n"
            "            except Exception:\n"
            "                pass\n"
            "        with context.begin_transaction",
        ),
        "utf-8",
    )
    report = alembic_ext.doctor(Config(project.ini))

    assert [note for note in report.notes if "CREATE TABLE" in note] == list(report.notes)
    assert [note.endswith("because the doctor never writes (3 times).") for note in report.notes] == [True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["AX999"]}, "No check is called 'AX999'."),
        ({"skip": ["no-such-check"]}, "No check is called 'no-such-check'."),
        ({"fail_on": "sometimes"}, "fail_on is one of error, warning, info, never, not 'sometimes'."),
        ({"database": "billing"}, "env.py migrates no database called 'billing'."),
    ],
)
def test_an_argument_that_names_nothing_is_refused(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    config = Config(Project.create(tmp_path, at="head").ini)

    with pytest.raises(AlembicExtError) as raised:
        alembic_ext.doctor(config, **options)  # type: ignore[arg-type]

    assert raised.value.message == message


def test_a_folder_without_a_project_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALEMBIC_CONFIG", raising=False)

    with pytest.raises(AlembicExtError, match="There is no Alembic project here"):
        alembic_ext.doctor()


def test_an_ignored_check_is_suppressed_and_counted(tmp_path: Path) -> None:
    project = Project.create(tmp_path, at="head", own={"ignore": "AX204 = we know"})
    project.revision("ddd4", "gone", "pass")

    report = alembic_ext.doctor(Config(project.ini))

    (result,) = (result for result in report.results if result.code == "AX204")
    assert (result.status, result.because) == (Status.SUPPRESSED, "we know")
    assert "AX204" not in codes(report)


def test_the_callers_config_is_left_as_it_was(tmp_path: Path) -> None:
    config = Config(Project.create(tmp_path, at="head").ini)
    before = (dict(config.attributes), config.get_main_option("script_location"))

    alembic_ext.doctor(config)

    assert (dict(config.attributes), config.get_main_option("script_location")) == before


def _check(rule: object, code: str = "AX999") -> Check:
    check = Check(module="checks.invented", code=code, severity=Severity.WARNING)
    check.rule(rule)  # type: ignore[arg-type]
    return check


def _facts(value: object) -> Facts:
    return Facts({"history": value}, (DatabaseFacts("default", {"target": value}),))


def test_a_check_that_raises_is_a_result_and_the_others_go_on() -> None:
    def crashes(history: object) -> object:
        raise RuntimeError("secret mistake")

    def speaks(history: object) -> object:
        yield Finding(code="AX998", slug="speaks", severity=Severity.INFO, subject="s", summary="s", why="w")

    crashed, found = run_checks(_facts(1), [_check(crashes), _check(speaks, "AX998")])

    assert (crashed.status, crashed.findings[0].code) == (Status.CRASHED, check_crashed.check.code)
    assert "secret mistake" in (crashed.traceback or "")
    assert found.status is Status.FOUND


@pytest.mark.parametrize(
    ("value", "status", "because"),
    [
        (Unavailable("no answer", because="AX108"), Status.SKIPPED, "AX108"),
        (Unavailable("no answer"), Status.SKIPPED, "no answer"),
        (NotApplicable("no git"), Status.NOT_APPLICABLE, "no git"),
        ("there", Status.OK, None),
    ],
)
def test_what_could_not_be_looked_at_is_never_ok(value: object, status: Status, because: str | None) -> None:
    def silent(target: object) -> object:
        return iter(())

    (result,) = run_checks(_facts(value), [_check(silent)])

    assert (result.status, result.because) == (status, because)


def test_a_rule_that_cannot_decide_is_skipped_and_never_ok() -> None:
    def undecided(target: object) -> object:
        raise CannotTellError(because="AX202")

    (result,) = run_checks(_facts(1), [_check(undecided)])

    assert (result.status, result.because) == (Status.SKIPPED, "AX202")


def test_with_several_databases_the_worst_status_is_shown() -> None:
    def silent(target: object) -> object:
        return iter(())

    facts = Facts({}, (DatabaseFacts("a", {"target": 1}), DatabaseFacts("b", {"target": Unavailable("x")})))

    (result,) = run_checks(facts, [_check(silent)])

    assert result.status is Status.SKIPPED


def test_every_check_is_documented_and_its_code_is_its_own() -> None:
    import importlib

    checks = registered_checks()
    assert len({check.code for check in checks}) == len({check.slug for check in checks}) == len(checks)
    for check in checks:
        documentation = importlib.import_module(check.module).__doc__ or ""
        headings = [line for line in documentation.splitlines() if line.startswith("## ")]
        assert headings == ["## What it does", "## Why is this bad?", "## Example", "## Repair"], check.module


def test_reports_are_frozen(tmp_path: Path) -> None:
    report = alembic_ext.doctor(Config(Project.create(tmp_path, at="head").ini))

    with pytest.raises(dataclasses.FrozenInstanceError):
        report.exit_code = 1  # type: ignore[misc]


def test_importing_alembic_loads_none_of_it() -> None:
    """The plugin runs inside every program that imports alembic."""
    program = (
        "import sys, alembic, alembic.config; "
        "print(sorted(name for name in sys.modules if name.startswith('alembic_ext')))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() in ("['alembic_ext', 'alembic_ext.plugin']", "[]")


def test_the_public_names_are_found_lazily() -> None:
    program = (
        "import sys, alembic_ext; assert dir(alembic_ext) == sorted(alembic_ext.__all__); "
        "assert 'alembic_ext.commands' not in sys.modules; "
        "[getattr(alembic_ext, name) for name in alembic_ext.__all__]; "
        "assert 'alembic_ext.commands' in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="no attribute 'resync'"):
        alembic_ext.resync  # noqa: B018
