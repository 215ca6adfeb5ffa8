"""The YAML configuration file: where its database is, in whatever shape the project wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_ext.settings.engine_options import (
    ENGINE_OPTIONS,
    POOL_NAMES,
    BadOptionError,
    engine_option,
    for_dialect,
)
from alembic_ext.settings.model import SettingsProblem
from alembic_ext.settings.text_file import shown
from alembic_ext.settings.urls import (
    ALIASES,
    KINDS,
    BadURLError,
    create_url,
    passwords_in,
    read_port,
    read_url,
)
from alembic_ext.settings.variables import BadReferenceError, Variables, interpolate
from alembic_ext.settings.yaml_file import Node, YamlFile, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import URL

DATABASE_KEYS = ("database", "sqlalchemy", "database_url", "DATABASE_URL", "db")
"""Where a database is looked for, in this order, without the setting ``database_key``."""

_URL_KEYS = ("url", "uri", "dsn")
_DIALECT_KEYS = ("type", "dialect", "drivername")
_HOST_KEYS = ("host", "hostname")
_USERNAME_KEYS = ("username", "user")
_PASSWORD_KEYS = ("password", "passwd", "pass")
_NAME_KEYS = ("database", "name", "dbname", "db")
_PATH_KEYS = ("path", "file", "filename")
_QUERY_KEYS = frozenset({"charset", "unix_socket", "application_name", "connect_timeout"})
_KNOWN_KEYS = frozenset(
    {*_URL_KEYS, *_DIALECT_KEYS, *_HOST_KEYS, *_USERNAME_KEYS, *_PASSWORD_KEYS, *_NAME_KEYS, *_PATH_KEYS}
    | {"driver", "port", "pool", "options", "connect_args", "query"}
)
_SECTION_KEYS = frozenset({*KINDS, *ALIASES})
_NO_CHARSET = "charset means nothing to this database"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the file the database is described."""

    key: str
    node: Node


@dataclass(frozen=True, kw_only=True)
class Described:
    """A database as the file describes it."""

    url: URL
    key: str
    engine_options: Mapping[str, Any]


class ConfigFile:
    """One YAML file. What is wrong with the parts that are used gathers in ``problems``, and no part that is
    not used is ever interpolated.

    :param named: somebody named this file.
    :raises UnusableSettingError: the file as a whole cannot be read.
    """

    def __init__(self, path: Path, root: Path, environ: Mapping[str, str], *, named: bool) -> None:
        self.path = path
        self.root = root
        self.named = named
        self.name = shown(path, root)
        self.yaml: YamlFile = read_yaml(path, root)
        self.problems: list[SettingsProblem] = []
        self.notes: list[str] = []
        self.secrets: list[str] = []
        self._variables = Variables(environ, path.parent / ".env", root)

    # Finding

    def place(self, database_key: str | None) -> Place | None:
        """The place of the database, or ``None``. Other places that would do are noted.

        Raises nothing, and looks into no variable.
        """
        root = self.yaml.root
        if root is None:
            return None
        if database_key is not None:
            node = _at(root, database_key.split("."))
            return None if node is None or node.is_null else Place(key=database_key, node=node)
        places = [
            Place(key=key, node=node)
            for key in DATABASE_KEYS
            if (node := root.entries.get(key)) is not None and not node.is_null and _describes_database(node)
        ]
        for other in places[1:]:
            self.notes.append(f"{self.name}: {other.key} was not used, because {places[0].key} comes first.")
        return places[0] if places else None

    # Reading

    def refuse_whole(self) -> None:
        """Note what makes the file unfit for use as a whole."""
        for duplicate in self.yaml.duplicates:
            self._problem(
                f"gives the key {duplicate.key} twice, in lines {duplicate.first_line} and {duplicate.line}",
                "Remove one of the two.",
                reason="duplicate-key",
                key=duplicate.key,
                line=duplicate.line,
                column=duplicate.column,
            )
        root = self.yaml.root
        if root is not None and not isinstance(root.value, dict):
            self._problem(
                "is not a mapping of keys to values",
                "Write 'database: ...' at its top.",
                reason="not-a-mapping",
            )

    def database(self, place: Place) -> Described | None:
        """The database at this place, or ``None`` when ``problems`` says why not."""
        described = self._described(place.node, place.key, kind=None)
        self.secrets.extend(_passwords_below(place.node, self._quietly))
        if described is not None and described.url.password:
            self.secrets.append(str(described.url.password))
        return described

    def expect(self) -> dict[str, str]:
        """What the target must match."""
        node = self._top("expect", dict)
        if node is None:
            return {}
        expected: dict[str, str] = {}
        for key, child in node.entries.items():
            if key not in {"host", "port", "database"}:
                self._bad(
                    child,
                    f"expect.{key}",
                    "is no expectation",
                    "Use host, port and database.",
                    reason="unknown-key",
                )
            elif (text := self.text(child, f"expect.{key}")) is not None:
                expected[key] = text
        return expected

    def nodes(self) -> tuple[URL, ...]:
        """URLs of further cluster nodes."""
        node = self._top("nodes", list)
        if node is None or not isinstance(node.value, list):
            return ()
        urls = (self._url(child, f"nodes.{index}") for index, child in enumerate(node.value))
        return tuple(url for url in urls if url is not None)

    def text(self, node: Node | None, key: str) -> str | None:
        """A scalar's text with its variables filled in; ``None`` when it is absent, null, empty or unusable."""
        if node is None or node.is_null:
            return None
        if not isinstance(node.value, str):
            self._bad(node, key, "must be a single value", "Write one value there.", reason="not-text")
            return None
        if node.tag is not None:
            self._bad(
                node,
                key,
                "has a YAML tag, and tags are not evaluated",
                "Write ${VARIABLE} instead.",
                reason="tag",
            )
            return None
        try:
            text, missing = interpolate(node.value, self._variables.get)
        except BadReferenceError as exc:
            self._bad(
                node, key, str(exc), "Write ${NAME}, ${NAME:default}, or $$ for a dollar.", reason="reference"
            )
            return None
        for name in missing:
            self.problems.append(self._variable_missing(node, key, name))
        return None if missing else text or None

    # Shapes

    def _described(self, node: Node, key: str, *, kind: str | None) -> Described | None:
        if isinstance(node.value, str):
            url = self._url(
                node,
                key,
                path_allowed=(kind or "sqlite").lower() in {"sqlite", "sqlite3"}
                and not key.lower().endswith("url"),
            )
            return None if url is None else Described(url=url, key=key, engine_options={})
        if isinstance(node.value, list):
            self._bad(
                node,
                key,
                "is a list, and one database was expected",
                "Name the one with the setting database_key.",
                reason="list",
            )
            return None
        self._note_unknown_keys(node, key)
        for url_key in _URL_KEYS:
            child = node.entries.get(url_key)
            if child is not None and not child.is_null and not _is_empty(self._quietly(child)):
                return self._with_options(self._url(child, f"{key}.{url_key}"), node, f"{key}.{url_key}", key)
        dialect, dialect_key = self._first_text(node, key, _DIALECT_KEYS)
        if dialect is None and dialect_key is not None:
            return None
        section = self._section(node, dialect)
        if section is not None:
            name, child = section
            if isinstance(child.value, list):
                self._bad(child, f"{key}.{name}", "is a list", "Write a mapping there.", reason="list")
                return None
            described = self._described(child, f"{key}.{name}", kind=dialect or name)
            return None if described is None else self._with_outer_options(described, node, key)
        return self._from_parts(node, key, dialect=dialect or kind)

    def _section(self, node: Node, dialect: str | None) -> tuple[str, Node] | None:
        """The section that ``type`` chooses, or the only one there is."""
        sections = {
            name: child
            for name, child in node.entries.items()
            if isinstance(child.value, dict) or name in _SECTION_KEYS
        }
        sections = {
            name: child for name, child in sections.items() if not child.is_null and name not in _KNOWN_KEYS
        }
        if dialect is None:
            known = [name for name in sections if name in _SECTION_KEYS]
            return (known[0], sections[known[0]]) if len(known) == 1 else None
        base = dialect.lower().partition("+")[0]
        canonical = ALIASES.get(base, base)
        relatives = {"mysql": "mariadb", "mariadb": "mysql"}
        names = (
            dialect,
            base,
            canonical,
            *(alias for alias, name in ALIASES.items() if name == canonical),
            relatives.get(canonical),
        )
        return next(((name, sections[name]) for name in names if name in sections), None)

    def _from_parts(self, node: Node, key: str, *, dialect: str | None) -> Described | None:
        before = len(self.problems)
        driver = self.text(node.entries.get("driver"), f"{key}.driver")
        path, path_key = self._first_text(node, key, _PATH_KEYS)
        if dialect is None and driver is not None and (driver.partition("+")[0] in KINDS):
            dialect, driver = driver, None
        if dialect is None and path is not None:
            dialect = "sqlite"
        if dialect is None:
            if len(self.problems) == before:
                self._missing_part(
                    node,
                    key,
                    "does not say which kind of database it is",
                    "Add 'type: sqlite', mysql, mariadb or postgresql.",
                )
            return None
        base, _, named_driver = dialect.lower().partition("+")
        base = ALIASES.get(base, base)
        drivername = "+".join(part for part in (base, named_driver or driver) if part)
        name, name_key = self._first_text(node, key, _NAME_KEYS)
        if base == "sqlite":
            return self._sqlite(node, key, drivername, path or name, path_key or name_key)
        host, _ = self._first_text(node, key, _HOST_KEYS)
        username, _ = self._first_text(node, key, _USERNAME_KEYS)
        password, _ = self._first_text(node, key, _PASSWORD_KEYS)
        port = self._port(node, key)
        if password is not None:
            self.secrets.append(password)
        if name is None and name_key is None and base in KINDS:
            self._missing_part(node, key, "names no database", f"Add {key}.database.")
        if len(self.problems) > before:
            return None
        try:
            url = create_url(
                drivername,
                self.root,
                username=username,
                password=password,
                host=host,
                port=port,
                database=name,
            )
        except BadURLError as exc:
            self._bad(node, key, exc.message.rstrip("."), exc.hint or "", reason="url")
            return None
        return self._with_options(url, node, key, key)

    def _port(self, node: Node, key: str) -> int | None:
        text = self.text(node.entries.get("port"), f"{key}.port")
        if text is None:
            return None
        try:
            return read_port(text)
        except BadURLError as exc:
            self._bad(
                node.entries["port"], f"{key}.port", exc.message.rstrip("."), exc.hint or "", reason="port"
            )
            return None

    def _sqlite(
        self, node: Node, key: str, drivername: str, path: str | None, path_key: str | None
    ) -> Described | None:
        if path is None:
            if path_key is None:
                self._missing_part(node, key, "names no SQLite file", f"Add {key}.path, or ':memory:' there.")
            return None
        return self._with_options(self._sqlite_url(path, drivername), node, key, key)

    def _sqlite_url(self, path: str, drivername: str = "sqlite") -> URL:
        if path.startswith("file:"):
            name, _, query = path.partition("?")
            pairs = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
            return create_url(drivername, self.root, database=name, query={**pairs, "uri": "true"})
        if path.startswith("~"):
            path = str(Path(path).expanduser())
        return create_url(drivername, self.root, database=path)

    def _url(self, node: Node, key: str, *, path_allowed: bool = False) -> URL | None:
        text = self.text(node, key)
        if text is None:
            return None
        self.secrets.extend(passwords_in(text))
        try:
            if (
                "://" not in text
                and path_allowed
                and not re.match(r"[A-Za-z][\w+]+:(?!\Z)", text.removeprefix("file:"))
            ):
                return self._sqlite_url(text)
            return read_url(text, self.root)
        except BadURLError as exc:
            self._bad(node, key, exc.message.rstrip("."), exc.hint or "", reason="url")
            return None

    def _with_options(self, url: URL | None, node: Node, source_key: str, key: str) -> Described | None:
        """Add the engine options and the query that stand beside the address."""
        if url is None:
            return None
        before = len(self.problems)
        engine: dict[str, Any] = {}
        query: dict[str, str] = {}
        for name, child, where in self._options(node, key):
            if name in ENGINE_OPTIONS:
                if (text := self.text(child, where)) is not None:
                    try:
                        engine[name] = engine_option(name, text)
                    except BadOptionError as exc:
                        self._bad(child, where, str(exc), "Correct the value.", reason="option")
            elif isinstance(child.value, str):
                if (text := self.text(child, where)) is not None:
                    query[name] = text
            else:
                engine.setdefault("connect_args", {})[name] = self._plain(child, where)
        if (arguments := node.entries.get("connect_args")) is not None and not arguments.is_null:
            if isinstance(arguments.value, dict):
                engine.setdefault("connect_args", {}).update(self._plain(arguments, f"{key}.connect_args"))
            else:
                self._bad(
                    arguments,
                    f"{key}.connect_args",
                    "must be a mapping",
                    "Write 'name: value' lines below it.",
                    reason="not-a-mapping",
                )
        if "charset" in query and url.get_backend_name() not in {"mysql", "mariadb"}:
            self.notes.append(f"{self.name}: {key}.charset was not used: {_NO_CHARSET}.")
            del query["charset"]
        if len(self.problems) > before:
            return None
        engine, ignored = for_dialect(engine, url.get_backend_name())
        self.notes.extend(
            f"{self.name}: {key}: {name} was not used, it means nothing to SQLite." for name in ignored
        )
        return Described(url=url.update_query_dict(query), key=source_key, engine_options=engine)

    def _with_outer_options(self, described: Described, node: Node, key: str) -> Described | None:
        """Options beside ``type`` hold for whichever section it chooses; the section's own win."""
        outer = self._with_options(described.url, node, described.key, key)
        if outer is None:
            return None
        return Described(
            url=outer.url.update_query_dict(dict(described.url.query)),
            key=described.key,
            engine_options={**outer.engine_options, **described.engine_options},
        )

    def _options(self, node: Node, key: str) -> Iterator[tuple[str, Node, str]]:
        """Every option as (SQLAlchemy's or the driver's name, its node, its key)."""
        for name, child in node.entries.items():
            if name in ENGINE_OPTIONS or name in _QUERY_KEYS or name.startswith("ssl"):
                if not child.is_null:
                    yield name, child, f"{key}.{name}"
            elif name in {"pool", "options", "query"} and not child.is_null:
                if not isinstance(child.value, dict):
                    self._bad(
                        child,
                        f"{key}.{name}",
                        "must be a mapping",
                        "Write 'name: value' lines below it.",
                        reason="not-a-mapping",
                    )
                    continue
                for inner_name, inner in child.entries.items():
                    where = f"{key}.{name}.{inner_name}"
                    known = POOL_NAMES.get(inner_name, inner_name) if name == "pool" else inner_name
                    if name == "pool" and known not in ENGINE_OPTIONS:
                        self.notes.append(f"{self.name}: {where} is no option of a pool, and was not used.")
                    elif not inner.is_null:
                        yield known, inner, where

    # Words

    def _first_text(self, node: Node, key: str, names: tuple[str, ...]) -> tuple[str | None, str | None]:
        """The first of these keys that has a value, and its name; the name alone when its value is unusable."""
        for name in names:
            child = node.entries.get(name)
            if child is None or child.is_null or (name in _NAME_KEYS and isinstance(child.value, dict)):
                continue
            before = len(self.problems)
            text = self.text(child, f"{key}.{name}")
            if text is not None or len(self.problems) > before:
                return text, name
        return None, None

    def _plain(self, node: Node, key: str) -> Any:
        """A value for the driver: numbers and booleans as YAML 1.2 reads them, quoted text stays text."""
        if isinstance(node.value, dict):
            return {name: self._plain(child, f"{key}.{name}") for name, child in node.entries.items()}
        if isinstance(node.value, list):
            return [self._plain(child, f"{key}.{index}") for index, child in enumerate(node.value)]
        text = self.text(node, key)
        if key.rpartition(".")[2] in _PASSWORD_KEYS:
            self.secrets.extend([text] if text else [])
            return text
        if text is None:
            return None if node.is_null else ""
        return _typed(text) if node.plain else text

    def _quietly(self, node: Node) -> str | None:
        """The text where it can be had; problems are somebody else's."""
        if not isinstance(node.value, str) or node.tag is not None:
            return None
        try:
            text, missing = interpolate(node.value, self._variables.get)
        except BadReferenceError:
            return None
        return None if missing else text

    def _top(self, key: str, kind: type) -> Node | None:
        node = self.yaml.root.entries.get(key) if self.yaml.root is not None else None
        if node is None or node.is_null:
            return None
        if not isinstance(node.value, kind):
            what = "a mapping" if kind is dict else "a list"
            self._bad(node, key, f"must be {what}", f"Write {what} there, or remove it.", reason="shape")
            return None
        return node

    def _note_unknown_keys(self, node: Node, key: str) -> None:
        for name, child in node.entries.items():
            known = (
                name in _KNOWN_KEYS or name in _SECTION_KEYS or name in ENGINE_OPTIONS or name in _QUERY_KEYS
            )
            if not known and not name.startswith("ssl") and isinstance(child.value, str):
                self.notes.append(
                    f"{self.name}: {key}.{name} (line {child.line}) is not a known key, and was not used."
                )

    # Problems

    def _problem(
        self,
        what: str,
        hint: str,
        *,
        reason: str,
        code: str = "AX102",
        key: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.problems.append(
            SettingsProblem(
                code=code,
                summary=f"{self.name} {what}.",
                hint=hint,
                path=self.path,
                line=line,
                column=column,
                key=key,
                evidence={
                    "reason": reason,
                    "path": str(self.path),
                    "line": line,
                    "column": column,
                    "key": key,
                },
                named=self.named,
            )
        )

    def _bad(self, node: Node, key: str, what: str, hint: str, *, reason: str) -> None:
        """A value that cannot be used: AX102, for its file cannot be."""
        self._problem(
            f"line {node.line}: {key} {what}",
            hint,
            reason=reason,
            key=key,
            line=node.line,
            column=node.column,
        )

    def _missing_part(self, node: Node, key: str, what: str, hint: str) -> None:
        """A description of a database that lacks something: AX104."""
        self.problems.append(
            SettingsProblem(
                code="AX104",
                summary=f"{self.name} line {node.line}: {key} {what}.",
                hint=hint,
                path=self.path,
                line=node.line,
                column=node.column,
                key=key,
                evidence={"looked_for": [key], "path": str(self.path)},
                named=self.named,
            )
        )

    def _variable_missing(self, node: Node, key: str, name: str) -> SettingsProblem:
        return SettingsProblem(
            code="AX103",
            summary=f"{self.name} line {node.line}: {key} needs the variable {name}, which is not set and has no default.",
            hint=f"Set {name} in the environment or in {shown(self.path.parent / '.env', self.root)}, or write ${{{name}:default}}.",
            path=self.path,
            line=node.line,
            column=node.column,
            key=key,
            evidence={"variable": name, "path": str(self.path), "line": node.line, "key": key},
            named=self.named,
        )


def _at(node: Node, parts: list[str]) -> Node | None:
    """The node at a dotted path. Keys that hold dots themselves are found too; a number is a list's index."""
    if not parts:
        return node
    if isinstance(node.value, list):
        index = int(parts[0]) if parts[0].isdecimal() else -1
        return _at(node.value[index], parts[1:]) if 0 <= index < len(node.value) else None
    for length in range(len(parts), 0, -1):
        child = node.entries.get(".".join(parts[:length]))
        if child is not None and (found := _at(child, parts[length:])) is not None:
            return found
    return None


def _describes_database(node: Node) -> bool:
    """Does this look like a database at all? A mapping of other things under ``db`` is not our business."""
    if not isinstance(node.value, dict):
        return True
    keys = {key for key, child in node.entries.items() if not child.is_null}
    address = {*_URL_KEYS, *_DIALECT_KEYS, *_PATH_KEYS, *_HOST_KEYS, "driver"}
    return not keys.isdisjoint(address | _SECTION_KEYS)


def _is_empty(text: str | None) -> bool:
    return text == ""


def _typed(text: str) -> Any:
    if text in {"true", "True", "false", "False"}:
        return text.lower() == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text):
        return float(text)
    return text


def _passwords_below(node: Node, text_of: Any) -> Iterator[str]:
    """Passwords in the sections that are not used: env.py may well show those."""
    for name, child in node.entries.items():
        if isinstance(child.value, dict):
            yield from _passwords_below(child, text_of)
        elif name in _PASSWORD_KEYS and not child.is_null and (text := text_of(child)):
            yield text
        elif isinstance(child.value, str) and "://" in child.value:
            yield from passwords_in(text_of(child) or "")
