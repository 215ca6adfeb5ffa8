"""What a revision file declares, read from its text. The text is never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from alembic_ext.redaction import redact


@dataclass(kw_only=True)
class Declarations:
    """The names that Alembic reads from a revision module.

    :param revision: ``None`` when the module has no such name; very old files are named after their id.
    :param message: the first line of the docstring, or ``""``.
    """

    revision: str | None
    down_revisions: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    message: str = ""
    line: int = 1
    down_revision_line: int | None = None
    depends_on_line: int | None = None


@dataclass(frozen=True)
class Undeclared:
    """The text does not say, or Alembic could not use what it says."""

    reason: str
    line: int | None = None


def read_declarations(source: bytes, *, compiles: bool = False) -> Declarations | Undeclared:
    """Read what the module would hold after it was imported, or say why the text alone does not tell.

    :param compiles: it is known that Python can compile this text (valid bytecode of it exists), which
        need not be found out again.
    """
    header = _read_header(source)
    if header is not None and compiles:
        return header
    try:
        if header is not None:
            compile(source, "revision", "exec", dont_inherit=True)
            return header
        tree = ast.parse(source)
        if not compiles:
            compile(
                source, "revision", "exec", dont_inherit=True
            )  # finds what parsing does not: a stray return
        return _from_tree(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _cannot_compile(source, error)


def apparent_revisions(source: bytes) -> tuple[str, ...]:
    """Ids that look declared in a text that cannot be read. A hint, never a fact."""
    return tuple(
        dict.fromkeys(
            match.group(2).decode(errors="replace") for match in _APPARENT_REVISION.finditer(source)
        )
    )


_APPARENT_REVISION = re.compile(
    rb"""^revision[ \t]*(?::[^=\n]*)?=[ \t]*\(?(["'])([^"'\\\n]+)\1""", re.MULTILINE
)


# The header that Alembic's templates write. Given that the file compiles, a match is exact: every line of it
# is a whole statement at the module's top level, its values are literals, and nothing after it can rebind
# the names, because nothing after it mentions them or a way round them. Anything else goes to ``ast``.

_END = rb"[ \t]*(?:\#[^\n]*)?(?:\n|\Z)"
_GAP = (
    rb"(?:[ \t]*(?:\#[^\n]*)?\n"
    rb"|(?:from|import)[ \t](?![^\n]*(?:revision|branch_labels|depends_on))[\w., \t]+\n)*"
)
_IS = rb"(?:[ \t]*:[ \t]*[\w.\[\], |\t]+?)?[ \t]*=[ \t]*"


def _literal(name: bytes) -> bytes:
    return (
        rb"(?P<%(name)s_line>)%(name)s" % {b"name": name}
        + _IS
        + (
            rb"""(?:None|(?P<%(name)s_quote>["'])(?P<%(name)s>[^"'\\\n]*)(?P=%(name)s_quote))"""
            % {b"name": name}
        )
        + _END
    )


_HEADER = re.compile(
    rb"(?P<comments>(?:[ \t]*(?:\#[^\n]*)?\n)*)"
    rb'(?:"""(?P<docstring>[^"\\]*(?:"{1,2}[^"\\]+)*)"""[ \t]*\n)?'
    + _GAP
    + _literal(b"revision")
    + _GAP
    + _literal(b"down_revision")
    + rb"(?:" + _GAP + _literal(b"branch_labels") + rb")?"
    + rb"(?:" + _GAP + _literal(b"depends_on") + rb")?"
)  # fmt: skip

_REBINDERS = (
    b"revision", b"branch_labels", b"depends_on",
    b"globals", b"locals", b"vars", b"eval", b"setattr", b"delattr", b"__dict__", b"modules",
)  # fmt: skip
_RARE_REBINDERS = re.compile(rb"exec(?!ut)|import[\s(\\]*\*")


def _read_header(source: bytes) -> Declarations | None:
    if b"\r" in source:
        source = source.replace(b"\r\n", b"\n")
    match = _HEADER.match(source)
    if match is None:
        return None
    comments, docstring, revision, down_revision, branch_label, dependency = match.group(*_VALUES)
    if revision is None or b"coding" in comments or b"\r" in source:
        return None
    rest = source[match.end() :]
    for name in _REBINDERS:
        if name in rest:
            return None
    if (b"exec" in rest or b"import" in rest) and _RARE_REBINDERS.search(rest):
        return None
    line = source.count(b"\n", 0, match.start("revision_line")) + 1
    return Declarations(
        revision=str(revision, "utf-8", "replace"),
        down_revisions=() if down_revision is None else (str(down_revision, "utf-8", "replace"),),
        branch_labels=() if branch_label is None else (str(branch_label, "utf-8", "replace"),),
        depends_on=(str(dependency, "utf-8", "replace"),) if dependency else (),
        message=first_line(str(docstring, "utf-8", "replace")) if docstring else "",
        line=line,
        down_revision_line=line
        + source.count(b"\n", match.start("revision_line"), match.start("down_revision_line")),
        depends_on_line=(
            line + source.count(b"\n", match.start("revision_line"), match.start("depends_on_line"))
            if match.start("depends_on_line") > 0
            else None
        ),
    )


_VALUES = ("comments", "docstring", "revision", "down_revision", "branch_labels", "depends_on")


def first_line(docstring: str) -> str:
    """The message that Alembic's templates write there."""
    return docstring.strip().partition("\n")[0].rstrip()


class _Computed(Exception):  # noqa: N818 - not an error: what stands where a value would
    """The value is not in the text."""


_NAMES = ("revision", "down_revision", "branch_labels", "depends_on")
_DYNAMIC = frozenset(
    {"globals", "locals", "vars", "exec", "eval", "setattr", "delattr", "__dict__", "modules"}
)
_BLANDLY_STARRED = frozenset({"sqlalchemy", "alembic", "typing", "datetime", "uuid", "json", "enum"})
"""Packages whose ``import *`` is known to bring none of our names."""


def _from_tree(tree: ast.Module) -> Declarations | Undeclared:
    names: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for statement in tree.body:
        before = {name: names.get(name) for name in _NAMES}
        _perform(statement, names)
        for name in _NAMES:
            if name in names and (name not in lines or names[name] is not before[name]):
                lines[name] = statement.lineno
    for name in _names_declared_global(tree):
        names[name] = _Computed("a function may change it (`global`)")

    for name in _NAMES:
        if isinstance(names.get(name), _Computed):
            return Undeclared(f"`{name}` is computed: {names[name]}", lines.get(name))
    revision = names.get("revision")
    if "revision" in names and not isinstance(revision, str):
        return Undeclared(f"`revision` is {_shown(revision)}, but an id is text in quotes", lines["revision"])
    if "down_revision" not in names:
        return Undeclared("there is no `down_revision`")
    several = {}
    for name in _NAMES[1:]:
        value = _as_ids(names.get(name))
        if value is None:
            return Undeclared(f"`{name}` is {_shown(names[name])}, but an id is text in quotes", lines[name])
        several[name] = value
    return Declarations(
        revision=revision,
        down_revisions=several["down_revision"],
        branch_labels=several["branch_labels"],
        depends_on=() if several["depends_on"] == ("",) else several["depends_on"],
        message=first_line(ast.get_docstring(tree, clean=False) or ""),
        line=lines.get("revision", 1),
        down_revision_line=lines.get("down_revision"),
        depends_on_line=lines.get("depends_on"),
    )


def _as_ids(value: object) -> tuple[str, ...] | None:
    """The value as Alembic takes it: nothing, one id, or several; ``None`` when it is none of these."""
    if value is None or value in ((None,), [None]):
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (tuple, list, set)) and all(isinstance(item, str) for item in value):
        return tuple(sorted(value)) if isinstance(value, set) else tuple(value)
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return redact(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - one short line


def _perform(statement: ast.stmt, names: dict[str, Any]) -> None:
    """Do to ``names`` what the statement would do to the module's names."""
    match statement:
        case ast.Assign(targets=targets, value=expression):
            value = _evaluate(expression, names)
        case ast.AnnAssign(value=None, simple=1):
            return
        case ast.AnnAssign(target=target, value=ast.expr() as expression):
            targets, value = [target], _evaluate(expression, names)
        case ast.AugAssign(target=ast.Name() as target, op=operator, value=expression) if not isinstance(
            names.get(target.id),
            (list, set),  # changed in place: under its other names too
        ):
            sum_ = ast.BinOp(left=ast.Name(id=target.id, ctx=ast.Load()), op=operator, right=expression)
            targets, value = [target], _evaluate(ast.copy_location(sum_, statement), names)
        case _:
            _disturb(statement, names)
            return
    if isinstance(value, _Computed):
        _disturb(statement, names)
    for assigned in targets:
        _bind(assigned, value, names)


def _bind(target: ast.expr, value: Any, names: dict[str, Any]) -> None:
    match target:
        case ast.Name(id=name):
            names[name] = value
        case ast.Tuple(elts=targets) | ast.List(elts=targets) if (
            isinstance(value, (tuple, list))
            and len(value) == len(targets)
            and not any(isinstance(element, ast.Starred) for element in targets)
        ):
            for element, item in zip(targets, value, strict=True):
                _bind(element, item, names)
        case _:
            _disturb(target, names)


def _evaluate(node: ast.expr, names: dict[str, Any]) -> Any:
    """The value of an expression that is made of literals and names above, else :class:`_Computed`."""
    try:
        return _value(node, names)
    except _Computed as computed:
        return computed


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in names:
            if isinstance(names[name], _Computed):
                raise names[name]
            return names[name]
        case ast.Name(id=name):
            raise _Computed(f"the file does not say what `{name}` is")
        case ast.Tuple(elts=elements):
            return tuple(_value(element, names) for element in elements)
        case ast.List(elts=elements):
            return [_value(element, names) for element in elements]
        case ast.Set(elts=elements):
            values = [_value(element, names) for element in elements]
            if all(isinstance(value, (str, type(None))) for value in values):
                return set(values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _value(left, names), _value(right, names)
            if type(first) is type(second) and isinstance(first, (str, tuple, list)):
                return first + second
        case ast.JoinedStr(values=parts):
            return "".join(_text_of(part, names) for part in parts)
    raise _Computed(f"`{_code(node)}` is not a literal")


def _text_of(part: ast.expr, names: dict[str, Any]) -> str:
    """One piece of an f-string: its text, or a field that is nothing but a name of known text."""
    if isinstance(part, ast.FormattedValue):
        value = _value(part.value, names)
        if not isinstance(value, str) or part.conversion != -1 or part.format_spec is not None:
            raise _Computed(f"`{_code(part.value)}` is formatted into it")
        return value
    return str(_value(part, names))


def _code(node: ast.AST) -> str:
    text = redact(" ".join(ast.unparse(node).split()))
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - one short line


def _disturb(node: ast.AST, names: dict[str, Any]) -> None:
    """Forget what a statement that we do not follow may have changed."""
    touched: set[str] = set()
    functions = {name for name, value in names.items() if isinstance(value, _Function)}
    for inner in _walk_top_level(node):
        touched.update(_bound_by(inner))
        match inner:
            case ast.Name(id=name) if isinstance(names.get(name), (list, set)):
                touched.update(other for other, value in names.items() if value is names[name])
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _DYNAMIC:
                touched.update(_NAMES)
            case ast.Call(func=ast.Name(id=name)) if name in functions:
                touched.update(other for other, value in names.items() if isinstance(value, (list, set)))
    for name in touched:
        names[name] = _Computed(f"`{_code(node).partition(':')[0]}` may change it")
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        names[node.name] = _Function("it is a function")


class _Function(_Computed):
    """A function that the file defines: calling it may change lists of the module."""


def _bound_by(node: ast.AST) -> Iterable[str]:
    """The module's names that this node itself binds or deletes."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.alias(name="*"):
            return _NAMES
        case ast.alias(name=name, asname=alias):
            return (alias or name.partition(".")[0],)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.MatchMapping(rest=str(name)):
            return (name,)
    return ()


def _walk_top_level(node: ast.AST) -> Iterator[ast.AST]:
    """This node and what runs with it: bodies of functions and classes bind no name of the module."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _BLANDLY_STARRED:
        if node.names[0].name != "*":
            yield from node.names
        return
    yield node
    inner: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        inner = (
            *node.decorator_list,
            *node.args.defaults,
            *(default for default in node.args.kw_defaults if default),
        )
    elif isinstance(node, ast.ClassDef):
        inner = (*node.decorator_list, *node.bases)
    elif isinstance(node, ast.Lambda):
        return
    for child in inner:
        yield from _walk_top_level(child)


def _names_declared_global(tree: ast.Module) -> set[str]:
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
        for name in node.names
        if name in _NAMES
    }


def _cannot_compile(source: bytes, error: Exception) -> Undeclared:
    """The reason in words a person can act on."""
    if marker := _CONFLICT_MARKER.search(source):
        return Undeclared("it holds merge conflict markers", source.count(b"\n", 0, marker.start()) + 1)
    if source.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Undeclared("it is UTF-16; Python reads UTF-8", 1)
    if b"\0" in source:
        line = source.count(b"\n", 0, source.index(b"\0")) + 1
        return Undeclared("it holds NUL bytes, which no Python source may", line)
    if isinstance(error, RecursionError | MemoryError):
        return Undeclared("it is nested too deeply for Python")
    try:
        source.decode()
    except UnicodeDecodeError as undecodable:
        if not _CODING_COOKIE.match(source):
            line = source.count(b"\n", 0, undecodable.start) + 1
            return Undeclared(f"it is not UTF-8: byte 0x{source[undecodable.start]:02x} on line {line}", line)
    line_number = error.lineno if isinstance(error, SyntaxError) else None
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return Undeclared(f"it is not valid Python: {redact(said)}", line_number)


_CONFLICT_MARKER = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)
_CODING_COOKIE = re.compile(rb"(?:[^\n]*\n)?[ \t\f]*#[^\n]*coding[:=]")
