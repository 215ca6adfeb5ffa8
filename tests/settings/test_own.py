from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.settings import OwnSettings
from tests.settings.asking import INI, ask, write

EVERYTHING_IN_TOML = """\
[tool.alembic_ext]
config_file = "a.yaml"
database_key = "services.db"
metadata = ["app.models:Base", "shop.models:metadata"]
heads = ["abc", "def"]
ignore = {AX403 = "known, ticket 12", AX601 = "generated"}
connect_timeout = 2.5
lock_timeout = 5
colour = "blue"
"""
EVERYTHING_IN_INI = """\
[alembic_ext]
config_file = a.yaml
database_key = services.db
metadata =
    app.models:Base
    shop.models:metadata
heads =
    abc
    def
ignore =
    AX403 = known, ticket 12
    AX601 = generated
connect_timeout = 2.5
lock_timeout = 5
colour = 100% blue
"""


def everything(path: Path) -> OwnSettings:
    return OwnSettings(
        path=path,
        config_file="a.yaml",
        database_key="services.db",
        metadata=("app.models:Base", "shop.models:metadata"),
        heads=("abc", "def"),
        ignore={"AX403": "known, ticket 12", "AX601": "generated"},
        connect_timeout=2.5,
        unknown=("lock_timeout", "colour"),
    )


def test_every_key_is_read_from_pyproject(tmp_path: Path) -> None:
    path = write(tmp_path / "pyproject.toml", EVERYTHING_IN_TOML)

    assert ask(tmp_path).own == everything(path)


def test_every_key_is_read_from_the_ini(tmp_path: Path) -> None:
    path = write(tmp_path / "alembic.ini", f"[DEFAULT]\nheads = not ours\n{INI}{EVERYTHING_IN_INI}")

    assert ask(tmp_path).own == everything(path)


def test_without_a_section_the_defaults_hold(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[project]\nname = 'x'\n")

    assert ask(tmp_path).own == OwnSettings()


def test_one_metadata_may_be_plain_text(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.alembic_ext]\nmetadata = 'app:Base'\n")

    assert ask(tmp_path).own.metadata == ("app:Base",)


def test_both_sections_are_refused(tmp_path: Path) -> None:
    """Which of two configuration files counts is not ours to guess."""
    write(tmp_path / "pyproject.toml", "[tool.alembic_ext]\nheads = []\n")
    write(tmp_path / "alembic.ini", f"{INI}sqlalchemy.url = sqlite://\n[alembic_ext]\n")
    settings = ask(tmp_path)

    (problem,) = settings.problems
    assert problem.code == "AX102"
    assert (
        problem.summary
        == "pyproject.toml has [tool.alembic_ext] and alembic.ini has [alembic_ext]: only one may."
    )
    assert settings.database is None


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("[tool.alembic_ext\n", "pyproject.toml is not valid TOML (line 1, column 18)."),
        ("[tool]\nalembic_ext = 1\n", "pyproject.toml: [tool.alembic_ext] is not a table."),
        (
            "[tool.alembic_ext]\nconfig_file = 1\n",
            "pyproject.toml: [tool.alembic_ext] config_file must be text.",
        ),
        (
            "[tool.alembic_ext]\nheads = [1]\n",
            "pyproject.toml: [tool.alembic_ext] heads must be a list of text.",
        ),
        (
            "[tool.alembic_ext]\nignore = ['AX403']\n",
            'pyproject.toml: [tool.alembic_ext] ignore must be a table of codes and reasons, {AX601 = "reason"}.',
        ),
        (
            "[tool.alembic_ext]\nconnect_timeout = 0\n",
            "pyproject.toml: [tool.alembic_ext] connect_timeout must be a number of seconds above 0, a day at most.",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(tmp_path: Path, text: str, summary: str) -> None:
    write(tmp_path / "pyproject.toml", text)
    (problem,) = ask(tmp_path).problems

    assert (problem.code, problem.summary) == ("AX102", summary)


@pytest.mark.parametrize(
    ("line", "key"), [("ignore = AX403", "ignore"), ("connect_timeout = soon", "connect_timeout")]
)
def test_a_wrong_value_in_the_ini_is_refused(tmp_path: Path, line: str, key: str) -> None:
    write(tmp_path / "alembic.ini", f"{INI}[alembic_ext]\n{line}\n")
    (problem,) = ask(tmp_path).problems

    assert (problem.code, problem.key) == ("AX102", key)


def test_a_broken_pyproject_that_does_not_speak_of_alembic_stops_alembic_too(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", f"{INI}sqlalchemy.url = sqlite://\n")
    write(tmp_path / "pyproject.toml", "[tool.\n")

    assert [problem.code for problem in ask(tmp_path).problems] == ["AX102"]
