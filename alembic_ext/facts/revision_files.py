"""Revision files, read as text and never imported."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISREG

from alembic_ext.facts.bytecode import CompiledFolder, read_bytecode
from alembic_ext.facts.declarations import Declarations, Undeclared, apparent_revisions, read_declarations


@dataclass(frozen=True, kw_only=True)
class RevisionFile:
    """One readable revision file.

    :param location: the version location it was found in.
    :param down_revisions: ids as written; ``()`` for a base.
    :param message: the first line of the docstring, or ``""``.
    :param line: the line of ``revision = ...``, from 1.
    :param source: the file's bytes, read once for everything that looks at its text; empty for bytecode.
    """

    path: Path
    location: Path
    revision: str
    down_revisions: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    message: str = ""
    line: int = 1
    down_revision_line: int | None = None
    depends_on_line: int | None = None
    source: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class UnreadableFile:
    """A file in a version location that Alembic would load and that we could not read, with the reason.

    :param apparent_revisions: ids that its text seems to declare; a hint, never a fact.
    """

    path: Path
    reason: str
    line: int | None = None
    apparent_revisions: tuple[str, ...] = ()

    def may_declare(self, revision: str) -> bool:
        """Whether this id may well be the one that the file was meant to declare."""
        return revision in self.apparent_revisions or not self.apparent_revisions


@dataclass(frozen=True, kw_only=True)
class OrphanBytecode:
    """A ``.pyc`` in a version location whose source is gone.

    :param loaded: Alembic loads it, as a revision of its own (``sourceless``).
    :param revision: the id in it, or ``None`` when it cannot be read.
    """

    path: Path
    location: Path
    loaded: bool
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class NotLoadedFile:
    """A file with a ``revision`` in a folder that Alembic does not search."""

    path: Path
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class RevisionFiles:
    """What lies in the version locations.

    :param locations: the version locations, absolute, in order; missing ones included.
    :param missing_locations: those that do not exist.
    :param orphan_bytecode: bytecode in the version locations whose source is gone.
    :param not_loaded: files with a ``revision`` in folders that are not searched.
    """

    script_location: Path
    locations: tuple[Path, ...] = ()
    missing_locations: tuple[Path, ...] = ()
    recursive: bool = False
    sourceless: bool = False
    files: tuple[RevisionFile, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
    orphan_bytecode: tuple[OrphanBytecode, ...] = ()
    not_loaded: tuple[NotLoadedFile, ...] = ()

    @property
    def none_found(self) -> bool:
        """Alembic loads nothing, though a location is missing or files lie where it does not look."""
        nothing = not self.files and not self.unreadable
        return nothing and bool(self.missing_locations or self.not_loaded)

    def without(self, folders: Sequence[Path]) -> RevisionFiles:
        """The same, but for files that are not loaded here because others load them from these folders."""
        kept = [file for file in self.not_loaded if not any(one in file.path.parents for one in folders)]
        return replace(self, not_loaded=tuple(kept))


def read_revision_files(
    script_location: Path, locations: Sequence[Path], *, recursive: bool = False, sourceless: bool = False
) -> RevisionFiles:
    """Read the files that Alembic would load, in the order in which it would load them.

    :param recursive: the option ``recursive_version_locations``.
    :param sourceless: the option ``sourceless``.
    """
    files: list[RevisionFile] = []
    unreadable: list[UnreadableFile] = []
    orphans: list[OrphanBytecode] = []
    searched: set[str] = set()
    seen: set[str] = set()
    pattern = _LOADED_SOURCELESS if sourceless else _LOADED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python says about a file's text is Alembic's to show
        for location in locations:
            for folder in _folders(str(location), recursive=recursive):
                searched.add(folder.real)
                compiled = CompiledFolder(folder.real)
                orphans += _orphans(folder, location, sourceless=sourceless)
                for path, home, name in folder.candidates(sourceless=sourceless):
                    match = pattern.match(name)
                    real = f"{home}{os.sep}{name}"
                    if real in seen or match is None or _has_better(real, match):
                        continue
                    seen.add(real)
                    read = _read(
                        path, real, location, compiled if home == folder.real else CompiledFolder(home)
                    )
                    if isinstance(read, RevisionFile):
                        files.append(read)
                    else:
                        unreadable.append(read)
        not_loaded = tuple(_not_loaded(script_location, locations, frozenset(searched), frozenset(seen)))
    return RevisionFiles(
        script_location=script_location,
        locations=tuple(locations),
        missing_locations=tuple(location for location in locations if not location.is_dir()),
        recursive=recursive,
        sourceless=sourceless,
        files=tuple(files),
        unreadable=tuple(unreadable),
        orphan_bytecode=tuple(orphans),
        not_loaded=not_loaded,
    )


# Which names Alembic loads: not `__init__.py`, not an editor's `.#lock.py`.
_LOADED = re.compile(r"(?!\.\#|__init__)(.*\.py)$")
_LOADED_SOURCELESS = re.compile(r"(?!\.\#|__init__)(.*\.py)(c|o)?$")
_NAMED_AFTER_ITS_ID = re.compile(r"([a-f0-9]+)\.py$")
_RAW_FILE = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class _Folder:
    """One folder of a version location: its names, sorted; links to files point to where they lead."""

    path: Path
    real: str
    files: tuple[str, ...]
    links: frozenset[str]

    def candidates(self, *, sourceless: bool) -> Iterator[tuple[Path, str, str]]:
        """Each file's path as found, and the folder and name that it really has, in Alembic's order."""
        if self.path.name.endswith("__pycache__"):
            return
        for name in self.files:
            path = self.path / name
            if name in self.links:
                real = path.resolve()
                yield path, str(real.parent), real.name
            else:
                yield path, self.real, name
        if sourceless:
            with_source = {name.partition(".")[0] for name in self.files}
            for name in self.cached():
                if name.partition(".")[0] not in with_source:
                    real = (self.path / "__pycache__" / name).resolve()
                    yield self.path / "__pycache__" / name, str(real.parent), real.name

    def cached(self) -> list[str]:
        """Names in ``__pycache__``, in the order of the directory, as Alembic takes them."""
        try:
            return os.listdir(self.path / "__pycache__")  # noqa: PTH208 - names are all it takes
        except OSError:
            return []


def _folders(path: str, *, recursive: bool) -> Iterator[_Folder]:
    """The folder and, when asked, those below it, parents first; links to folders are not followed."""
    try:
        with os.scandir(path) as entries:
            listed = list(entries)
    except OSError:
        return
    below, files, links = [], [], set()
    for entry in listed:
        if entry.is_dir():
            if not entry.is_symlink():
                below.append(entry.path)
        else:
            files.append(entry.name)
            if entry.is_symlink():
                links.add(entry.name)
    yield _Folder(Path(path), os.path.realpath(path), tuple(sorted(files)), frozenset(links))
    if recursive:
        for folder in sorted(below):
            yield from _folders(folder, recursive=True)


def _has_better(real: str, match: re.Match[str]) -> bool:
    """Whether Alembic passes bytecode over, because the source, or bytecode with docstrings, lies beside it."""
    kind = match.group(2) if match.re is _LOADED_SOURCELESS else None
    if kind is None:
        return False
    source = Path(real).with_name(match.group(1))
    return source.exists() or (kind == "o" and source.with_suffix(".pyc").exists())


def _read(path: Path, real: str, location: Path, compiled: CompiledFolder) -> RevisionFile | UnreadableFile:
    name = real.rpartition(os.sep)[2]
    try:
        descriptor = os.open(real, _RAW_FILE)
        try:
            status = os.fstat(descriptor)
            if not S_ISREG(status.st_mode):
                return UnreadableFile(path=path, reason="it is not a regular file")
            data = _read_all(descriptor, status.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        return UnreadableFile(path=path, reason=f"it cannot be opened: {error.strerror}")
    is_source = name.endswith(".py")
    if is_source:
        found = read_declarations(data, compiles=compiled.holds(name, status))
    else:
        found = read_bytecode(data)
    if isinstance(found, Declarations) and found.revision is None:
        named = _NAMED_AFTER_ITS_ID.match(name)
        if named is None:
            found = Undeclared("it declares no `revision`; Alembic stops at such a file", 1)
    if isinstance(found, Undeclared):
        return UnreadableFile(
            path=path,
            reason=found.reason,
            line=found.line,
            apparent_revisions=apparent_revisions(data) if is_source else (),
        )
    return RevisionFile(
        path=path,
        location=location,
        revision=found.revision if found.revision is not None else name.removesuffix(".py"),
        down_revisions=found.down_revisions,
        branch_labels=found.branch_labels,
        depends_on=found.depends_on,
        message=found.message,
        line=found.line,
        down_revision_line=found.down_revision_line,
        depends_on_line=found.depends_on_line,
        source=data if is_source else b"",
    )


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size + 1)
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def _orphans(folder: _Folder, location: Path, *, sourceless: bool) -> Iterator[OrphanBytecode]:
    """Bytecode of this folder without a source, with the id in it."""
    sources = {name.removesuffix(".py") for name in folder.files if name.endswith(".py")}
    if not sources and sourceless:
        return  # shipped without sources, on purpose
    beside = [folder.path / name for name in folder.files if _is_orphan(name, sources)]
    cached = [
        folder.path / "__pycache__" / name for name in sorted(folder.cached()) if _is_orphan(name, sources)
    ]
    for path in beside + cached:
        try:
            found = read_bytecode(path.read_bytes())
        except OSError:
            continue
        if isinstance(found, Declarations) and found.revision is None:
            continue  # bytecode of something that is no revision
        yield OrphanBytecode(
            path=path,
            location=location,
            loaded=sourceless,
            revision=found.revision if isinstance(found, Declarations) else None,
        )


def _is_orphan(name: str, sources: set[str]) -> bool:
    return (
        name.endswith((".pyc", ".pyo"))
        and name.partition(".")[0] not in sources
        and _LOADED_SOURCELESS.match(name) is not None
    )


_DECLARES_REVISION = re.compile(rb"^revision[ \t]*(?::[^=\n]*)?=[ \t]*[\"'(]", re.MULTILINE)
_NEVER_SEARCHED = frozenset({"__pycache__", "node_modules", "site-packages"})


def _not_loaded(
    script_location: Path, locations: Sequence[Path], searched: frozenset[str], loaded: frozenset[str]
) -> Iterator[NotLoadedFile]:
    """Files with a ``revision`` below the script location or a version location, where nobody searches."""
    todo = [str(script_location), *(str(location) for location in reversed(locations))]
    roots, seen = frozenset(todo), set[str]()
    while todo:
        folder = todo.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        names = {entry.name for entry in listed}
        if folder not in roots and not names.isdisjoint({"env.py", "pyvenv.cfg"}):
            continue  # another Alembic environment, or a virtual environment
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith(".") and entry.name not in _NEVER_SEARCHED:
                    todo.append(entry.path)
            elif (
                real not in searched
                and _LOADED.match(entry.name)
                and entry.is_file()
                and os.path.realpath(entry.path) not in loaded
            ):
                yield from _declaring(entry.path)


def _declaring(path: str) -> Iterator[NotLoadedFile]:
    try:
        source = Path(path).read_bytes()
    except OSError:
        return
    if _DECLARES_REVISION.search(source) and b"down_revision" in source:
        yield NotLoadedFile(path=Path(path), revision=next(iter(apparent_revisions(source)), None))
