"""The plugin: our commands in the stock command line, and nothing but a warning when that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WITH_A_DOCTOR = """
def add_commands(command_line):
    parser = command_line.subparsers.add_parser("examine", help="a command of ours")
    parser.set_defaults(cmd=(lambda config: None, [], []))
"""

LOAD = "import alembic_ext.plugin as plugin; plugin.setup(object()); "


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the two modules that ``import alembic`` loads, beside a ``cli`` that a test may write."""
    import alembic_ext

    source = Path(alembic_ext.__file__).parent
    folder = tmp_path / "alembic_ext"
    folder.mkdir()
    for name in ("__init__.py", "plugin.py"):
        (folder / name).write_bytes((source / name).read_bytes())
    (folder / "cli.py").write_text(WITH_A_DOCTOR, encoding="utf-8")
    return folder


def run(package: Path, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter where this copy is the package; the installed plugin is out of reach."""
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


HELP = "from alembic.config import CommandLine; print('examine' in CommandLine().subparsers.choices); "


def test_commands_are_added_once_alembic_config_is_imported(package: Path) -> None:
    result = run(package, LOAD + HELP)

    assert (result.stdout, result.stderr) == ("True\n", "")


def test_commands_are_added_when_alembic_config_was_imported_before(package: Path) -> None:
    result = run(package, "import alembic.config; " + LOAD + HELP)

    assert (result.stdout, result.stderr) == ("True\n", "")


@pytest.mark.parametrize("early", ["", "import alembic.config; "], ids=["before", "after"])
def test_setting_up_twice_adds_the_commands_once(package: Path, early: str) -> None:
    """argparse refuses a name that is taken, so a second registration would be seen."""
    result = run(package, early + LOAD + "plugin.setup(); " + HELP + "CommandLine()")

    assert (result.stdout, result.stderr) == ("True\n", "")


def test_nothing_of_the_finder_is_left_behind(package: Path) -> None:
    code = (
        "import sys; before = list(sys.meta_path); " + LOAD + "import alembic.config as config; "
        "print(sys.meta_path == before, type(config.__loader__).__name__, type(config.__spec__.loader).__name__)"
    )

    assert run(package, code).stdout == "True SourceFileLoader SourceFileLoader\n"


def test_asking_where_alembic_config_is_does_not_use_the_finder_up(package: Path) -> None:
    code = LOAD + "import importlib.util; print(importlib.util.find_spec('alembic.config').name); " + HELP

    assert run(package, code).stdout == "alembic.config\nTrue\n"


def test_only_the_plugin_itself_is_loaded_before_a_command_line_is_built(package: Path) -> None:
    code = LOAD + (
        "import sys, alembic.config; print(sorted(name for name in sys.modules if name.startswith('alembic_ext')))"
    )

    assert run(package, code).stdout == "['alembic_ext', 'alembic_ext.plugin']\n"


def test_loading_the_plugin_imports_nothing_outside_of_the_standard_library(package: Path) -> None:
    code = (
        "import sys; before = set(sys.modules); import alembic_ext.plugin; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )

    assert run(package, code, "-S").stdout == "['alembic_ext']\n"


def test_the_module_is_a_module_and_can_be_iterated(package: Path) -> None:
    """Alembic 1.18.0 to 1.20.0 iterates what the entry point names, later ones ask whether it is a module."""
    code = (
        "import types, alembic_ext.plugin as p; print(isinstance(p, types.ModuleType), [m is p for m in p])"
    )

    assert run(package, code).stdout == "True [True]\n"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("raise RuntimeError('broken on purpose')", id="raises"),
        pytest.param("import no_such_module_anywhere", id="misses-a-module"),
        pytest.param("def add_commands(command_line): raise ValueError('no')", id="cannot-add"),
        pytest.param("this is no python", id="syntax-error"),
        pytest.param("", id="is-empty"),
    ],
)
@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["default", "warnings-are-errors"])
def test_a_broken_command_module_is_a_warning_and_alembic_goes_on(
    package: Path, broken: str, options: tuple[str, ...]
) -> None:
    (package / "cli.py").write_text(broken, encoding="utf-8")

    result = run(package, LOAD + HELP + "print('heads' in CommandLine().subparsers.choices)", *options)

    assert (result.returncode, result.stdout) == (0, "False\nTrue\n")
    assert "alembic_ext: its commands are missing from alembic" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_stderr_a_broken_command_module_is_silent(package: Path) -> None:
    (package / "cli.py").write_text("this is no python", encoding="utf-8")

    result = run(package, "import sys; sys.stderr = None; " + LOAD + HELP, "-W", "error")

    assert (result.returncode, result.stdout) == (0, "False\n")


@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["default", "warnings-are-errors"])
def test_an_alembic_without_a_command_line_is_a_warning(package: Path, options: tuple[str, ...]) -> None:
    code = "import sys, types; sys.modules['alembic.config'] = types.ModuleType('alembic.config'); " + LOAD

    result = run(package, code, *options)

    assert result.returncode == 0
    assert "alembic_ext: its commands are missing from alembic" in result.stderr


def test_an_error_of_alembic_config_itself_is_not_hidden(package: Path) -> None:
    code = "import sys; sys.modules['alembic.command'] = None; " + LOAD + "import alembic.config"

    result = run(package, code)

    assert result.returncode == 1
    assert "ModuleNotFoundError" in result.stderr
    assert "alembic_ext: " not in result.stderr


OTHER_PLUGIN = """
import importlib.util, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "alembic.config":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            original = module.CommandLine.__init__
            def init(self, *arguments, **options):
                original(self, *arguments, **options)
                self.subparsers.add_parser("neighbour")
            module.CommandLine.__init__ = init
        spec.loader.exec_module = exec_module
        return spec

def setup():
    sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_another_plugin_that_does_the_same_keeps_working(package: Path, first: str) -> None:
    (package.parent / "neighbour.py").write_text(OTHER_PLUGIN, encoding="utf-8")
    theirs = "import neighbour; neighbour.setup(); "
    both = LOAD + theirs if first == "ours" else theirs + LOAD

    result = run(package, both + HELP + "print('neighbour' in CommandLine().subparsers.choices)")

    assert (result.stdout, result.stderr) == ("True\nTrue\n", "")


def test_a_command_line_of_the_projects_own_gets_the_commands_too(package: Path) -> None:
    code = LOAD + (
        "from alembic.config import CommandLine\n"
        "class Own(CommandLine):\n"
        "    def __init__(self, name, *, prog=None):\n"
        "        super().__init__(prog)\n"
        "        self.name = name\n"
        "own = Own('shop', prog='shop-db')\n"
        "print(own.name, 'examine' in own.subparsers.choices, own.parser.prog)"
    )

    assert run(package, code).stdout == "shop True shop-db\n"


def test_building_a_command_line_imports_only_our_command_line(tmp_path: Path) -> None:
    """Everybody who runs alembic pays for it; what a command needs is imported when the command runs."""
    import alembic_ext

    package = Path(alembic_ext.__file__).parent
    code = (
        "import sys, alembic.config; alembic.config.CommandLine(); " + LOAD + "before = set(sys.modules); "
        "alembic.config.CommandLine(); print(sorted(set(sys.modules) - before - {'alembic_ext.cli'}))"
    )

    assert run(package, code).stdout == "[]\n"
