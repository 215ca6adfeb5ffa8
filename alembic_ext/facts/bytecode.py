"""Bytecode beside revision files: which of it belongs to which source, and what it declares. Never run."""

from __future__ import annotations

import marshal
import os
from importlib.util import MAGIC_NUMBER, cache_from_source
from types import CodeType

from alembic_ext.facts.declarations import Declarations, Undeclared, first_line

_HEADER_SIZE = 16
_RAW_FILE = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class CompiledFolder:
    """The bytecode that this Python keeps for the sources of one folder.

    Bytecode that is valid for a source proves that the source compiles: Python wrote it from that text.
    """

    def __init__(self, folder: str) -> None:
        self._cache, _, suffix = cache_from_source(os.path.join(folder, "\0.py")).rpartition("\0")  # noqa: PTH118
        self._suffix = suffix
        try:
            self._names = frozenset(os.listdir(self._cache))  # noqa: PTH208 - names are all it takes
        except OSError:
            self._names = frozenset()

    def holds(self, filename: str, status: os.stat_result) -> bool:
        """Whether valid bytecode of this source is there, by the rule of Python's own importer."""
        name = filename.removesuffix(".py") + self._suffix
        if name not in self._names:
            return False
        try:
            descriptor = os.open(self._cache + name, _RAW_FILE)
        except OSError:
            return False
        try:
            header = os.read(descriptor, _HEADER_SIZE)
        finally:
            os.close(descriptor)
        return header == (
            MAGIC_NUMBER
            + b"\0\0\0\0"  # flags: checked by time and size
            + (int(status.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
            + (status.st_size & 0xFFFFFFFF).to_bytes(4, "little")
        )


def read_bytecode(data: bytes) -> Declarations | Undeclared:
    """What a ``.pyc`` declares, from its constants."""
    if data[:4] != MAGIC_NUMBER:
        return Undeclared("it is bytecode of another version of Python")
    try:
        code = marshal.loads(data[_HEADER_SIZE:])  # noqa: S302 - the project's own bytecode, read and not run
    except (EOFError, ValueError, TypeError) as error:
        return Undeclared(f"it is damaged bytecode: {error}")
    if not isinstance(code, CodeType):
        return Undeclared("it is not the bytecode of a module")
    values, computed = _stored(code)
    for name in ("revision", "down_revision", "branch_labels", "depends_on"):
        if name in computed:
            return Undeclared(f"`{name}` is computed, as far as bytecode tells")
    revision, down_revision = values.get("revision"), values.get("down_revision", ...)
    if (revision is not None and not isinstance(revision, str)) or down_revision is ...:
        return Undeclared("its bytecode holds no usable `revision` and `down_revision`")
    docstring = values.get("__doc__")
    return Declarations(
        revision=revision,
        down_revisions=_as_ids(down_revision),
        branch_labels=_as_ids(values.get("branch_labels")),
        depends_on=_as_ids(values.get("depends_on")),
        message=first_line(docstring) if isinstance(docstring, str) else "",
    )


def _stored(code: CodeType) -> tuple[dict[str, object], set[str]]:
    """Names of the module that hold a constant, and those that hold anything else."""
    from dis import get_instructions  # noqa: PLC0415 - bytecode is rarely read

    values: dict[str, object] = {}
    computed: set[str] = set()
    constant: tuple[object] | None = None
    for instruction in get_instructions(code):
        if instruction.opname == "STORE_NAME":
            name = str(instruction.argval)
            if constant is None or name in values:
                computed.add(name)
            else:
                values[name] = constant[0]
        constant = (instruction.argval,) if instruction.opname.startswith("LOAD_CONST") else None
    return values, computed


def _as_ids(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return (
        tuple(item for item in value if isinstance(item, str))
        if isinstance(value, (tuple, frozenset))
        else ()
    )
