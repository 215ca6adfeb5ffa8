"""What would stop Alembic itself from reading alembic.ini, and our own reading, which nothing stops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config

from alembic_ext.settings import resolve_settings
from alembic_ext.settings.ini_file import IniProblem, load_parser, locale_encoding, read_ini_file
from alembic_ext.settings.model import UnusableSettingError
from tests.settings.asking import INI, ask, write

TEMPLATES = Path(Config().get_template_directory())
LOGGING = (
    "[loggers]\nkeys = root\n[handlers]\nkeys = console\n[formatters]\nkeys = generic\n[logger_root]\nhandlers = console\n"
    "[handler_console]\nclass = StreamHandler\nargs = (sys.stderr,)\nformatter = generic\n[formatter_generic]\nformat = %(message)s\n"
)
ENV = "from logging.config import fileConfig\nfrom alembic import context\nconfig = context.config\n"
UNCONDITIONAL = ENV + "fileConfig(config.config_file_name)\n"
GUARDED_BY_NAME = ENV + "if config.config_file_name is not None:\n    fileConfig(config.config_file_name)\n"


def problems(folder: Path, *, env: str | None = None, config: Config | None = None) -> tuple[IniProblem, ...]:
    script = None if env is None else write(folder / "alembic" / "env.py", env)
    ini_file = read_ini_file(ask(folder, config=config), env_script=script, config=config)
    assert ini_file is not None
    assert ini_file.path == folder / "alembic.ini"
    return ini_file.problems


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir()))
def test_what_alembic_init_writes_is_fine(tmp_path: Path, template: str) -> None:
    text = (TEMPLATES / template / "alembic.ini.mako").read_text(encoding="utf-8")
    write(
        tmp_path / "alembic.ini", text.replace("${script_location}", "%(here)s/alembic").replace("\\\n", "")
    )
    env = (TEMPLATES / template / "env.py").read_text(encoding="utf-8")

    assert problems(tmp_path, env=env) == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(INI + "sqlalchemy.url = mysql://u:p%%40@h/d\n", id="doubled-percent"),
        pytest.param(INI + "sqlalchemy.url = mysql://%(USER)s:%(PASS)s@h/d\n", id="keys-that-env-py-sets"),
        pytest.param(INI + "[other-tool]\npattern = 100%\n", id="another-section"),
        pytest.param(INI + "[alembic_ext]\nheads = 100%\n", id="our-own-section"),
        pytest.param(INI + "file_template = %%(rev)s\n", id="file-template"),
        pytest.param(
            "[DEFAULT]\nname = x\n" + INI + "version_locations = %(here)s/%(name)s\n", id="references"
        ),
    ],
)
def test_what_alembic_can_read_is_silent(tmp_path: Path, text: str) -> None:
    write(tmp_path / "alembic.ini", text)

    assert problems(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "kind", "line", "key"),
    [
        pytest.param("\ufeff" + INI, "bom", 1, None, id="bom"),
        pytest.param(
            INI + "sqlalchemy.url = mysql://u:se%cret@h/d\n",
            "single-percent",
            3,
            "sqlalchemy.url",
            id="percent",
        ),
        pytest.param(
            INI + "file_template = %(rev)s_se%%cret\n",
            "unknown-reference",
            3,
            "file_template",
            id="file-template",
        ),
        pytest.param("[DEFAULT]\nx = se%cret\n" + INI, "single-percent", 2, "x", id="percent-in-default"),
        pytest.param(
            INI + "databases = one, two\n[two]\nsqlalchemy.url = se%cret\n",
            "single-percent",
            5,
            "sqlalchemy.url",
            id="multidb",
        ),
        pytest.param(INI + "[post_write_hooks]\nhooks = se%cret\n", "single-percent", 4, "hooks", id="hooks"),
        pytest.param("[other]\n", "no-section", None, None, id="no-section"),
        pytest.param("secret = 1\n" + INI, "syntax", 1, None, id="before-any-section"),
        pytest.param(INI + "secret\n", "syntax", 3, None, id="no-value"),
        pytest.param(INI + "a = secret\na = secret\n", "syntax", 4, None, id="key-twice"),
        pytest.param(INI + "[alembic]\n", "syntax", 3, None, id="section-twice"),
    ],
)
def test_what_stops_alembic_is_said_without_any_value(
    tmp_path: Path, text: str, kind: str, line: int | None, key: str | None
) -> None:
    write(tmp_path / "alembic.ini", text)

    (problem,) = problems(tmp_path)
    assert (problem.kind, problem.line, problem.key) == (kind, line, key)
    assert "cret" not in problem.summary
    assert problem.hint


def test_alembic_itself_agrees(tmp_path: Path) -> None:
    """Each of these is an error of Alembic's own."""
    for text in (
        "\ufeff" + INI,
        INI + "a\n",
        INI + "file_template = %(rev)s\n",
        INI + "file_template = 100%\n",
    ):
        path = write(tmp_path / "alembic.ini", text)
        assert problems(tmp_path) != ()
        with pytest.raises(Exception, match=r"header|parsing|[sS]ubstitution|must be followed"):
            Config(str(path)).get_main_option("file_template")


def test_a_file_in_no_readable_encoding_is_said(tmp_path: Path) -> None:
    ask(tmp_path)
    (tmp_path / "alembic.ini").write_bytes(b"[alembic]\n# \xff\n")

    assert [problem.kind for problem in problems(tmp_path)] == ["encoding"]


# The locale


def seen_in(locale: str, folder: Path) -> dict[str, object]:
    """The problems as a process of its own in this locale sees them, and whether Alembic can read the file there."""
    program = """
import json, sys
from alembic.config import Config
from alembic_ext.settings import resolve_settings
from alembic_ext.settings import resolve_settings
from alembic_ext.settings.ini_file import load_parser, read_ini_file
config = Config("alembic.ini")
try:
    config.file_config
    alembic_can = True
except UnicodeDecodeError:
    alembic_can = False
config = Config("alembic.ini")
found = read_ini_file(resolve_settings(config))
ours = load_parser(found.path).get("alembic", "name")
print(json.dumps([alembic_can, [[p.kind, p.line] for p in found.problems], ours]))
"""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))
    }
    environ |= {"LC_ALL": locale, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environ, capture_output=True, check=True
    )
    alembic_can, kinds, ours = json.loads(done.stdout)
    return {"alembic can": alembic_can, "problems": kinds, "ours": ours}


def test_a_chinese_comment_is_a_problem_exactly_where_alembic_cannot_read_it(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", "[alembic]\n# 注释\nname = 数据\n")

    in_utf8, in_c = seen_in("C.UTF-8", tmp_path), seen_in("C", tmp_path)

    assert in_utf8 == {"alembic can": True, "problems": [], "ours": "数据"}
    assert in_c["ours"] == "数据"
    assert (in_c["problems"] == []) == in_c["alembic can"]
    if sys.version_info >= (3, 11):
        assert in_c["problems"] == [["encoding", 2]]


def test_an_ini_in_ascii_is_fine_in_every_locale(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", "[alembic]\nname = data\n")

    assert seen_in("C", tmp_path) == {"alembic can": True, "problems": [], "ours": "data"}


# Logging


@pytest.mark.parametrize(
    "env",
    [
        pytest.param(ENV, id="no-call"),
        pytest.param(ENV + "try:\n    fileConfig('x')\nexcept Exception:\n    pass\n", id="try"),
        pytest.param(ENV + "if config.get_section('loggers'):\n    fileConfig('x')\n", id="own-condition"),
        pytest.param("this is no python", id="no-python"),
    ],
)
def test_missing_logging_sections_are_fine_where_env_py_minds_them(tmp_path: Path, env: str) -> None:
    assert problems(tmp_path, env=env) == ()


@pytest.mark.parametrize("env", [UNCONDITIONAL, GUARDED_BY_NAME])
def test_missing_logging_sections_are_said_where_env_py_needs_them(tmp_path: Path, env: str) -> None:
    (problem,) = problems(tmp_path, env=env)

    assert problem.kind == "no-logging-sections"
    assert "[loggers], [handlers], [formatters]" in problem.summary


def test_a_logging_section_that_is_named_and_missing_is_said(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", INI + LOGGING.replace("[handler_console]", "[handler_other]"))

    assert "[handler_console]" in problems(tmp_path, env=UNCONDITIONAL)[0].summary


def test_complete_logging_sections_are_silent(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", INI + LOGGING)

    assert problems(tmp_path, env=UNCONDITIONAL) == ()


def test_a_missing_ini_is_said_only_where_env_py_needs_it(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.alembic]\nscript_location = 'alembic'\n")
    settings = resolve_settings(environ={}, cwd=tmp_path)
    script = write(tmp_path / "alembic" / "env.py", ENV)

    assert read_ini_file(settings) is None
    assert read_ini_file(settings, env_script=script) is None
    write(script, GUARDED_BY_NAME)
    ini_file = read_ini_file(settings, env_script=script)
    assert ini_file is not None
    assert [problem.kind for problem in ini_file.problems] == ["missing"]


# Code


def test_a_section_set_in_code_is_not_missing(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", LOGGING)
    config = Config(str(tmp_path / "alembic.ini"))
    config.set_main_option("script_location", "alembic")

    assert problems(tmp_path, config=config) == ()


def test_values_given_in_code_can_be_referred_to(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", INI + "version_locations = %(mine)s\n")
    config = Config(str(tmp_path / "alembic.ini"), config_args={"mine": "x"})

    assert problems(tmp_path, config=config) == ()
    assert [problem.kind for problem in problems(tmp_path)] == ["unknown-reference"]


def test_our_parser_answers_as_alembics_does(tmp_path: Path) -> None:
    path = write(tmp_path / "alembic.ini", "[DEFAULT]\na = 1\n" + INI + "b = %(a)s%% %(here)s\n" + LOGGING)
    theirs, ours = Config(str(path)).file_config, load_parser(path)

    assert ours.sections() == theirs.sections()
    assert dict(ours.items("alembic")) == dict(theirs.items("alembic"))
    assert dict(ours.items("formatter_generic", raw=True)) == dict(
        theirs.items("formatter_generic", raw=True)
    )


def test_our_parser_refuses_in_our_words(tmp_path: Path) -> None:
    with pytest.raises(UnusableSettingError) as caught:
        load_parser(tmp_path / "alembic.ini")

    assert caught.value.code == "AX113"
    assert caught.value.message == "alembic.ini cannot be read: No such file or directory."


def test_the_encoding_is_the_one_that_python_opens_files_with(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w", encoding="locale") as file:
        assert file.encoding.lower().replace("-", "") == locale_encoding().lower().replace("-", "")
