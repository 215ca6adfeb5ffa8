"""Which tables the revision files create, as far as their text says."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from alembic_ext.facts.revision_files import RevisionFiles


@dataclass(frozen=True, kw_only=True)
class CreatedTables:
    """Tables that some revision creates, or renames a table to.

    :param names: without their schema.
    :param qualified: schema and name of those that name a schema.
    :param complete: no file does anything that may create a table which its text does not name; without it,
        a name that is not here may still be created.
    """

    names: frozenset[str]
    complete: bool
    qualified: frozenset[tuple[str, str]] = frozenset()

    @property
    def schemas(self) -> frozenset[str]:
        return frozenset(schema for schema, _ in self.qualified)

    @property
    def plain(self) -> frozenset[str]:
        """Names that are created in the connection's own schema."""
        return self.names - {name for _, name in self.qualified}


def created_tables(files: RevisionFiles) -> CreatedTables:
    """Read every file. It takes a while for thousands of files, so call it only when it is needed."""
    names: set[str] = set()
    qualified: set[tuple[str, str]] = set()
    complete = not files.unreadable
    for file in files.files:
        if not file.source:
            complete = False  # bytecode
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.source)
        upgrade = _Upgrade(tree)
        names.update(upgrade.names)
        qualified.update(upgrade.qualified)
        complete = complete and upgrade.complete
    return CreatedTables(names=frozenset(names), qualified=frozenset(qualified), complete=complete)


def may_name_a_schema(files: RevisionFiles) -> bool:
    """Whether any file seems to: a glance at the bytes, because reading every file takes a while."""
    return any(_SEEMS_TO_NAME_A_SCHEMA.search(file.source) for file in files.files)


_SEEMS_TO_NAME_A_SCHEMA = re.compile(
    rb"\bschema\s*=\s*(?!None\b)|\b(?:TABLE|EXISTS|TO)\s+[`\"\[]?[\w$]+[`\"\]]?\s*\.", re.IGNORECASE
)


def upgrade_is_empty(source: bytes) -> bool:
    """Whether the file's ``upgrade()`` does nothing at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == "upgrade":
            return all(_does_nothing(inner) for inner in statement.body)
    return False


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Return(value=None | ast.Constant()):
            return True
    return False


_CREATE_TABLE = re.compile(
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL|UNLOGGED|FOREIGN|VIRTUAL|TEMP|TEMPORARY)\s+)*TABLE\s+"
    r"(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>(?:[`\"\[]?[\w$]+[`\"\]]?\s*\.\s*)?[`\"\[]?[\w$]+[`\"\]]?)",
    re.IGNORECASE,
)
_RENAME_TABLE = re.compile(
    r"\b(?:ALTER\s+TABLE\s[^;]*?\sRENAME\s+(?:TO|AS)|RENAME\s+TABLE\s+\S+\s+TO)\s+(?P<name>[`\"\[]?[\w$.]+[`\"\]]?)",
    re.IGNORECASE,
)
_MAY_CREATE = re.compile(
    r"\b(?:CREATE|RENAME|SELECT\b.*\bINTO|CALL|EXECUTE|DO|SOURCE|IMPORT)\b", re.IGNORECASE | re.DOTALL
)
_NO_TABLE = re.compile(
    r"\s*(?:UPDATE|INSERT|DELETE|DROP|GRANT|REVOKE|COMMENT|SET|LOCK|TRUNCATE|REINDEX|VACUUM|ANALYZE|REFRESH"
    r"|ALTER\s+(?:TYPE|SEQUENCE|INDEX|DATABASE|VIEW|EXTENSION|TABLE\s+\S*\s+(?:ADD|DROP|ALTER|MODIFY|CHANGE|SET))"
    r"|CREATE\s+(?:UNIQUE\s+|OR\s+REPLACE\s+|MATERIALIZED\s+)*(?:INDEX|VIEW|TYPE|SEQUENCE|EXTENSION|TRIGGER|FUNCTION|PROCEDURE|SCHEMA|DOMAIN|COLLATION|ROLE|POLICY))\b",
    re.IGNORECASE,
)

_TRUSTED = frozenset({"sqlalchemy", "alembic", "geoalchemy2", "pgvector", "sqlmodel", "sqlalchemy_utils"})
"""Packages whose types and constructs create no table by being called."""
_RUNS_CODE = frozenset({"exec", "eval", "compile", "__import__"})
_RUNS_SQL = frozenset({"execute", "exec_driver_sql", "executescript", "scalar", "scalars", "executemany"})
_RUNS_ANYTHING = frozenset(
    {"create_all", "run_sync", "run_async", "invoke", "run_callable", "import_module", "main"}
)


@dataclass
class _Upgrade:
    """What the code of a file does on the way up: everything but ``downgrade`` and what only it calls."""

    tree: ast.Module
    names: set[str] = field(default_factory=set)
    qualified: set[tuple[str, str]] = field(default_factory=set)
    complete: bool = True
    functions: dict[str, ast.AST] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[ast.expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    self.functions[name] = node
                case ast.Import(names=aliases):
                    for alias in aliases:
                        self.imported[alias.asname or alias.name.partition(".")[0]] = alias.name.partition(
                            "."
                        )[0]
                case ast.ImportFrom(module=module, names=aliases, level=level):
                    for alias in aliases:
                        root = (module or "").partition(".")[0]
                        self.imported[alias.asname or alias.name] = "." if level else root
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._note(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._note(target, value)
                case ast.NamedExpr(target=target, value=value):
                    self._note(target, value)
        for call in self._calls():
            self._look_at(call)

    def _note(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.values.setdefault(target.id, []).append(value)

    def _calls(self) -> Iterator[ast.Call]:
        """Calls in the module's own statements, in ``upgrade``, and in the functions that these mention."""
        todo: list[ast.AST] = [
            node for node in self.tree.body if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        if "upgrade" in self.functions:
            todo.append(self.functions["upgrade"])
        seen = {"upgrade", "downgrade"}
        while todo:
            for node in _walk_outside_definitions(todo.pop()):
                if isinstance(node, ast.Call):
                    yield node
                if isinstance(node, ast.Name) and node.id in self.functions and node.id not in seen:
                    seen.add(node.id)
                    todo.append(self.functions[node.id])

    def _look_at(self, call: ast.Call) -> None:
        match call.func:
            case ast.Attribute(value=ast.Name(id="op"), attr=operation):
                self._operation(call, operation)
            case ast.Attribute(value=receiver, attr=method):
                self._method(call, receiver, method)
            case ast.Name(id=name):
                self._function(name)
            case _:
                pass  # a call of what a call returned: that one is looked at itself

    def _operation(self, call: ast.Call, operation: str) -> None:
        if operation == "create_table":
            self._name(_argument(call, 0, "table_name"), _argument(call, len(call.args), "schema"))
        elif operation == "rename_table":
            self._name(_argument(call, 1, "new_table_name"), _argument(call, 2, "schema"))
        elif operation in _RUNS_SQL:
            self._statement(_argument(call, 0, "sqltext"))
        elif operation in _RUNS_ANYTHING or not _is_stock(operation):
            self.complete = False

    def _method(self, call: ast.Call, receiver: ast.expr, method: str) -> None:
        if method in _RUNS_SQL:
            self._statement(_argument(call, 0, "statement"))
        elif method == "create":
            self.complete = self.complete and self._is_no_table(receiver)
        elif method in _RUNS_ANYTHING or not self._is_known(_root(receiver)):
            self.complete = False

    def _function(self, name: str) -> None:
        if name in _RUNS_CODE or not self._is_known(name):
            self.complete = False
        if name == "CreateTable":
            self.complete = False

    def _is_known(self, name: str | None) -> bool:
        """Whether a name comes from where no table is created unseen: here, the language, trusted packages."""
        if name is None or name not in self.imported:
            return True
        package = self.imported[name]
        return package in _TRUSTED or package in sys.stdlib_module_names - {
            "subprocess",
            "runpy",
            "importlib",
        }

    def _is_no_table(self, node: ast.expr) -> bool:
        """Whether ``x.create(...)`` is about an enum, a sequence, an index."""
        match node:
            case ast.Name(id=name):
                return name in self.values and all(self._is_no_table(value) for value in self.values[name])
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                return name.upper() in {"ENUM", "SEQUENCE", "INDEX", "DOMAIN"}
        return False

    def _name(self, node: ast.expr | None, schema: ast.expr | None) -> None:
        names, nowhere = self._texts(node), schema is None or _is_none(schema)
        schemas = () if nowhere else self._texts(schema)
        if names is None or schemas is None:
            self.complete = False
        self.names.update(names or ())
        self.qualified.update((one, name) for one in schemas or () for name in names or ())

    def _texts(self, node: ast.expr | None, depth: int = 0) -> tuple[str, ...] | None:
        """Every text that an expression of literals and names of this file can be, or ``None``."""
        match node:
            case ast.Constant(value=str(text)):
                return (text,)
            case ast.Name(id=name) if name in self.values and depth < 5:  # noqa: PLR2004 - a name of a name of ...
                found: list[str] = []
                for value in self.values[name]:
                    texts = self._texts(value, depth + 1)
                    if texts is None:
                        return None
                    found += texts
                return tuple(found)
            case ast.Call(
                func=ast.Attribute(attr="text" | "DDL") | ast.Name(id="text" | "DDL"), args=[first, *_]
            ):
                return self._texts(first, depth)
            case ast.Call(func=ast.Attribute(value=text, attr="strip" | "bindparams" | "execution_options")):
                return self._texts(text, depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                befores, afters = self._texts(left, depth), self._texts(right, depth)
                if befores is not None and afters is not None:
                    return tuple(before + after for before in befores for after in afters)
        return None

    def _statement(self, node: ast.expr | None, depth: int = 0) -> None:
        texts = self._texts(node)
        if texts is not None:
            for text in texts:
                self._sql(text)
            return
        match node:
            case (
                ast.JoinedStr()
                | ast.BinOp()
                | ast.Call(func=ast.Attribute(value=ast.Constant(), attr="format"))
            ):
                start = _literal_start(node)
                self.complete = self.complete and _NO_TABLE.match(start) is not None
            case ast.Call(
                func=ast.Attribute(attr="text" | "DDL") | ast.Name(id="text" | "DDL"), args=[first, *_]
            ):
                self._statement(first, depth)
            case ast.Call(func=ast.Attribute(attr="CreateTable") | ast.Name(id="CreateTable")):
                self.complete = False
            case ast.Call() if self._is_expression(node):
                pass  # SQLAlchemy's own: select, insert, update ...; its call is looked at as well
            case ast.Name(id=name) if name in self.values and depth < 5:  # noqa: PLR2004 - a name of a name of ...
                for value in self.values[name]:
                    self._statement(value, depth + 1)
            case _:
                self.complete = False

    def _is_expression(self, node: ast.expr) -> bool:
        """Whether a call builds a statement of SQLAlchemy's that creates no table, and not any text."""
        root = _root(node)
        package = self.imported.get(root or "")
        return package in _TRUSTED or not _EXPRESSIONS.isdisjoint(_chain(node))

    def _sql(self, text: str) -> None:
        found = [*_CREATE_TABLE.finditer(text), *_RENAME_TABLE.finditer(text)]
        for match in found:
            *schema, name = (part.strip('`"[]') for part in re.split(r"\s*\.\s*", match["name"]))
            self.names.add(name)
            self.qualified.update((one, name) for one in schema[-1:])
        if not found and any(
            _MAY_CREATE.search(part) and not _NO_TABLE.match(part) for part in text.split(";") if part.strip()
        ):
            self.complete = False


def _walk_outside_definitions(node: ast.AST) -> Iterator[ast.AST]:
    """Every node, but for what defines a column or constraint: a type of the project's own creates nothing there."""
    yield node
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _DEFINES or name in _STOCK_OPERATIONS:
            return
    for child in ast.iter_child_nodes(node):
        yield from _walk_outside_definitions(child)


_DEFINES = frozenset({"Column", "column", "table", "Table", "create_table"})


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    if len(call.args) > position:
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _root(node: ast.expr) -> str | None:
    """The name that a chain of attributes and calls begins with."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _chain(node: ast.expr) -> Iterator[str]:
    """The names of the functions and methods that a chain of calls calls."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Attribute):
            yield node.attr
    if isinstance(node, ast.Name):
        yield node.id


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_EXPRESSIONS = frozenset({"delete", "exists", "insert", "select", "union", "update"})


def _literal_start(node: ast.expr) -> str:
    """The literal text that a built-up text begins with."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[first, *_]):
            return _literal_start(first)
        case ast.BinOp(left=left):
            return _literal_start(left)
        case ast.Call(func=ast.Attribute(value=value)):
            return _literal_start(value)
    return ""


_STOCK_OPERATIONS = frozenset(
    {
        "add_column", "alter_column", "batch_alter_table", "bulk_insert", "create_check_constraint",
        "create_exclude_constraint", "create_foreign_key", "create_index", "create_primary_key",
        "create_table_comment", "create_unique_constraint", "drop_column", "drop_constraint", "drop_index",
        "drop_table", "drop_table_comment", "f", "get_bind", "get_context", "inline_literal",
    }
)  # fmt: skip


def _is_stock(operation: str) -> bool:
    return operation in _STOCK_OPERATIONS
