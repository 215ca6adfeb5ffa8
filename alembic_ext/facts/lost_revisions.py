"""Where revision files that this checkout does not load can still be found: in git, on disk, as bytecode.

One pass over everything answers for all ids. A file counts only when it *declares* the id as its ``revision``;
an id that is merely mentioned (as a parent, in a comment) does not.
"""

from __future__ import annotations

import os
import re
import shlex
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_ext.facts import git_objects
from alembic_ext.facts.availability import NotApplicable, Unavailable
from alembic_ext.facts.bytecode import read_bytecode
from alembic_ext.facts.declarations import Declarations, read_declarations
from alembic_ext.facts.git_objects import Change, Commit, Scan
from alembic_ext.facts.version_control import NOT_A_REPOSITORY, TRUST, GitError, run_git

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from alembic_ext.facts.version_control import Repository, VersionControl

FILE_LIMIT = 200_000
"""The search of a folder stops after so many directory entries, and says so."""

GIT_NOT_SEARCHED = "git was not searched"
"""How a ``reason`` begins when nothing that git holds was looked at."""

_COMMITTED = frozenset({"commit", "reflog", "unreachable"})
_NOT_COMMITTED = frozenset({"stash", "dropped-stash", "index", "blob", "worktree"})
_MAINLINES = frozenset({"main", "master", "trunk"})
_COMMITS_EXAMINED = 20
_LEFT_OUT = frozenset({".git", ".hg", ".svn", ".alembic_ext", "__pycache__", "node_modules", "site-packages"})
_LOADED = re.compile(r"(?!\.#|__init__).*\.py", re.DOTALL)
_PYTHON_NAME = re.compile(r".*\.py(?:[.~_].*)?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One version of a revision file, and where it is.

    :param kind: ``commit`` (a branch, remote branch or tag leads to it), ``stash``, ``dropped-stash``, ``reflog``,
        ``unreachable`` (a commit that nothing leads to), ``index`` (staged, never committed), ``blob`` (staged once,
        now nowhere), ``worktree`` (on disk in another working tree), ``file`` (on disk here) or ``bytecode``.
    :param root: the repository or folder that ``path`` is relative to.
    :param path: with ``/``; ``None`` when git kept the content without a name.
    :param commit: the commit that wrote this version, or ``None``.
    :param stash: ``stash@{0}`` and the like.
    :param in_head: the commit is HEAD or one of its ancestors.
    :param deleted_by: the commit below HEAD that removed or replaced this version.
    :param still_in_head: HEAD has this version at this path: it is deleted only in the working tree.
    :param ahead: this checkout is older than the commit and on the way to it; see ``decide_case``.
    :param environment: the other Alembic environment that it belongs to, relative to ``root``.
    :param ignored: a file on disk that git ignores: a build product or a copy.
    :param occupied: something is at that path on disk, and restoring would overwrite it.
    """

    kind: str
    root: Path
    path: str | None
    down_revisions: tuple[str, ...] = ()
    message: str = ""
    blob: str | None = None
    commit: Commit | None = None
    branches: tuple[str, ...] = ()
    remote_branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    other_refs: tuple[str, ...] = ()
    stash: str | None = None
    in_head: bool = False
    deleted_by: Commit | None = None
    still_in_head: bool = False
    ahead: bool = False
    environment: str | None = None
    ignored: bool = False
    occupied: bool = False

    @property
    def where(self) -> str:
        """One line for people."""
        named = ", ".join((*self.branches, *self.remote_branches, *self.tags)) or self.stash or "no branch"
        if self.commit is None:
            return f"{self.path or self.blob}  ({self.kind})"
        gone = f", deleted by {self.deleted_by.id[:10]}" if self.deleted_by and not self.occupied else ""
        return f'{self.path or "a file"}  in {self.commit.id[:10]} ({named}) "{self.commit.subject}"{gone}'

    @property
    def restoring_command(self) -> str | None:
        """What writes this version to where it was; ``None`` when git does not hold it, or the path is occupied."""
        if not self.blob or not self.path or self.occupied or self.environment is not None:
            return None
        root, file = shlex.quote(str(self.root)), shlex.quote(str(self.root / self.path))
        return f"git -C {root} cat-file -p {self.blob} > {file}"

    def to_dict(self) -> dict[str, Any]:
        """JSON: every key is present, empty is ``[]`` or ``null``."""
        return {
            "kind": self.kind,
            "root": str(self.root),
            "path": self.path,
            "down_revisions": list(self.down_revisions),
            "message": self.message,
            "blob": self.blob,
            "commit": self.commit.to_dict() if self.commit else None,
            "branches": list(self.branches),
            "remote_branches": list(self.remote_branches),
            "tags": list(self.tags),
            "other_refs": list(self.other_refs),
            "stash": self.stash,
            "in_head": self.in_head,
            "deleted_by": self.deleted_by.to_dict() if self.deleted_by else None,
            "still_in_head": self.still_in_head,
            "ahead": self.ahead,
            "environment": self.environment,
            "ignored": self.ignored,
            "occupied": self.occupied,
        }


@dataclass(frozen=True, kw_only=True)
class LostRevision:
    """What was found out about one id.

    :param case: see ``decide_case``; ``None`` when nothing was found, or nothing that explains it.
    :param places: every version that was found, the most useful first.
    :param complete: everything there is was looked at; otherwise ``reason`` says what was not, and an empty
        ``places`` does not mean that the file is gone.
    :param remedy: the command after which more can be searched, where there is one.
    """

    id: str
    case: str | None = None
    places: tuple[Place, ...] = ()
    complete: bool = True
    reason: str | None = None
    remedy: str | None = None

    @property
    def restoring_command(self) -> str | None:
        """What restores the most useful version that git holds, unless the file lies on disk somewhere."""
        if self.case == "wrong-location":
            return None
        return next((place.restoring_command for place in self.places if place.restoring_command), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON: every key is present, empty is ``[]`` or ``null``."""
        return {
            "id": self.id,
            "case": self.case,
            "places": [place.to_dict() for place in self.places],
            "complete": self.complete,
            "reason": self.reason,
        }


def decide_case(places: Iterable[Place]) -> str | None:
    """Why this checkout does not have the revision: the first rule that applies.

    1. ``wrong-location``: a file on disk in this checkout declares it, outside the version locations and outside
       any other environment, and git does not ignore that file.
    2. ``database-ahead``: HEAD never had it, and the line that this checkout follows has: the upstream of the
       current branch (or, without one, a remote branch of the same name); or HEAD is an ancestor of the commit and
       the commit is on the default branch (the remote's HEAD, else main, master or trunk), or, when HEAD is
       detached, on every branch that goes on from HEAD. Merely to descend from HEAD is not enough: so does a
       feature branch that was never merged.
    3. ``deleted``: HEAD or an ancestor of HEAD had it.
    4. ``other-branch``: it was committed on a line that HEAD does not have: an unmerged branch, a tag, or a branch
       that was deleted (then only a reflog or nothing at all leads to the commit).
    5. ``never-committed``: only staged, stashed, or untracked in another working tree.
    6. ``wrong-location``: as 1, but git ignores the file (a build product explains less than the history does).
    7. ``other-application``: it was found only in other Alembic environments of the repository.

    Bytecode alone decides nothing: it does not tell a deleted file from one that was never committed.
    """
    every = tuple(places)
    own = tuple(place for place in every if place.environment is None)
    if any(place.kind == "file" and not place.ignored for place in own):
        return "wrong-location"
    if any(place.ahead for place in own):
        return "database-ahead"
    if any(place.in_head for place in own):
        return "deleted"
    if any(place.kind in _COMMITTED for place in own):
        return "other-branch"
    if any(place.kind in _NOT_COMMITTED for place in own):
        return "never-committed"
    if any(place.kind == "file" for place in own):
        return "wrong-location"
    return "other-application" if any(place.environment is not None for place in every) else None


def find_lost_revisions(
    version_control: VersionControl | NotApplicable | Unavailable,
    ids: Collection[str],
    *,
    root: Path,
    script_location: Path,
    locations: Sequence[Path],
    time_limit: float = 30.0,
) -> Mapping[str, LostRevision]:
    """Search everything once for all ids. Never raises, never writes; every id has an entry in the answer.

    :param root: the project root, searched when there is no repository.
    :param script_location: the folder of this project's env.py.
    :param locations: the version locations; what Alembic loads from them is not lost, and not listed.
    :param time_limit: seconds for each stage; what was not reached is said.
    """
    wanted = frozenset(name for name in ids if name)
    if not wanted:
        return {name: LostRevision(id=name) for name in ids}
    search = _Search(
        ids=wanted,
        script_location=script_location.resolve(),
        locations=tuple(location.resolve() for location in locations),
        time_limit=time_limit,
    )
    notes: list[str] = []
    repositories: tuple[Repository, ...] = ()
    if isinstance(version_control, Unavailable):
        search.shortcomings.append(f"{GIT_NOT_SEARCHED}: {version_control.reason}")
        search.remedy = version_control.reason.partition(TRUST)[2] or None
    elif isinstance(version_control, NotApplicable):
        if version_control.reason == NOT_A_REPOSITORY:
            notes.append(version_control.reason)
        else:
            search.shortcomings.append(f"{GIT_NOT_SEARCHED}: {version_control.reason}")
    else:
        repositories = version_control.repositories
        trees = (tree for repository in repositories for tree in git_objects.other_working_trees(repository))
        search.other_trees = frozenset(trees)
    for top in dict.fromkeys((*(repository.top for repository in repositories), root.resolve())):
        if not any(
            repository.top != top and top.is_relative_to(repository.top) for repository in repositories
        ):
            search.folder(top)
    for repository in repositories:
        search.repository(repository)
    search.bytecode()
    reason = "; ".join((*search.shortcomings, *notes)) or None
    return {name: search.answer(name, reason) for name in ids}


@dataclass(kw_only=True)
class _Search:
    """The state of one search: what is wanted, and what was found so far."""

    ids: frozenset[str]
    script_location: Path
    locations: tuple[Path, ...]
    time_limit: float
    found: dict[str, list[Place]] = field(default_factory=dict)
    environments: dict[Path, None] = field(default_factory=dict)
    other_trees: frozenset[Path] = frozenset()
    shortcomings: list[str] = field(default_factory=list)
    remedy: str | None = None

    def answer(self, name: str, reason: str | None) -> LostRevision:
        places = tuple(sorted(self.found.get(name, ()), key=_usefulness))
        complete = not self.shortcomings
        return LostRevision(
            id=name,
            case=decide_case(places),
            places=places,
            complete=complete,
            reason=reason,
            remedy=self.remedy,
        )

    def add(self, file: Declarations, place: Place) -> None:
        known = replace(place, down_revisions=file.down_revisions, message=file.message)
        places = self.found.setdefault(file.revision or "", [])
        if known not in places:
            places.append(known)

    def declared(self, content: bytes) -> Declarations | None:
        """What these bytes declare, when they are a revision file that declares one of the ids."""
        if not any(word in content for word in self.words):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python says about an old text does not matter here
            read = read_declarations(content, compiles=True)
        return read if isinstance(read, Declarations) and read.revision in self.ids else None

    @property
    def words(self) -> tuple[bytes, ...]:
        return tuple(name.encode("utf-8", "surrogatepass") for name in self.ids)

    def folder(self, top: Path) -> None:
        """Look at every Python file below a folder; environments, caches and installed packages on the way."""
        entries, deadline = 0, time.monotonic() + self.time_limit
        for name, folders, files in os.walk(top):
            folder = Path(name)
            entries += len(folders) + len(files)
            if entries > FILE_LIMIT or time.monotonic() > deadline:
                self.shortcomings.append(f"the search of the folder stopped after {entries} entries")
                return
            folders[:] = sorted(
                inner
                for inner in folders
                if inner not in _LEFT_OUT
                and folder / inner not in self.other_trees
                and not (folder / inner / "pyvenv.cfg").exists()
            )
            if "env.py" in files and ("versions" in folders or "script.py.mako" in files):
                self.environments[folder] = None
            for file_name in sorted(filter(_PYTHON_NAME.fullmatch, files)):
                content = _content(folder / file_name)
                if content is not None and (file := self.declared(content)) is not None:
                    self._found_on_disk(top, folder / file_name, file)

    def _found_on_disk(self, top: Path, path: Path, file: Declarations) -> None:
        if self._is_loaded(path):
            return
        environment = self._other_environment(path)
        self.add(
            file,
            Place(
                kind="file",
                root=top,
                path=path.relative_to(top).as_posix(),
                environment=environment.relative_to(top).as_posix() if environment else None,
            ),
        )

    def _is_loaded(self, path: Path) -> bool:
        """Whether Alembic loads the file, or stops at it: then it is not lost."""
        return path.parent in self.locations and _LOADED.fullmatch(path.name) is not None and path.exists()

    def _other_environment(self, path: Path) -> Path | None:
        """The nearest other environment that a path lies in; ``None`` when it is nearer to our own."""
        ours = {self.script_location, *self.locations}
        for folder in path.parents:
            if folder in ours:
                return None
            if folder in self.environments:
                return folder
        return None

    def bytecode(self) -> None:
        """Look at the bytecode of the version locations; another Python's can only be told by its name."""
        for location in self.locations:
            for path in sorted((*location.glob("*.pyc"), *location.glob("__pycache__/*.pyc"))):
                read = read_bytecode(_content(path) or b"")
                if not isinstance(read, Declarations):
                    names = (name for name in self.ids if _names(path.name, name))
                    read = Declarations(revision=next(names, None))
                if read.revision in self.ids:
                    self.add(
                        read,
                        Place(kind="bytecode", root=location, path=path.relative_to(location).as_posix()),
                    )

    def repository(self, repository: Repository) -> None:
        """Every blob of a repository, then what leads to those that declare one of the ids."""
        if repository.shallow:
            self.shortcomings.append("this is a shallow clone: its older history is not here")
            self.remedy = self.remedy or f"git -C {shlex.quote(str(repository.top))} fetch --unshallow"
        if git_objects.is_partial(repository):
            self.shortcomings.append("this is a partial clone: files that were never fetched are not here")
        locations = [place for place in self.locations if place.is_relative_to(repository.top)]
        paths = [location.relative_to(repository.top).as_posix() for location in locations]
        scan = Scan(repository, time_limit=self.time_limit)
        try:
            self._mark_ignored(repository)
            for top in git_objects.other_working_trees(repository):
                self._working_tree(top, paths)
            contents = scan.blobs_with(self.words, paths)
            blobs = {blob: file for blob, content in contents if (file := self.declared(content)) is not None}
            if blobs:
                self._explain(repository, blobs)
        except GitError as error:
            self.shortcomings.append(f"git was not searched to the end: {error.message}")
        self.shortcomings += scan.shortcomings

    def _explain(self, repository: Repository, blobs: Mapping[str, Declarations]) -> None:
        changes = git_objects.find_changes(repository, blobs, time_limit=self.time_limit)
        self._committed(repository, blobs, changes)
        explained = {change.new for change in changes}
        self._uncommitted(repository, {blob: file for blob, file in blobs.items() if blob not in explained})

    def _committed(
        self, repository: Repository, blobs: Mapping[str, Declarations], changes: Sequence[Change]
    ) -> None:
        """One place for each blob at each path: the commit that explains it best."""
        outside = git_objects.commits_outside_head(repository, {change.commit.id for change in changes})
        still_there = git_objects.blobs_in_head(repository, {change.path for change in changes})
        lines = _Lines(repository)
        for blob, path in dict.fromkeys(
            (change.new, change.path) for change in changes if change.new in blobs
        ):
            assert blob is not None  # noqa: S101 - a key of blobs
            brought = _ordinary(change for change in changes if (change.new, change.path) == (blob, path))
            removed = _ordinary(change for change in changes if (change.old, change.path) == (blob, path))
            below = _newest(change for change in brought if change.commit.id not in outside)
            if below is not None:
                gone = _newest(change for change in removed if change.commit.id not in outside)
                stays = still_there.get(path) == blob
                if (
                    stays
                    and self._is_loaded(repository.top / path)
                    and not self._was_edited(path, repository)
                ):
                    continue
                place = lines.named(Place(kind="commit", root=repository.top, path=path, commit=below.commit))
                deleted_by = None if gone is None or stays else gone.commit
                place = replace(place, in_head=True, deleted_by=deleted_by, still_in_head=stays)
            else:
                recent = sorted(brought, key=lambda change: change.commit.date, reverse=True)[
                    :_COMMITS_EXAMINED
                ]
                place = min(
                    (lines.outside_head(repository.top, change) for change in recent), key=_usefulness
                )
            environment = self._other_environment(repository.top / path)
            within = environment.relative_to(repository.top).as_posix() if environment else None
            occupied = os.path.lexists(repository.top / path)
            self.add(blobs[blob], replace(place, blob=blob, environment=within, occupied=occupied))

    def _was_edited(self, path: str, repository: Repository) -> bool:
        """Whether the file on disk declares none of the ids any more; one that cannot be read may still do."""
        content = _content(repository.top / path)
        if content is None:
            return False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in declared
            read = read_declarations(content)
        return isinstance(read, Declarations) and read.revision not in self.ids

    def _uncommitted(self, repository: Repository, blobs: Mapping[str, Declarations]) -> None:
        staged = git_objects.staged_paths(repository, blobs) if blobs else {}
        for blob, file in blobs.items():
            path = staged.get(blob)
            environment = self._other_environment(repository.top / path) if path else None
            self.add(
                file,
                Place(
                    kind="index" if path else "blob",
                    root=repository.top,
                    path=path,
                    blob=blob,
                    environment=environment.relative_to(repository.top).as_posix() if environment else None,
                ),
            )

    def _working_tree(self, top: Path, folders: Sequence[str]) -> None:
        """The version locations of another working tree of the same repository."""
        for path in sorted(path for folder in folders for path in (top / folder).glob("*.py")):
            content = _content(path)
            if content is not None and (file := self.declared(content)) is not None:
                self.add(file, Place(kind="worktree", root=top, path=path.relative_to(top).as_posix()))

    def _mark_ignored(self, repository: Repository) -> None:
        """Tell files that git ignores from those that somebody put where they are."""
        places = [place for places in self.found.values() for place in places if place.root == repository.top]
        paths = {place.path for place in places if place.kind == "file" and place.path is not None}
        if not paths:
            return
        words = os.fsencode("\0".join(f"./{path}" for path in sorted(paths)))
        try:
            answer = os.fsdecode(run_git(repository.top, "check-ignore", "-z", "--stdin", words=words))
        except GitError:  # a path in a submodule: it is not this repository's to ignore
            return
        ignored = {path.removeprefix("./") for path in answer.split("\0")}
        for name, known in self.found.items():
            self.found[name] = [
                replace(place, ignored=place.root == repository.top and place.path in ignored)
                for place in known
            ]


class _Lines:
    """The lines of history of one repository: what leads to a commit, and whether HEAD is on the way to it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.stashed: Mapping[str, str] | None = None

    def named(self, place: Place) -> Place:
        """The place with the names of the refs that lead to its commit."""
        assert place.commit is not None  # noqa: S101 - asked of committed places only
        return _with_refs(place, git_objects.refs_containing(self.repository, place.commit.id))

    def outside_head(self, top: Path, change: Change) -> Place:
        """The place of a commit that HEAD does not have."""
        commit = change.commit
        place = Place(kind="unreachable", root=top, path=change.path, commit=commit)
        if not change.reachable:
            return replace(place, kind="dropped-stash") if commit.looks_like_stash else place
        refs = git_objects.refs_containing(self.repository, commit.id)
        if refs - {"refs/stash"}:
            return replace(_with_refs(place, refs), kind="commit", ahead=self._is_ahead(commit, refs))
        if self.stashed is None:
            self.stashed = git_objects.stashed_commits(self.repository)
        if stash := self.stashed.get(commit.id):
            return replace(place, kind="stash", stash=stash)
        return replace(place, kind="dropped-stash" if commit.looks_like_stash else "reflog")

    def _is_ahead(self, commit: Commit, refs: frozenset[str]) -> bool:
        """See rule 2 of ``decide_case``."""
        branch, upstream = self.repository.branch, self.repository.upstream
        if upstream is not None and not refs.isdisjoint(
            {f"refs/remotes/{upstream}", f"refs/heads/{upstream}"}
        ):
            return True
        remote_branches = {ref.split("/", 3)[3] for ref in refs if ref.startswith("refs/remotes/")}
        if branch is not None and upstream is None and branch in remote_branches:
            return True
        if self.repository.head is None or not git_objects.descends_from_head(self.repository, commit.id):
            return False
        local_branches = {ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")}
        if "HEAD" in remote_branches or not _MAINLINES.isdisjoint(local_branches | remote_branches):
            return True
        going_on = git_objects.refs_containing(self.repository, self.repository.head)
        branches = {ref for ref in going_on if ref.startswith(("refs/heads/", "refs/remotes/"))}
        return branch is None and branches <= refs


def _with_refs(place: Place, refs: frozenset[str]) -> Place:
    def below(*prefixes: str) -> tuple[str, ...]:
        chosen = (ref for ref in refs if ref.startswith(prefixes) and not ref.endswith("/HEAD"))
        return tuple(sorted(re.sub(r"^refs/(heads|remotes|tags)/", "", ref) for ref in chosen))

    named = ("refs/heads/", "refs/remotes/", "refs/tags/")
    others = tuple(sorted(ref for ref in refs if not ref.startswith(named) and ref != "refs/stash"))
    return replace(
        place,
        branches=below("refs/heads/"),
        remote_branches=below("refs/remotes/"),
        tags=below("refs/tags/"),
        other_refs=others,
    )


def _usefulness(place: Place) -> tuple[bool, int, float]:
    """Ours before another application's; the line this checkout follows first, then the newest."""
    kinds = (
        "file",
        "commit",
        "stash",
        "reflog",
        "unreachable",
        "dropped-stash",
        "index",
        "worktree",
        "blob",
        "bytecode",
    )
    rank = 2 * kinds.index(place.kind) - (place.ahead or (place.kind == "commit" and place.in_head))
    return place.environment is not None, rank, -place.commit.date.timestamp() if place.commit else 0.0


def _ordinary(changes: Iterable[Change]) -> list[Change]:
    """The changes of ordinary commits; those of merges only where there are no others."""
    every = list(changes)
    return [change for change in every if len(change.commit.parents) < 2] or every  # noqa: PLR2004


def _newest(changes: Iterable[Change]) -> Change | None:
    return max(changes, key=lambda change: change.commit.date, default=None)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= git_objects.SIZE_LIMIT else None
    except OSError:
        return None


def _names(file_name: str, revision: str) -> bool:
    """Whether a file is named after a revision (``1a2b_add_user.cpython-310.pyc``)."""
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(revision)}(?![0-9A-Za-z])", file_name) is not None
