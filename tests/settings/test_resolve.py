"""Project root, precedence and parity."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config

from alembic_ext.errors import AlembicExtError
from alembic_ext.settings import resolve_settings
from tests.settings.asking import INI, ask, command_line, url_of, write

URL_INI = INI + "sqlalchemy.url = sqlite:///ini.db\n"


def yaml_in(root: Path, name: str) -> None:
    write(root / f"{name}.yaml", f"database: {name}.db\n")


def test_the_order_of_the_sources(tmp_path: Path) -> None:
    """Each source is taken away in turn, and the next one wins."""
    for name in ("argument", "x", "variable", "setting", "config"):
        yaml_in(tmp_path, name)
    ini = tmp_path / "alembic.ini"
    write(ini, URL_INI + "[alembic_ext]\nconfig_file = setting.yaml\n")
    environ = {"CONFIG_FILE": "variable.yaml"}
    config = command_line(x=["other=1", "config_file=wrong.yaml", "config_file=x.yaml"])

    settings = ask(tmp_path, environ, config=config, config_file="argument.yaml")
    assert (settings.require_database().source.via, url_of(settings)) == (
        "-x",
        f"sqlite:///{tmp_path / 'argument.db'}",
    )
    assert settings.passed_over == (
        "-x config_file names x.yaml, and was not used: -x config_file comes first.",
        "CONFIG_FILE names variable.yaml, and was not used: -x config_file comes first.",
        "The setting config_file names setting.yaml, and was not used: -x config_file comes first.",
        "config.yaml was not used: -x config_file comes first.",
        "alembic.ini [alembic] sqlalchemy.url was not used: -x config_file comes first.",
    )

    found = []
    for asked in (
        ask(tmp_path, environ, config=config),
        ask(tmp_path, environ, config=command_line()),
        ask(tmp_path, config=command_line()),
    ):
        database = asked.require_database()
        found.append(
            (
                database.source.kind,
                database.source.via,
                Path(database.url.database or "").name,
                database.named,
            )
        )
    write(ini, URL_INI)
    for remove in (None, tmp_path / "config.yaml"):
        if remove is not None:
            remove.unlink()
        database = ask(tmp_path).require_database()
        found.append(
            (
                database.source.kind,
                database.source.via,
                Path(database.url.database or "").name,
                database.named,
            )
        )

    assert found == [
        ("config-file", "-x", "x.db", True),
        ("config-file", "CONFIG_FILE", "variable.db", True),
        ("config-file", "setting", "setting.db", True),
        ("config-file", "config.yaml", "config.db", False),
        ("ini", "sqlalchemy.url", "ini.db", False),
    ]


def test_the_setting_is_read_from_pyproject_too(tmp_path: Path) -> None:
    yaml_in(tmp_path, "setting")
    write(tmp_path / "pyproject.toml", "[tool.alembic_ext]\nconfig_file = 'setting.yaml'\n")

    assert ask(tmp_path).require_database().source.via == "setting"


def test_a_named_file_that_is_missing_is_never_replaced_by_another(tmp_path: Path) -> None:
    yaml_in(tmp_path, "config")
    yaml_in(tmp_path, "production")
    write(tmp_path / "alembic.ini", URL_INI)
    settings = ask(tmp_path, {"CONFIG_FILE": "production.yml"})

    (problem,) = settings.problems
    assert settings.database is None
    assert problem.code == "AX101"
    assert problem.summary == (
        f"CONFIG_FILE names the configuration file production.yml, which does not exist. Looked at: {tmp_path / 'production.yml'}."
    )
    assert problem.hint.startswith("Did you mean production.yaml?")
    assert problem.evidence == {
        "named": "production.yml",
        "via": "CONFIG_FILE",
        "looked_at": [str(tmp_path / "production.yml")],
    }
    with pytest.raises(AlembicExtError) as caught:
        settings.require_database()
    assert caught.value.code == "AX101"


@pytest.mark.parametrize(
    ("x", "code"),
    [(["config_file="], "AX101"), (["config_file=."], "AX102"), (["config_file=empty.yaml"], "AX104")],
)
def test_an_unusable_named_file_is_said_and_nothing_else_is_tried(
    tmp_path: Path, x: list[str], code: str
) -> None:
    write(tmp_path / "alembic.ini", URL_INI)
    write(tmp_path / "empty.yaml", "")
    settings = ask(tmp_path, config=command_line(x=x))

    assert [problem.code for problem in settings.problems] == [code]
    assert settings.database is None


def test_an_empty_variable_names_nothing(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", URL_INI)

    assert ask(tmp_path, {"CONFIG_FILE": ""}).require_database().source.via == "sqlalchemy.url"


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder, and no rights beyond those of its files' modes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        was_root = hasattr(os, "geteuid") and os.geteuid() == 0
        if was_root:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        yield folder
        if was_root:
            os.seteuid(0)


def test_an_unreadable_file_is_said(unprivileged: Path) -> None:
    write(unprivileged / "a.yaml", "database: a.db\n").chmod(0)
    settings = ask(unprivileged, {"CONFIG_FILE": "a.yaml"})

    assert [(problem.code, problem.summary) for problem in settings.problems] == [
        ("AX102", "a.yaml cannot be read: Permission denied.")
    ]


def test_a_file_in_a_folder_that_is_closed_to_us_is_not_called_missing(unprivileged: Path) -> None:
    write(unprivileged / "closed" / "a.yaml", "database: a.db\n").parent.chmod(0)
    settings = ask(unprivileged, {"CONFIG_FILE": "closed/a.yaml"})
    (unprivileged / "closed").chmod(0o700)

    assert [problem.code for problem in settings.problems] == ["AX102"]


def test_an_unreadable_ini_is_said(unprivileged: Path) -> None:
    write(unprivileged / "alembic.ini", URL_INI).chmod(0)

    assert [problem.summary for problem in ask(unprivileged).problems] == [
        "alembic.ini cannot be read: Permission denied."
    ]


def test_a_name_that_no_file_can_have_is_a_missing_file(tmp_path: Path) -> None:
    assert [problem.code for problem in ask(tmp_path, {"CONFIG_FILE": "a" * 5000}).problems] == ["AX101"]


@pytest.mark.parametrize(
    "text", ["other: 1\n", "", "- a\n", "database:\n", "database: {migrate: true}\nother: 1\nother: 2\n"]
)
def test_a_config_yaml_without_a_database_is_passed_over_and_said(tmp_path: Path, text: str) -> None:
    write(tmp_path / "alembic.ini", URL_INI)
    write(tmp_path / "config.yaml", text)
    settings = ask(tmp_path)

    assert settings.require_database().source.via == "sqlalchemy.url"
    assert settings.passed_over == ("config.yaml holds no database, and was passed over.",)
    assert settings.config_file is None


def test_a_config_yaml_that_cannot_be_read_is_a_problem_that_nobody_named(tmp_path: Path) -> None:
    """env.py may not need it, but no other source may take its place unseen."""
    write(tmp_path / "alembic.ini", URL_INI)
    write(tmp_path / "config.yaml", "database: [\n")
    settings = ask(tmp_path)

    assert settings.database is None
    assert [(problem.code, problem.named) for problem in settings.problems] == [("AX102", False)]
    assert settings.without_unnamed_problems().problems == ()


def test_nothing_named_anywhere_lists_what_was_looked_for(tmp_path: Path) -> None:
    (problem,) = ask(tmp_path).problems

    assert (problem.code, problem.named) == ("AX104", False)
    assert problem.summary == (
        "No database is configured: there is no config.yaml with a database, and alembic.ini has no sqlalchemy.url in [alembic]."
    )
    assert problem.evidence["looked_for"] == ["CONFIG_FILE", "config.yaml", "[alembic] sqlalchemy.url"]


def test_neither_ini_nor_pyproject_is_said(tmp_path: Path) -> None:
    (problem,) = resolve_settings(environ={}, cwd=tmp_path).problems

    assert problem.code == "AX104"
    assert f"there is no alembic.ini and no pyproject.toml in {tmp_path}" in problem.summary


def test_the_placeholder_of_the_template_is_no_database(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", INI + "sqlalchemy.url = driver://user:pass@localhost/dbname\n")
    (problem,) = ask(tmp_path).problems

    assert (problem.code, problem.named) == ("AX104", False)
    assert (
        problem.summary
        == "alembic.ini [alembic] sqlalchemy.url is still the placeholder that 'alembic init' wrote."
    )


# alembic.ini


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("mysql://u:p%%40ss@h/d", "d"),
        ("sqlite:///%(here)s/a.db", "{root}/a.db"),
        ("sqlite:///a.db", "{root}/a.db"),
        ("sqlite:///%(name)s.db", "{root}/shop.db"),
        ("sqlite://", None),
    ],
)
def test_the_ini_is_interpolated_as_alembic_does(tmp_path: Path, written: str, expected: str | None) -> None:
    root = tmp_path / "100% 数据"
    write(
        root / "alembic.ini", f"\ufeff# 注释\n[DEFAULT]\nname = shop\n[alembic]\nsqlalchemy.url = {written}\n"
    )

    assert ask(root).require_database().url.database == (expected and expected.format(root=root))


@pytest.mark.parametrize("value", ["mysql://u:se%cret@h/d", "mysql://u:%(secret)s@h/d"])
def test_a_percent_that_cannot_be_read_is_said_without_the_value(tmp_path: Path, value: str) -> None:
    write(tmp_path / "alembic.ini", f"{INI}sqlalchemy.url = {value}\n")
    (problem,) = ask(tmp_path).problems

    assert problem.code == "AX113"
    assert "cret" not in problem.summary


def test_a_broken_url_in_the_ini_is_said_without_its_password(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", f"{INI}sqlalchemy.url = mysql://u:secret@h:abc/d\n")
    settings = ask(tmp_path)

    (problem,) = settings.problems
    assert (problem.code, problem.named) == ("AX102", False)
    assert "secret" not in problem.summary
    assert "secret" in settings.secrets


def test_the_ini_password_is_known_even_when_another_source_wins(tmp_path: Path) -> None:
    """env.py may still use it."""
    write(
        tmp_path / "alembic.ini",
        f"{INI}sqlalchemy.url = mysql://u:se%%40cret@h/d\n[other]\nsqlalchemy.url = mysql://u:second@h/d\n",
    )
    yaml_in(tmp_path, "config")

    assert {"se@cret", "second"} <= set(ask(tmp_path).secrets)


def test_engine_options_beside_the_url_are_read(tmp_path: Path) -> None:
    write(
        tmp_path / "alembic.ini",
        f"{INI}sqlalchemy.url = mysql://h/d\nsqlalchemy.pool_recycle = 60\nsqlalchemy.colour = x\n",
    )
    settings = ask(tmp_path)

    assert settings.require_database().engine_options == {"pool_recycle": 60}
    assert settings.passed_over == (
        "[alembic] sqlalchemy.colour is no option that is handed over, and was not used.",
    )


def test_another_section_is_used_when_named(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", f"{INI}\n[second]\nsqlalchemy.url = sqlite:///second.db\n")
    settings = ask(tmp_path, config=command_line(name="second"))

    assert (settings.section, url_of(settings)) == ("second", f"sqlite:///{tmp_path / 'second.db'}")


def test_an_ini_that_is_none_is_said(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", "secret = 1\n")
    (problem,) = ask(tmp_path).problems

    assert (problem.code, problem.summary, problem.line) == (
        "AX113",
        "alembic.ini is not a valid ini file: line 1 stands before any [section].",
        1,
    )


# A Config built in code


def test_a_url_set_in_code_beats_what_nobody_named_and_the_environment(tmp_path: Path) -> None:
    """A test suite that points Alembic at its own database must never reach another one."""
    write(tmp_path / "alembic.ini", URL_INI)
    yaml_in(tmp_path, "config")
    yaml_in(tmp_path, "variable")
    config = Config(str(tmp_path / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", "sqlite:///code.db")
    settings = ask(tmp_path, {"CONFIG_FILE": "variable.yaml"}, config=config)

    assert url_of(settings) == f"sqlite:///{tmp_path / 'code.db'}"
    assert settings.require_database().named
    assert (
        "CONFIG_FILE names variable.yaml, and was not used: sqlalchemy.url was set in code."
        in settings.passed_over
    )


def test_a_config_that_was_only_read_counts_as_the_file(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", URL_INI)
    yaml_in(tmp_path, "config")
    config = Config(str(tmp_path / "alembic.ini"))
    assert config.get_main_option("sqlalchemy.url")

    assert ask(tmp_path, config=config).require_database().source.via == "config.yaml"


def test_a_config_without_files_reads_none(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", URL_INI)
    config = Config()
    config.set_main_option("sqlalchemy.url", "sqlite:///code.db")
    settings = ask(tmp_path, config=config)

    assert (settings.ini, url_of(settings)) == (None, f"sqlite:///{tmp_path / 'code.db'}")


# The project root


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with both files, and a working directory elsewhere that has both too."""
    for root in (tmp_path / "project", tmp_path / "elsewhere"):
        write(root / "alembic.ini", URL_INI)
        write(root / "pyproject.toml", "[tool.alembic]\nscript_location = 'alembic'\n")
    return tmp_path / "project"


def test_the_root_is_the_folder_of_the_file_that_was_named(project: Path) -> None:
    elsewhere = project.parent / "elsewhere"
    ini, toml = project / "alembic.ini", project / "pyproject.toml"

    roots = [
        ask(elsewhere, config=command_line(config=["../project/alembic.ini"])).root,
        ask(elsewhere, config=command_line(config=[str(ini)])).root,
        ask(elsewhere, config=command_line(config=["../project/pyproject.toml"])).root,
        ask(elsewhere, config=command_line(config=["pyproject.toml", str(ini)])).root,
        ask(elsewhere, {"ALEMBIC_CONFIG": str(ini)}, config=command_line()).root,
        ask(elsewhere, {"ALEMBIC_CONFIG": str(toml)}, config=command_line()).root,
        ask(elsewhere, {"ALEMBIC_CONFIG": "../project/alembic.ini"}).root,
        ask(elsewhere, config=Config(str(ini))).root,
        ask(elsewhere, config=Config(toml_file=str(toml))).root,
        ask(elsewhere, root=project).root,
        ask(project, config=command_line()).root,
        ask(project, config=Config("alembic.ini")).root,
    ]

    assert roots == [project] * len(roots)


def test_what_was_named_on_the_command_line_beats_the_variable(project: Path) -> None:
    elsewhere = project.parent / "elsewhere"
    config = command_line(config=[str(project / "alembic.ini")])

    assert ask(elsewhere, {"ALEMBIC_CONFIG": str(elsewhere / "alembic.ini")}, config=config).root == project


def test_a_config_built_in_code_does_not_look_at_the_variable(project: Path) -> None:
    elsewhere = project.parent / "elsewhere"

    assert (
        ask(
            elsewhere,
            {"ALEMBIC_CONFIG": str(elsewhere / "alembic.ini")},
            config=Config(str(project / "alembic.ini")),
        ).root
        == project
    )


def test_the_runner_looks_beside_itself_before_the_working_directory(project: Path) -> None:
    settings = ask(project.parent / "elsewhere", config=command_line(), root=project)

    assert (settings.root, settings.ini) == (project, project / "alembic.ini")


def test_a_pyproject_alone_is_a_project(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.alembic]\nscript_location = 'alembic'\n")
    yaml_in(tmp_path, "config")
    settings = resolve_settings(command_line(), environ={}, cwd=tmp_path)

    assert (settings.root, settings.ini, settings.toml) == (tmp_path, None, tmp_path / "pyproject.toml")
    assert settings.ini_named == tmp_path / "alembic.ini"
    assert settings.problems == ()


@pytest.mark.parametrize("named", ["relative", "absolute"])
def test_one_target_from_everywhere(project: Path, named: str) -> None:
    """Working directories, relative and absolute names, a symbolic link: byte for byte one answer."""
    write(project / "conf" / "dev.yaml", "database: ./data/app.db\n")
    link = project.parent / "link"
    link.symlink_to(project, target_is_directory=True)
    environ = {"CONFIG_FILE": "conf/dev.yaml" if named == "relative" else str(project / "conf" / "dev.yaml")}

    answers = {
        url_of(ask(project, environ, config=command_line())),
        url_of(ask(link, environ, config=command_line())),
        url_of(ask(project.parent, environ, config=command_line(config=["project/alembic.ini"]))),
        url_of(ask(project.parent, environ, config=command_line(config=["link/alembic.ini"]))),
        url_of(ask(project / "conf", environ, config=command_line(config=["../alembic.ini"]))),
        url_of(ask(project.parent, environ, root=project)),
        url_of(ask(project.parent, environ, root=link)),
        url_of(ask(project.parent / "elsewhere", {**environ, "ALEMBIC_CONFIG": str(link / "alembic.ini")})),
    }

    assert answers == {f"sqlite:///{project / 'data' / 'app.db'}"}
