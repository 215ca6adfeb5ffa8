"""alembic.ini: read by us as UTF-8 everywhere, and what would stop Alembic itself from reading it here."""

from __future__ import annotations

import ast
import locale
import re
from configparser import (
    ConfigParser,
    DuplicateOptionError,
    DuplicateSectionError,
    Error,
    InterpolationError,
    InterpolationMissingOptionError,
    MissingSectionHeaderError,
)
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_ext.settings.model import Settings, UnusableSettingError
from alembic_ext.settings.text_file import read_bytes, shown, unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from alembic.config import Config

_BOM = b"\xef\xbb\xbf"
_KEYS_OF_ALEMBIC = frozenset(
    {
        "script_location",
        "file_template",
        "prepend_sys_path",
        "timezone",
        "truncate_slug_length",
        "revision_environment",
        "sourceless",
        "version_locations",
        "path_separator",
        "version_path_separator",
        "recursive_version_locations",
        "output_encoding",
    }
)
_LOGGING = ("loggers", "handlers", "formatters")


@dataclass(frozen=True, kw_only=True)
class IniProblem:
    """Why Alembic or env.py will stumble over alembic.ini.

    :param kind: ``bom``, ``encoding``, ``syntax``, ``single-percent``, ``unknown-reference``, ``no-section``,
        ``no-logging-sections`` or ``missing``.
    :param summary: one sentence; never shows a value.
    """

    kind: str
    summary: str
    hint: str
    line: int | None = None
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class IniFile:
    """alembic.ini as Alembic itself would see it in this locale.

    :param encoding: the encoding that Alembic reads it with.
    """

    path: Path
    encoding: str
    problems: tuple[IniProblem, ...] = ()


def load_parser(path: Path, config_args: Mapping[str, str] | None = None) -> ConfigParser:
    """alembic.ini in a parser like Alembic's own, whatever the locale, with or without byte order mark.

    The file is UTF-8; one that is not, but is readable in this locale as it would be for Alembic, is read so.
    A ``%`` in the folder's name does not disturb ``%(here)s``.

    :raises UnusableSettingError: it cannot be read or parsed. No line of it is shown.
    """
    folder = path.absolute().parent
    data = read_bytes(path, folder, code="AX113")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        try:
            text = data.decode(locale_encoding())
        except (UnicodeDecodeError, LookupError):
            raise unusable(
                path,
                folder,
                "AX113",
                "encoding",
                f"is not UTF-8 (line {_line_at(data, exc.start)}).",
                "Save it as UTF-8.",
            ) from None
    parser = ConfigParser({**(config_args or {}), "here": folder.as_posix().replace("%", "%%")})
    try:
        parser.read_string(text)
    except Error as exc:
        line, what = _syntax(exc)
        raise unusable(
            path,
            folder,
            "AX113",
            "syntax",
            f"is not a valid ini file: {what}.",
            "Correct that line.",
            line=line,
        ) from None
    return parser


def option(parser: ConfigParser, section: str, key: str) -> str | None:
    """An option of the main section, interpolated.

    :raises InterpolationError: its text holds part of the value and must not be shown.
    """
    return parser.get(section, key, fallback=None) if parser.has_section(section) else None


def read_ini_file(
    settings: Settings, *, env_script: Path | None = None, config: Config | None = None
) -> IniFile | None:
    """What would stop Alembic itself from using alembic.ini here, or ``None`` when no ini plays a part.

    :param env_script: the project's env.py, for the sections that it needs.
    :param config: as the caller built it; sections and values that were set in code are not missing.
    """
    encoding = locale_encoding()
    path = settings.ini
    if path is None:
        wanted = settings.ini_named
        if wanted is None or env_script is None or not _configures_logging(env_script):
            return None
        name = shown(wanted, settings.root)
        problem = IniProblem(
            kind="missing",
            summary=f"{name} does not exist, and env.py reads its logging configuration from it.",
            hint=f"Call fileConfig() in env.py only when the file exists, or create {name} with logging sections.",
        )
        return IniFile(path=wanted, encoding=encoding, problems=(problem,))
    return IniFile(
        path=path, encoding=encoding, problems=tuple(_problems(path, encoding, settings, env_script, config))
    )


def locale_encoding() -> str:
    """What ``encoding="locale"``, Alembic's choice, means here."""
    if hasattr(locale, "getencoding"):
        return str(locale.getencoding())
    return locale.getpreferredencoding(do_setlocale=False)


def _problems(
    path: Path, encoding: str, settings: Settings, env_script: Path | None, config: Config | None
) -> Iterator[IniProblem]:
    name = shown(path, settings.root)
    try:
        parser = load_parser(path, config.config_args if config is not None else None)
        data = path.read_bytes()
    except (UnusableSettingError, OSError) as exc:
        problem = exc.problem if isinstance(exc, UnusableSettingError) else None
        kind = str(problem.evidence["reason"]) if problem else "unreadable"
        yield IniProblem(
            kind=kind,
            summary=problem.summary if problem else f"{name} cannot be read.",
            hint=problem.hint if problem else "Check the file's permissions.",
            line=problem.line if problem else None,
        )
        return
    if data.startswith(_BOM):
        yield IniProblem(
            kind="bom",
            summary=f"{name} begins with a byte order mark, which Alembic takes for text outside of any section.",
            hint="Save it as UTF-8 without BOM.",
            line=1,
        )
    try:
        data.decode(encoding)
    except LookupError:
        pass
    except UnicodeDecodeError as exc:
        line = _line_at(data, exc.start)
        yield IniProblem(
            kind="encoding",
            summary=f"{name} line {line} holds a character that Alembic cannot read in this locale ({encoding}).",
            hint="Keep alembic.ini in ASCII (comments too), or run in a UTF-8 locale.",
            line=line,
        )
    yield from _section_problems(parser, data, name, settings, config)
    if env_script is not None and _configures_logging(env_script) and (lacking := _lacking_logging(parser)):
        yield IniProblem(
            kind="no-logging-sections",
            summary=f"{name} lacks {', '.join(f'[{section}]' for section in lacking)}, and env.py calls fileConfig() on it.",
            hint="Add the logging sections that 'alembic init' writes, or remove fileConfig() from env.py.",
        )


def _section_problems(
    parser: ConfigParser, data: bytes, name: str, settings: Settings, config: Config | None
) -> Iterator[IniProblem]:
    main = settings.section
    if not parser.has_section(main):
        set_in_code = (
            config is not None and "file_config" in vars(config) and config.file_config.has_section(main)
        )
        if settings.toml is None and not set_in_code:
            yield IniProblem(
                kind="no-section",
                summary=f"{name} has no section [{main}].",
                hint="Add it, or name the right one with -n.",
            )
        return
    databases = re.split(r"[,\s]+", parser.get(main, "databases", raw=True, fallback=""))
    for section in dict.fromkeys((main, "post_write_hooks", *databases)):
        if not parser.has_section(section):
            continue
        for key in parser.options(section):
            kind = _reference_problem(parser, section, key)
            if kind is not None:
                line = _line_of(data, section, key)
                yield IniProblem(
                    kind=kind,
                    summary=f"{name}{f' line {line}' if line else ''}: [{section}] {key} "
                    + (
                        "holds a single %."
                        if kind == "single-percent"
                        else "refers to a key that does not exist."
                    ),
                    hint="Write %% for a percent sign.",
                    line=line,
                    key=key,
                )


def _reference_problem(parser: ConfigParser, section: str, key: str) -> str | None:
    try:
        parser.get(section, key)
    except InterpolationMissingOptionError:
        # env.py may set the key that a value refers to; Alembic reads its own keys before that
        return "unknown-reference" if key in _KEYS_OF_ALEMBIC else None
    except InterpolationError:
        return "single-percent"
    return None


def _line_of(data: bytes, section: str, key: str) -> int | None:
    """The line of a key; in ``[DEFAULT]`` when its own section does not have it."""
    found: dict[str, int] = {}
    current = ""
    for number, line in enumerate(data.decode("utf-8", "replace").lstrip("\ufeff").splitlines(), 1):
        if header := re.match(r"\[(?P<name>.+)\]", line):
            current = header["name"]
        elif (entry := re.match(r"(?P<key>[^\s#;=:][^=:]*?)\s*[=:]", line)) and entry["key"].lower() == key:
            found.setdefault(current, number)
    return found.get(section) or found.get("DEFAULT")


def _lacking_logging(parser: ConfigParser) -> tuple[str, ...]:
    """The sections that ``logging.config.fileConfig`` would look for in vain."""
    lacking = [section for section in _LOGGING if not parser.has_section(section)]
    for section in _LOGGING:
        keys = parser.get(section, "keys", raw=True, fallback="") if parser.has_section(section) else ""
        names = [f"{section[:-1]}_{item.strip()}" for item in keys.split(",") if item.strip()]
        lacking += [name for name in names if not parser.has_section(name)]
    return tuple(lacking)


def _configures_logging(env_script: Path) -> bool:
    """Does env.py call ``fileConfig`` at its top, unconditionally or when there is a config file name?

    Any other condition, or a ``try``, may be there just to avoid the problem: then the answer is no.
    """
    try:
        tree = ast.parse(env_script.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return False
    statements: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.If) and _asks_for_file_name(statement.test):
            statements += statement.body
        elif isinstance(statement, ast.Expr):
            statements.append(statement)
    calls = (statement.value for statement in statements if isinstance(statement, ast.Expr))
    return any(isinstance(call, ast.Call) and _name(call.func) == "fileConfig" for call in calls)


def _asks_for_file_name(test: ast.expr) -> bool:
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot):
        test = test.left
    return _name(test) == "config_file_name"


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _syntax(exc: Error) -> tuple[int | None, str]:
    """The line, and what is wrong with it, without the line itself."""
    if isinstance(exc, DuplicateOptionError):
        return exc.lineno, f"line {exc.lineno} gives {exc.option} twice in [{exc.section}]"
    if isinstance(exc, DuplicateSectionError):
        return exc.lineno, f"line {exc.lineno} begins [{exc.section}] a second time"
    if isinstance(exc, MissingSectionHeaderError):
        return exc.lineno, f"line {exc.lineno} stands before any [section]"
    errors: list[tuple[int, str]] = getattr(exc, "errors", [])
    line = errors[0][0] if errors else None
    return line, f"line {line} is neither a section nor 'key = value'"


def _line_at(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
