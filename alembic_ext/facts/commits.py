"""Places where a migration commits the migration's own connection."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alembic_ext.facts.revision_files import RevisionFile, RevisionFiles


@dataclass(frozen=True, kw_only=True)
class MigrationCommit:
    """One such place.

    :param code: the call, on one line.
    """

    path: Path
    revision: str
    line: int
    code: str


def find_commits(files: RevisionFiles) -> tuple[MigrationCommit, ...]:
    """Look through the files that say "commit" at all; only these are parsed."""
    return tuple(
        commit for file in files.files if b"commit" in file.source.lower() for commit in _commits(file)
    )


def _commits(file: RevisionFile) -> Iterator[MigrationCommit]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(file.source)
    module = _Module(tree)
    for call in _outside_autocommit(tree):
        if module.commits(call):
            code = " ".join(ast.unparse(call).split())
            yield MigrationCommit(path=file.path, revision=file.revision, line=call.lineno, code=code)


def _outside_autocommit(node: ast.AST) -> Iterator[ast.Call]:
    """Every call, but for those inside ``with ... autocommit_block()``: no transaction is open there."""
    if isinstance(node, ast.With) and any(
        isinstance(item.context_expr, ast.Call) and _method(item.context_expr) == "autocommit_block"
        for item in node.items
    ):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _outside_autocommit(child)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


_CONNECTION = "connection"
_SESSION = "session"
_TRANSACTION = "transaction"
_SESSION_MAKERS = frozenset({"Session", "sessionmaker", "scoped_session", "async_sessionmaker"})


@dataclass
class _Module:
    """Which names of a file hold the migration's connection, a Session bound to it, or its transaction.

    Names are told apart by the function they are used in; a function's parameter holds what a call in the same
    file hands it.
    """

    tree: ast.Module
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)
    scopes: dict[ast.AST, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._note_scopes(self.tree, "")
        while self._learn():
            pass

    def commits(self, call: ast.Call) -> bool:
        """Whether this call commits the migration's own connection."""
        if not isinstance(call.func, ast.Attribute):
            return False
        receiver = call.func.value
        if call.func.attr == "commit":
            return self._kind(receiver) in {_CONNECTION, _TRANSACTION}
        if call.func.attr in {"execute", "exec_driver_sql"} and call.args:
            runs_here = _is_op(receiver) or self._kind(receiver) in {_CONNECTION, _SESSION}
            return runs_here and _says_commit(_sql(call.args[0]))
        return False

    def _note_scopes(self, node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            self.scopes[child] = scope
            inner = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else scope
            self._note_scopes(child, inner)

    def _learn(self) -> bool:
        """One pass over the file; whether it taught anything."""
        before = len(self.kinds)
        functions = {
            node.name: node
            for node in ast.walk(self.tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._hold(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._hold(target, value)
                case ast.NamedExpr(target=target, value=value):
                    self._hold(target, value)
                case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                    self._hold(target, value)
                case ast.Call(func=ast.Name(id=name), args=given, keywords=keywords) if name in functions:
                    parameters = functions[name].args
                    named = [*parameters.posonlyargs, *parameters.args]
                    for parameter, value in zip(named, given, strict=False):
                        self._hold_as((name, parameter.arg), value)
                    for keyword in keywords:
                        if keyword.arg is not None:
                            self._hold_as((name, keyword.arg), keyword.value)
        return len(self.kinds) > before

    def _hold(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._hold_as((self.scopes.get(target, ""), target.id), value)

    def _hold_as(self, name: tuple[str, str], value: ast.expr) -> None:
        kind = self._kind(value)
        if kind is not None:
            self.kinds.setdefault(name, kind)

    def _kind(self, node: ast.expr) -> str | None:
        """What an expression is: connection, session, transaction, or ``None``."""
        match node:
            case ast.Name(id=name):
                return self.kinds.get((self.scopes.get(node, ""), name)) or self.kinds.get(("", name))
            case ast.NamedExpr(value=value):
                return self._kind(value)
            case ast.Attribute(value=ast.Call() as value, attr="connection" | "bind"):
                return _CONNECTION if _method(value) == "get_context" else None
            case ast.Attribute(value=value, attr="connection" | "bind"):
                return _CONNECTION if self._kind(value) == "context" else None
            case ast.Call(func=ast.Attribute(value=value, attr=method)):
                return self._returned(node, value, method)
            case ast.Call(func=ast.Name(id=name)) if name in _SESSION_MAKERS:
                return self._bound_session(node)
            case ast.Call(func=called) if self._is_session(called):
                return _SESSION
        return None

    def _returned(self, call: ast.Call, receiver: ast.expr, method: str) -> str | None:
        if method in {"get_bind", "connection"} and (_is_op(receiver) or self._kind(receiver) == _SESSION):
            return _CONNECTION
        if method == "get_context" and _is_op(receiver):
            return "context"
        if method in _SESSION_MAKERS:
            return self._bound_session(call)
        kind = self._kind(receiver)
        if kind == _CONNECTION and method in {"get_transaction", "begin"}:
            return _TRANSACTION
        return kind if kind == _CONNECTION and method == "execution_options" else None

    def _is_session(self, node: ast.expr) -> bool:
        return self._kind(node) == _SESSION

    def _bound_session(self, call: ast.Call) -> str | None:
        """A Session, or a maker of Sessions, that is given the migration's connection."""
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        return _SESSION if any(self._kind(value) in {_CONNECTION, _SESSION} for value in given) else None


def _is_op(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"op", "context"}


def _sql(node: ast.expr) -> str:
    """The literal statement in ``"..."`` or ``text("...")``, or ``""``."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(
            func=ast.Name(id="text" | "DDL") | ast.Attribute(attr="text" | "DDL"), args=[first, *_]
        ):
            return _sql(first)
    return ""


_QUOTED_OR_COMMENT = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/", re.DOTALL
)  # fmt: skip
_ROUTINE = re.compile(
    r"\s*CREATE\s(?:[^(;]*\s)?(?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)\s", re.IGNORECASE
)
_COMMIT = re.compile(r"\s*COMMIT(?:\s+(?:WORK|TRANSACTION|AND\s.*))?\s*", re.IGNORECASE)


def _says_commit(sql: str) -> bool:
    """Whether one of the statements is a COMMIT that runs now, not the body of a routine."""
    bare = _QUOTED_OR_COMMENT.sub(" ", sql)
    return not _ROUTINE.match(bare) and any(_COMMIT.fullmatch(statement) for statement in bare.split(";"))
