"""Our own keys, from ``[tool.alembic_ext]`` of pyproject.toml or ``[alembic_ext]`` of alembic.ini."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from alembic_ext.settings.model import OwnSettings, SettingsProblem, UnusableSettingError
from alembic_ext.settings.text_file import read_text_file, shown, unusable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from configparser import ConfigParser
    from pathlib import Path

_SECTION = "alembic_ext"
_DAY = 86400.0


def read_toml(path: Path, root: Path) -> Mapping[str, Any]:
    """The table ``[tool]`` of a pyproject.toml.

    :raises UnusableSettingError: it cannot be read or is not TOML.
    """
    text = read_text_file(path, root)
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 - only where there is a pyproject.toml
    else:
        import tomli as tomllib  # noqa: PLC0415
    try:
        tool = tomllib.loads(text).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        found = re.search(r"at line (\d+), column (\d+)", str(exc))
        line, column = (int(found[1]), int(found[2])) if found else (None, None)
        where = f" (line {line}, column {column})" if found else ""
        if "end of document" in str(exc):
            line, where = (
                len(text.splitlines()),
                f" (something is not closed at its end, line {len(text.splitlines())})",
            )
        raise unusable(
            path,
            root,
            "AX102",
            "toml",
            f"is not valid TOML{where}.",
            "Correct it there.",
            line=line,
            column=column,
        ) from None
    return tool if isinstance(tool, dict) else {}


def own_settings(
    root: Path, *, toml: Path | None, tool: Mapping[str, Any], ini: Path | None, parser: ConfigParser | None
) -> OwnSettings:
    """Our settings.

    :raises UnusableSettingError: given in both files, or a value of the wrong kind.
    """
    in_ini = parser is not None and parser.has_section(_SECTION)
    if toml is not None and _SECTION in tool and in_ini and ini is not None:
        raise _bad(
            toml,
            None,
            f"{shown(toml, root)} has [tool.{_SECTION}] and {shown(ini, root)} has [{_SECTION}]: only one may.",
            "Keep one of the two.",
        )
    if toml is not None and _SECTION in tool:
        return _from_toml(toml, root, tool[_SECTION])
    if in_ini and ini is not None and parser is not None:
        defaults = parser.defaults()
        values = {
            key: value
            for key, value in parser.items(_SECTION, raw=True)
            if key not in defaults or defaults[key] != value
        }
        return _from_ini(ini, root, values)
    return OwnSettings()


def _from_toml(path: Path, root: Path, table: Any) -> OwnSettings:
    if not isinstance(table, dict):
        raise _bad(path, None, f"{shown(path, root)}: [tool.{_SECTION}] is not a table.", "Make it a table.")

    def refused(key: str, what: str) -> UnusableSettingError:
        return _bad(
            path, key, f"{shown(path, root)}: [tool.{_SECTION}] {key} must be {what}.", "Correct the value."
        )

    def text(key: str) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise refused(key, "text")
        return value or None

    def texts(key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise refused(key, "a list of text")
        return tuple(items)

    ignore = table.get("ignore", {})
    if not isinstance(ignore, dict) or not all(isinstance(reason, str) for reason in ignore.values()):
        raise refused("ignore", 'a table of codes and reasons, {AX601 = "reason"}')
    timeout = table.get("connect_timeout", OwnSettings.connect_timeout)
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= _DAY:
        raise refused("connect_timeout", "a number of seconds above 0, a day at most")
    return OwnSettings(
        path=path,
        config_file=text("config_file"),
        database_key=text("database_key"),
        metadata=texts("metadata"),
        heads=texts("heads"),
        ignore=dict(ignore),
        connect_timeout=float(timeout),
        unknown=_unknown(table),
    )


def _from_ini(path: Path, root: Path, values: Mapping[str, str]) -> OwnSettings:
    def lines(key: str) -> tuple[str, ...]:
        return tuple(line.strip() for line in values.get(key, "").splitlines() if line.strip())

    def refused(key: str, what: str) -> UnusableSettingError:
        return _bad(
            path, key, f"{shown(path, root)}: [{_SECTION}] {key} must be {what}.", "Correct the value."
        )

    ignore: dict[str, str] = {}
    for line in lines("ignore"):
        code, equals, reason = line.partition("=")
        if not equals:
            raise refused("ignore", "lines of 'CODE = reason'")
        ignore[code.strip()] = reason.strip()
    try:
        timeout = float(values.get("connect_timeout", OwnSettings.connect_timeout))
    except ValueError:
        timeout = 0
    if not 0 < timeout <= _DAY:
        raise refused("connect_timeout", "a number of seconds above 0, a day at most")
    return OwnSettings(
        path=path,
        config_file=values.get("config_file", "").strip() or None,
        database_key=values.get("database_key", "").strip() or None,
        metadata=lines("metadata"),
        heads=lines("heads"),
        ignore=ignore,
        connect_timeout=timeout,
        unknown=_unknown(values),
    )


def _unknown(values: Mapping[str, Any]) -> tuple[str, ...]:
    known = {"config_file", "database_key", "metadata", "heads", "ignore", "connect_timeout"}
    return tuple(key for key in values if key not in known)


def _bad(path: Path, key: str | None, summary: str, hint: str) -> UnusableSettingError:
    return UnusableSettingError(
        SettingsProblem(
            code="AX102",
            summary=summary,
            hint=hint,
            path=path,
            key=key,
            evidence={"reason": "setting", "path": str(path), "line": None, "column": None, "key": key},
        )
    )
