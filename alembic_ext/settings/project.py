"""Where the project is: its root, its alembic.ini and its pyproject.toml, the same from every working directory."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alembic.config import Config

_INI = "alembic.ini"
_TOML = "pyproject.toml"


@dataclass(frozen=True, kw_only=True)
class Project:
    """The root and the two files, whether they exist or not.

    :param ini: ``None`` when the caller's ``Config`` has none on purpose.
    """

    root: Path
    ini: Path | None
    toml: Path


def find_project(config: Config | None, root: Path | None, environ: Mapping[str, str], cwd: Path) -> Project:
    """The folder of the file that was named (``-c``, ``ALEMBIC_CONFIG``, ``Config(file_)``), the ini before the
    pyproject.toml; else of an alembic.ini, else of a pyproject.toml, beside the runner or in the working directory.

    Alembic hands over ``alembic.ini`` and ``pyproject.toml`` also when nobody named them: those names count as
    not named. Symbolic links in the folder are followed, a link that is the file itself is not.
    """
    ini, toml = _named(config, environ)
    base = _real(cwd if root is None else root)
    if ini is not None:
        path = located(ini, cwd)
        return Project(root=path.parent, ini=path, toml=located(toml, cwd) if toml else path.parent / _TOML)
    if toml is not None:
        path = located(toml, cwd)
        return Project(root=path.parent, ini=path.parent / _INI, toml=path)
    if config is not None and config.config_file_name is None:
        return Project(root=base, ini=None, toml=base / _TOML)
    return Project(root=base, ini=base / _INI, toml=base / _TOML)


def _named(config: Config | None, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The ini and the pyproject.toml that somebody named."""
    names: list[str] = []
    if config is not None:
        given = getattr(config.cmd_opts, "config", None) or []
        names = [given] if isinstance(given, str) else [str(name) for name in given]
        if not names:
            names = [
                str(name)
                for name, default in ((config.config_file_name, _INI), (config.toml_file_name, _TOML))
                if name and name != default
            ]
    in_code = config is not None and config.cmd_opts is None
    if not names and not in_code and (from_environment := environ.get("ALEMBIC_CONFIG")):
        names = [from_environment]
    ini = next((name for name in names if os.path.basename(name) != _TOML), None)  # noqa: PTH119 - a name, not a path yet
    toml = next((name for name in names if os.path.basename(name) == _TOML), None)  # noqa: PTH119
    return ini, toml


def located(name: str, folder: Path) -> Path:
    """The file of this name, as seen from a folder; links on the way are followed, one that is the file is not."""
    path = folder / name
    return _real(path.parent) / path.name


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))
