"""``${VAR}`` in configuration files: the environment first, then the ``.env`` beside the file."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from alembic_ext.settings.text_file import is_file, read_text_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTENV_REFERENCE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
_MAX_NESTING = 20


class BadReferenceError(ValueError):
    """Raised for a ``${`` that is not closed, or does not hold the name of a variable."""


class Variables:
    """Values by name. The ``.env`` is read when the environment does not have the answer, and never changes it."""

    def __init__(self, environ: Mapping[str, str], dotenv: Path, root: Path) -> None:
        self._environ = environ
        self._root = root
        self._dotenv = dotenv
        self._from_file: Mapping[str, str] | None = None

    def get(self, name: str) -> str | None:
        """The value, or ``None``.

        :raises UnusableSettingError: there is a ``.env`` and it cannot be read.
        """
        if name in self._environ:
            return self._environ[name]
        if self._from_file is None:
            self._from_file = (
                read_dotenv(self._dotenv, self._root, self._environ) if is_file(self._dotenv) else {}
            )
        return self._from_file.get(name)


def read_dotenv(path: Path, root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a ``.env``, with references inside it resolved: the environment beats the file here too."""
    from dotenv import dotenv_values  # noqa: PLC0415 - only where a .env exists

    values: dict[str, str] = {}

    def referenced(match: re.Match[str]) -> str:
        name = match["name"]
        return environ.get(name, values.get(name, match["default"] or ""))

    for name, text in dotenv_values(
        stream=io.StringIO(read_text_file(path, root)), interpolate=False
    ).items():
        if text is not None:
            values[name] = _DOTENV_REFERENCE.sub(referenced, text)
    return values


def interpolate(text: str, lookup: Callable[[str], str | None]) -> tuple[str, tuple[str, ...]]:
    """Replace ``${VAR}``, ``${VAR:default}``, ``${VAR:-default}`` and ``$$``.

    A default counts when the variable is unset or empty, and may hold further references. Values are not
    looked into again. The second result names the variables that have neither value nor default.

    :raises BadReferenceError: a reference is malformed. The text is not shown: it may be a password.
    """
    parts: list[str] = []
    missing: list[str] = []
    position = 0
    while (start := text.find("$", position)) >= 0:
        parts.append(text[position:start])
        position = start + 2
        if text.startswith("$$", start):
            parts.append("$")
        elif text.startswith("${", start):
            end = _closing_brace(text, position)
            name, colon, default = text[position:end].partition(":")
            if not _NAME.fullmatch(name):
                raise BadReferenceError("holds a ${...} whose name is no variable name")
            if value := lookup(name):
                parts.append(value)
            elif colon:
                inner, inner_missing = interpolate(default.removeprefix("-"), lookup)
                parts.append(inner)
                missing.extend(inner_missing)
            else:
                missing.append(name)
            position = end + 1
        else:
            parts.append("$")
            position = start + 1
    parts.append(text[position:])
    return "".join(parts), tuple(dict.fromkeys(missing))


def _closing_brace(text: str, position: int) -> int:
    depth = 0
    while position < len(text):
        if text.startswith("$$", position):
            position += 1
        elif text.startswith("${", position):
            depth += 1
            position += 1
            if depth > _MAX_NESTING:
                raise BadReferenceError(f"nests ${{...}} deeper than {_MAX_NESTING} levels")
        elif text[position] == "}":
            if depth == 0:
                return position
            depth -= 1
        position += 1
    raise BadReferenceError("holds a ${ that is never closed")
