"""Addresses that cannot be used: what is said of them, whoever made them, and that no part of a password is."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from alembic.config import Config

import alembic_ext
from tests.project import Project, Run
from tests.servers import Server
from tests.test_looking import held

FROM_VARIABLE = """\
import os
from alembic import context
context.config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])
"""
PLACEHOLDER = "driver://user:pass@localhost/dbname"
LOST = ("Secr", "tPassw0rd")


def with_top(tmp_path: Path, top: str) -> Project:
    """A project in order, whose env.py begins with these lines."""
    project = Project.create(tmp_path / "project", at="head")
    project.write_env(top=top)
    return project


def with_variable(tmp_path: Path, url: str, *, ini: str = PLACEHOLDER) -> Run:
    """The doctor on a project whose env.py takes its URL from a variable."""
    project = Project.create(tmp_path / "project", url=ini, env={"top": FROM_VARIABLE})
    return project.doctor(env={"DATABASE_URL": url})


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "mysql+pymysql"])
@pytest.mark.parametrize("rest", ["u:Secr@tPassw0rd@localhost/x", "u:1/Secr@tPassw0rd@localhost/x"])
def test_the_rest_of_a_password_is_not_shown_as_the_host(tmp_path: Path, scheme: str, rest: str) -> None:
    run = with_variable(tmp_path, f"{scheme}://{rest}").expect(2)

    assert run.codes == {"AX108"}
    assert "unescaped @" in run.json["findings"][0]["summary"]
    assert not [part for part in LOST if part in run.stdout + run.stderr]


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_rest_of_a_password_in_the_ini_is_not_shown(tmp_path: Path, form: str) -> None:
    project = Project.create(tmp_path / "project", url="postgresql+psycopg://u:Secr@tPassw0rd@localhost/x")
    run = project.doctor("--verbose", "--format", form).expect(2)

    assert "%40" in run.stdout
    assert not [part for part in LOST if part in run.stdout + run.stderr]


@pytest.mark.parametrize(
    ("url", "code", "advice"),
    [
        ("postgres://u:p@h/x", "AX107", "Write postgresql://."),
        ("", "AX111", "It is empty"),
        ("garbage", "AX111", "Write dialect://"),
        ('"sqlite:///a.db"', "AX111", "It stands in quotes"),
        ("postgresql+psycopg://u:p@h:port/x", "AX111", "Write dialect://"),
        ("postgresql://u:a%p@h/x", "AX111", "Write %%"),
    ],
)
def test_a_url_of_env_pys_is_not_blamed_on_the_placeholder(
    tmp_path: Path, url: str, code: str, advice: str
) -> None:
    run = with_variable(tmp_path, url).expect(2)

    (finding,) = run.json["findings"]
    assert finding["code"] == code, str(run)
    assert finding["next_actions"][0]["label"].startswith(advice)


@pytest.mark.parametrize("url", [PLACEHOLDER, ""])
def test_the_placeholder_that_was_used_is_the_cause(tmp_path: Path, url: str) -> None:
    project = Project.create(tmp_path / "project")
    project.write_ini({"sqlalchemy.url": url})

    assert project.doctor().expect(2).codes == {"AX104"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://u:p@h/x", {"dialect": "postgres", "host": "h", "user": "u", "database": "x"}),
        (
            "mysql+pymysql://u:p@127.0.0.1:1/x",
            {"dialect": "mysql", "host": "127.0.0.1", "port": 1, "database": "x"},
        ),
        ("sqlite:////no/such/folder/a.db", {"dialect": "sqlite", "database": "/no/such/folder/a.db"}),
    ],
)
def test_an_address_of_env_pys_is_shown_though_it_cannot_be_used(
    tmp_path: Path, url: str, shown: dict[str, object]
) -> None:
    run = with_variable(tmp_path, url).expect(2)

    target = run.json["databases"][0]["target"]
    assert {key: target[key] for key in shown} == shown
    assert target["source"]["kind"] == "env-script"


# SQLite files.


def test_a_relative_file_that_lies_in_the_project_is_not_made_elsewhere(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url="sqlite:///app.db", at="head")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = project.doctor(cwd=elsewhere).expect(2)

    (finding,) = run.json["findings"]
    assert finding["code"] == "AX106"
    assert f"there is one in the project folder, {project.root / 'app.db'}" in finding["summary"]
    assert [action["command"] for action in finding["next_actions"]] == [None]
    assert run.json["databases"][0]["target"]["database"] == str(elsewhere / "app.db")


def test_a_missing_folder_is_named_and_upgrade_is_not_offered(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=f"sqlite:///{tmp_path}/no/app.db")
    (finding,) = project.doctor().expect(2).json["findings"]

    assert finding["summary"].endswith(f"does not exist, and neither does its folder {tmp_path / 'no'}.")
    assert [action["command"] for action in finding["next_actions"]] == [None]


def test_our_helper_makes_the_folder(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=f"sqlite:///{tmp_path}/no/app.db", helper="")
    run = project.doctor().expect(2)
    (finding,) = run.json["findings"]

    assert [action["command"] for action in finding["next_actions"]] == [f"{run.command[0]} upgrade head"]
    project.alembic("upgrade", "head").expect()


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=f"sqlite:///{tmp_path}")
    (finding,) = project.doctor().expect(2).json["findings"]

    assert (finding["code"], finding["summary"]) == (
        "AX108",
        f"sqlite:///{tmp_path} cannot be opened: it is a folder.",
    )


def unprivileged() -> tuple[str, ...]:
    """How a command begins that file permissions hold back, also when root runs the tests."""
    if os.getuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    (project.root / "app.db").chmod(0)
    run = project.execute(
        *unprivileged(), sys.executable, "-m", "alembic", "doctor", "--format", "json"
    ).expect(2)

    assert "you have no permission to read it" in run.json["findings"][0]["summary"]


def test_a_damaged_file_is_called_damaged(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    file = project.root / "app.db"
    data = bytearray(file.read_bytes())
    data[100:600] = b"\xff" * 500
    file.write_bytes(data)
    run = project.doctor(json=False).expect(2)

    assert "damaged" in run.stdout, str(run)


def test_a_locked_version_table_is_called_locked(server: Server, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", url=server.url(server.create_database()), at="head")
    lock = (
        "LOCK TABLES alembic_version WRITE"
        if server.name != "postgresql"
        else "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"
    )
    with held(project.url, lock):
        run = project.doctor(json=False).expect(2)

    assert "locked by another session" in run.stdout, str(run)
    assert "try restarting transaction" not in run.stdout


# The project's own files.


def test_a_broken_pyproject_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    project.write("pyproject.toml", "[project]\nx = [\n")
    run = project.doctor().expect(1)

    (finding,) = run.json["findings"]
    assert finding["code"] == "AX102"
    assert (
        "pyproject.toml is not valid TOML (something is not closed at its end, line 2)" in finding["summary"]
    )
    assert finding["location"]["line"] == 2


def test_a_broken_pyproject_without_an_ini_is_one_sentence(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.ini.unlink()
    project.write("pyproject.toml", "[tool.alembic]\nx = [\n")
    run = project.doctor().expect(2)

    assert run.stdout == ""
    assert run.stderr.startswith("error: AX102") or "pyproject.toml is not valid TOML" in run.stderr
    assert "itself failed" not in run.stderr


def test_an_ini_beside_env_py_needs_no_script_location(tmp_path: Path) -> None:
    """As Flask-Migrate lays it out: the folder is set in code."""
    project = Project.create(tmp_path / "project", at="head")
    ini = project.write_ini({"script_location": ""}, name="migrations/alembic.ini")
    ini.write_text(ini.read_text().replace("script_location = \n", ""))
    named = ("-c", "migrations/alembic.ini")
    run = project.doctor(options=named).expect()

    assert run.codes == set()
    assert "has no script_location" in project.doctor(options=named, json=False).stdout


def test_a_location_set_in_code_may_be_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.create(tmp_path / "project", at="head")
    ini = project.write_ini({"script_location": ""}, name="migrations/alembic.ini")
    ini.write_text(ini.read_text().replace("script_location = \n", ""))
    monkeypatch.chdir(project.root)
    config = Config("migrations/alembic.ini")
    config.set_main_option("script_location", "migrations")

    assert alembic_ext.doctor(config).exit_code == 0


def test_env_py_outside_of_the_flask_application_gets_a_hint(tmp_path: Path) -> None:
    top = 'raise RuntimeError("Working outside of application context.\\n\\nThis typically means ...")'
    project = with_top(tmp_path, top)
    (finding,) = project.doctor().json["findings"]

    assert "app_context()" in finding["next_actions"][0]["label"]


@pytest.mark.parametrize("code", ["SystemExit(0)", "SystemExit()"])
def test_an_exit_without_words_is_a_sentence(tmp_path: Path, code: str) -> None:
    project = with_top(tmp_path, f"raise {code}")
    (finding,) = project.doctor().json["findings"]

    assert finding["summary"] == "env.py ends the process (env.py, line 1)."


def test_the_whole_traceback_is_a_command_for_this_project(tmp_path: Path) -> None:
    project = with_top(tmp_path, "raise RuntimeError('no')")
    run = project.doctor()
    (finding,) = run.json["findings"]

    assert finding["next_actions"][0]["command"] == f"{run.command[0]} current"


def test_a_validation_error_names_the_field(tmp_path: Path) -> None:
    top = (
        "class ValidationError(ValueError): pass\n"
        "raise ValidationError('1 validation error for Settings\\ndatabase_url\\n  Field required')"
    )
    project = with_top(tmp_path, top)
    (finding,) = project.doctor().json["findings"]

    assert finding["summary"].endswith("1 validation error for Settings: database_url")


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", at="head")
    run = project.doctor(options=("-n", "other"))

    assert "alembic.ini has no section [other]" in run.stdout + run.stderr


@pytest.mark.parametrize("door", ["plugin", "module"])
def test_from_a_subfolder_the_ini_above_is_named(tmp_path: Path, door: str) -> None:
    project = Project.create(tmp_path / "project", at="head")
    (project.root / "app/inner").mkdir(parents=True)
    program = {"plugin": "alembic", "module": "alembic_ext"}[door]
    run = project.execute(sys.executable, "-m", program, "doctor", cwd=project.root / "app/inner").expect(2)

    assert "-c ../../alembic.ini doctor" in run.stderr
