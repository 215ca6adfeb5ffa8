"""Values flow downwards: a room imports only from rooms upstream of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOMS = [
    "errors",
    "findings",
    "redaction",
    "settings",
    "connections",
    "workspace",
    "facts",
    "checks",
    "report",
    "commands",
    "cli",
    "plugin",
    "env",
    "__main__",
]

MAY_NAME_ALEMBICS_ENVIRONMENT = {"workspace.py", "env.py"}


def _package() -> Path:
    spec = find_spec("alembic_ext")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _modules(room: str) -> list[Path]:
    path = _package() / room
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _run_time_imports(tree: ast.AST) -> Iterator[str]:
    """Modules that are imported when the code runs: what only a type checker sees is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from _run_time_imports(node)


def _rooms_of(path: Path) -> set[str]:
    names = (name.split(".") for name in _run_time_imports(ast.parse(path.read_text("utf-8"))))
    return {parts[1] for parts in names if parts[0] == "alembic_ext" and len(parts) > 1}


def test_every_room_is_in_the_list() -> None:
    found = {
        path.stem for path in _package().iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert found - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_upstream(room: str) -> None:
    later = set(ROOMS[ROOMS.index(room) + 1 :])

    offences = {path.name: _rooms_of(path) & later for path in _modules(room)}

    assert {name: rooms for name, rooms in offences.items() if rooms} == {}


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "settings"])
def test_alembics_environment_is_touched_in_few_modules(room: str) -> None:
    """EnvironmentContext and ScriptDirectory change with Alembic: whoever follows looks in two files."""
    offenders = [
        path.name
        for path in _modules(room)
        if path.name not in MAY_NAME_ALEMBICS_ENVIRONMENT
        and {"EnvironmentContext", "ScriptDirectory"}
        & {name.rpartition(".")[2] for name in _run_time_imports(ast.parse(path.read_text("utf-8")))}
    ]

    assert offenders == []
