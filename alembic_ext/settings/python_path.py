"""Where the project's code is imported from: the same folders from every working directory."""

from __future__ import annotations

import os
import re
from configparser import ConfigParser, InterpolationError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_ext.settings.ini_file import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}


def python_path(
    root: Path,
    parser: ConfigParser | None,
    section: str,
    *,
    alembic_table: Mapping[str, Any],
    environ: Mapping[str, str],
) -> tuple[Path, ...]:
    """The project root, then ``prepend_sys_path``, then PYTHONPATH, all absolute, each once."""
    entries = [
        ".",
        *(_from_ini(parser, section) or _from_toml(alembic_table, root)),
        *environ.get("PYTHONPATH", "").split(os.pathsep),
    ]
    folders = (Path(os.path.normpath(root / entry.strip())) for entry in entries if entry.strip())
    return tuple(dict.fromkeys(folders))


def _from_ini(parser: ConfigParser | None, section: str) -> list[str]:
    if parser is None:
        return []
    try:
        text = option(parser, section, "prepend_sys_path")
        name = option(parser, section, "path_separator")
    except InterpolationError:
        return []  # said by the check ini-unreadable
    if not text:
        return []
    separator = _SEPARATORS.get(name or "")
    return text.split(separator) if separator else re.split(r", *|(?: +)|\:", text)


def _from_toml(table: Mapping[str, Any], root: Path) -> Iterator[str]:
    entries = table.get("prepend_sys_path", [])
    for entry in [entries] if isinstance(entries, str) else entries if isinstance(entries, list) else []:
        if isinstance(entry, str):
            yield entry.replace("%(here)s", root.as_posix()).replace("%%", "%")


def folder_holding(module: str, root: Path, *, depth: int = 3) -> Path | None:
    """The nearest folder of the project with this module's top-level module or package; environments are left out.

    :param depth: how many levels below the project root are searched.
    """
    package = module.partition(".")[0]
    folders = [root]
    for _ in range(depth + 1):
        for folder in folders:
            if (folder / f"{package}.py").is_file() or any((folder / package).glob("*.py")):
                return folder
        folders = [inner for folder in folders for inner in _inner_folders(folder)]
    return None


def _inner_folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            inner
            for inner in folder.iterdir()
            if inner.name[0] not in "._"
            and inner.name not in ("node_modules", "site-packages")
            and inner.is_dir()
            and not inner.is_symlink()
            and not (inner / "pyvenv.cfg").exists()
        )
    except OSError:
        return []
