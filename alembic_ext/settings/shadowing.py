"""Folders and files of the project that hide the library ``alembic``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import alembic

from alembic_ext.settings.text_file import is_file

if TYPE_CHECKING:
    from alembic_ext.settings.model import Settings


@dataclass(frozen=True, kw_only=True)
class ShadowingFile:
    """A file that makes ``import alembic`` find the project's folder instead of the library.

    :param path: an ``alembic/__init__.py`` or an ``alembic.py``.
    :param empty: nothing but blanks: deleting it loses nothing.
    """

    path: Path
    empty: bool


@dataclass(frozen=True, kw_only=True)
class Shadowing:
    """All of them, in the order of the Python path."""

    files: tuple[ShadowingFile, ...] = ()


def read_shadowing(settings: Settings) -> Shadowing:
    """Look into the project root and the folders of the Python path."""
    found: list[ShadowingFile] = []
    seen: set[Path] = {Path(alembic.__file__).resolve()}
    for folder in dict.fromkeys((settings.root, *settings.python_path)):
        for path in (folder / "alembic" / "__init__.py", folder / "alembic.py"):
            if is_file(path) and path.resolve() not in seen and not _is_the_library(path):
                seen.add(path.resolve())
                found.append(ShadowingFile(path=path, empty=path.name == "__init__.py" and _is_empty(path)))
    return Shadowing(files=tuple(found))


def _is_the_library(path: Path) -> bool:
    return path.name == "__init__.py" and (path.parent / "runtime" / "migration.py").is_file()


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size < 1024 and not path.read_bytes().strip()  # noqa: PLR2004 - blanks only
    except OSError:
        return False
