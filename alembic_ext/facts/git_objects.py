"""What git still holds: the content of every blob, and the commits and refs that lead to it. Streams; writes nothing."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from alembic_ext.facts.version_control import GitError, git_command, git_environment, run_git

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from alembic_ext.facts.version_control import Repository

SIZE_LIMIT = 200_000
"""Larger blobs are not read: no revision file that a person wrote is that long."""

_DROPPED_STASH = re.compile(r"(WIP on|On|index on|untracked files on) [^:]+: ")


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit. ``date`` is the committer's, in UTC."""

    id: str
    parents: tuple[str, ...]
    author: str
    date: datetime
    subject: str

    @property
    def looks_like_stash(self) -> bool:
        """Whether ``git stash`` wrote it, judged by its subject; all that is left of a stash that was dropped."""
        return _DROPPED_STASH.match(self.subject) is not None

    def to_dict(self) -> dict[str, Any]:
        date = self.date.isoformat().replace("+00:00", "Z")
        return {"id": self.id, "author": self.author, "date": date, "subject": self.subject}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One path that a commit changed: ``old`` and ``new`` are blobs, ``None`` where the path did not exist.

    :param reachable: a ref or a reflog still leads to the commit.
    """

    commit: Commit
    path: str
    old: str | None
    new: str | None
    reachable: bool = True


class Scan:
    """One pass over every blob of a repository, reachable or not, staged or not.

    After the pass, ``shortcomings`` says in sentences what was not read; empty means everything was.
    """

    def __init__(self, repository: Repository, *, time_limit: float) -> None:
        self.top = repository.top
        self.time_limit = time_limit
        self.shortcomings: list[str] = []
        self._larger = self._unreadable = 0

    def blobs_with(self, words: Collection[bytes], paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Name and content of the blobs in which one of the words occurs.

        When the time runs out, what history shows at ``paths`` is read: that needs no look at the rest of a very
        large repository.
        """
        every_object = ("cat-file", "--batch-all-objects", "--unordered", "--buffer")
        check = "--batch-check=%(objecttype) %(objectsize) %(objectname)"
        deadline = time.monotonic() + self.time_limit
        yield from self._read((*every_object, check), self._small_blobs, words, deadline)
        if self._larger:
            objects = (
                "1 object larger than {} kB was"
                if self._larger == 1
                else f"{self._larger} objects larger than {{}} kB were"
            )
            self.shortcomings.append(f"{objects.format(SIZE_LIMIT // 1000)} not read")
        if time.monotonic() >= deadline:
            self.shortcomings.append(f"the search of all objects stopped after {self.time_limit:g} s")
            yield from self.blobs_of_history(words, paths)

    def blobs_of_history(self, words: Collection[bytes], paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """As above, of the blobs that commits of any ref or reflog brought to these paths."""
        log = (
            "log",
            "--all",
            "--reflog",
            "-m",
            "--format=",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--no-color",
        )
        deadline = time.monotonic() + self.time_limit
        yield from self._read(("--literal-pathspecs", *log, "--", *paths), _blobs_of_log, words, deadline)

    def _small_blobs(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            if line.startswith(b"blob "):
                _, size, name = line.split()
                if int(size) <= SIZE_LIMIT:
                    yield name
                else:
                    self._larger += 1
            elif line.endswith(b" missing\n"):
                self._unreadable += 1

    def _read(
        self,
        listing: tuple[str, ...],
        names_of: Callable[[Iterable[bytes]], Iterator[bytes]],
        words: Collection[bytes],
        deadline: float,
    ) -> Iterator[tuple[str, bytes]]:
        """Name the blobs with one process, read them with another; a thread carries the names over."""
        reading = ("cat-file", "--batch", "--buffer")
        with _stream(self.top, listing, deadline) as lister, _stream(self.top, reading, deadline) as reader:
            carrier = threading.Thread(target=_carry, args=(names_of, lister, reader), daemon=True)
            carrier.start()
            assert reader.stdout is not None  # noqa: S101 - asked for
            while (header := reader.stdout.readline()).endswith(b"\n"):  # cut short when the time is over
                name, kind, *size = header.split()
                if kind != b"blob":  # an object that a partial clone left out
                    continue
                content = reader.stdout.read(int(size[0]) + 1)
                if any(word in content for word in words):
                    yield name.decode("ascii"), content[:-1]
            carrier.join()
            failed = [process for process in (lister, reader) if process.wait() != 0]
        if (failed or self._unreadable) and time.monotonic() < deadline:
            self.shortcomings.append("git could not read all of its objects; `git fsck` says more")


def find_changes(repository: Repository, blobs: Collection[str], *, time_limit: float) -> list[Change]:
    """Every change that brought or removed one of these blobs, also in merges (a stash is one).

    All refs and reflogs are asked first; then, for blobs that they do not explain, the commits that nothing
    leads to any more.
    """
    reachable = ("-m", "--all", "--reflog")
    found = list(_log(repository, blobs, reachable, b"", reachable=True, time_limit=time_limit))
    unexplained = set(blobs) - {change.new for change in found}
    if unexplained and (commits := _every_commit(repository, time_limit)):
        others = ("-m", "--stdin", "--not", "--all", "--reflog")
        found += _log(repository, unexplained, others, commits, reachable=False, time_limit=time_limit)
    return found


def staged_paths(repository: Repository, blobs: Collection[str]) -> dict[str, str]:
    """Blob -> path, for those that an index of one of the repository's working trees holds."""
    found: dict[str, str] = {}
    for git_dir in (repository.common_dir, *_linked_git_dirs(repository)):
        if not (git_dir / "index").is_file():
            continue
        listing = run_git(repository.top, f"--git-dir={git_dir}", "ls-files", "--stage", "--full-name", "-z")
        for entry in listing.split(b"\0"):
            words, _, name = entry.partition(b"\t")
            if words and (blob := words.split()[1].decode("ascii")) in blobs:
                found.setdefault(blob, os.fsdecode(name))
    return found


def other_working_trees(repository: Repository) -> Iterator[Path]:
    """The folders of the repository's other working trees, as far as they exist."""
    main = repository.common_dir.parent
    if repository.common_dir.name == ".git" and main != repository.top and main.is_dir():
        yield main
    for git_dir in _linked_git_dirs(repository):
        try:
            link = os.fsdecode((git_dir / "gitdir").read_bytes()).strip()
        except OSError:
            continue
        top = Path(os.path.normpath(git_dir / link)).parent  # newer versions of git may write a relative path
        if top != repository.top and top.is_dir():
            yield top


def blobs_in_head(repository: Repository, paths: Collection[str]) -> dict[str, str]:
    """Path -> blob, for those of the paths that HEAD holds."""
    if repository.head is None or not paths:
        return {}
    listing = run_git(repository.top, "ls-tree", "-z", "--full-tree", repository.head, "--", *sorted(paths))
    entries = (entry.partition(b"\t") for entry in listing.split(b"\0") if entry)
    return {os.fsdecode(name): words.split()[2].decode("ascii") for words, _, name in entries}


def commits_outside_head(repository: Repository, commits: Collection[str]) -> frozenset[str]:
    """Those of the commits that are no ancestors of HEAD, nor HEAD itself."""
    if repository.head is None or not commits:
        return frozenset(commits)
    words = "\n".join(commits).encode("ascii")
    listing = run_git(
        repository.top, "rev-list", "--stdin", "--not", repository.head, words=words, time_limit=60
    )
    return frozenset(commits) & frozenset(listing.decode("ascii").split())


def refs_containing(repository: Repository, commit: str) -> frozenset[str]:
    """Full names of the refs whose history holds a commit."""
    listing = run_git(
        repository.top, "for-each-ref", "--contains", commit, "--format=%(refname)", time_limit=60
    )
    return frozenset(os.fsdecode(listing).splitlines())


def descends_from_head(repository: Repository, commit: str) -> bool:
    """Whether HEAD is an ancestor of the commit."""
    if repository.head is None:
        return False
    return not run_git(
        repository.top, "rev-list", "--max-count=1", repository.head, "--not", commit, time_limit=60
    )


def stashed_commits(repository: Repository) -> dict[str, str]:
    """Commit -> ``stash@{n}``: the stash commit itself and the two that hold its index and its untracked files."""
    try:
        listing = run_git(repository.top, "log", "--walk-reflogs", "--format=%H %P", "refs/stash", "--")
    except GitError:  # nothing is stashed
        return {}
    stashes = enumerate(listing.decode("ascii").splitlines())
    named = ((words.split(), f"stash@{{{number}}}") for number, words in stashes)
    return {commit: name for (stash, _base, *more), name in named for commit in (stash, *more)}


def is_partial(repository: Repository) -> bool:
    """Whether git left objects out when it cloned, to fetch them when they are needed."""
    return any(repository.common_dir.glob("objects/pack/*.promisor"))


def _log(
    repository: Repository,
    blobs: Collection[str],
    selection: tuple[str, ...],
    words: bytes,
    *,
    reachable: bool,
    time_limit: float,
) -> Iterator[Change]:
    form = "--format=tformat:%H%x00%P%x00%ct%x00%an%x00%s"
    shape = ("log", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-color", "--encoding=UTF-8", form)
    # In a partial clone --find-object would fetch every blob; there we pick the changes out ourselves.
    objects = () if is_partial(repository) else tuple(f"--find-object={blob}" for blob in blobs)
    wanted = frozenset(blobs)
    arguments = (*shape, *objects, *selection)
    with _stream(repository.top, arguments, time.monotonic() + time_limit) as process:
        assert process.stdin is not None  # noqa: S101 - asked for
        assert process.stdout is not None  # noqa: S101 - asked for
        process.stdin.write(words)
        process.stdin.close()
        tokens = _tokens(process.stdout)
        token = next(tokens, None)
        while token is not None:
            words_of_commit = (token, *(next(tokens, b"") for _ in range(4)))
            commit = _commit(*(word.decode("utf-8", "replace") for word in words_of_commit))
            token = next(tokens, None)
            while token is not None and token.lstrip(b"\n").startswith(b":"):
                _, _, before, after, _ = token.decode("ascii").split()
                path = os.fsdecode(next(tokens, b""))
                if not wanted.isdisjoint((before, after)):
                    yield Change(
                        commit=commit, path=path, old=_blob(before), new=_blob(after), reachable=reachable
                    )
                token = next(tokens, None)
        if process.wait() != 0:
            raise GitError(f"git log stopped with exit code {process.returncode}.")


def _commit(name: str, parents: str, seconds: str, author: str, subject: str) -> Commit:
    date = datetime.fromtimestamp(int(seconds), tz=timezone.utc)
    return Commit(id=name.strip(), parents=tuple(parents.split()), author=author, date=date, subject=subject)


def _tokens(stream: IO[bytes]) -> Iterator[bytes]:
    """The pieces between NUL bytes, however long the stream."""
    rest = b""
    while piece := stream.read(1 << 18):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole


def _every_commit(repository: Repository, time_limit: float) -> bytes:
    form = "--batch-check=%(objecttype) %(objectname)"
    arguments = ("cat-file", "--batch-all-objects", "--unordered", "--buffer", form)
    with _stream(repository.top, arguments, time.monotonic() + time_limit) as process:
        assert process.stdout is not None  # noqa: S101 - asked for
        return b"".join(line[7:] for line in process.stdout if line.startswith(b"commit "))


def _linked_git_dirs(repository: Repository) -> list[Path]:
    return sorted(repository.common_dir.glob("worktrees/*"))


def _blobs_of_log(lines: Iterable[bytes]) -> Iterator[bytes]:
    seen: set[bytes] = set()
    for line in lines:
        if line.startswith(b":") and (name := line.split()[3]) not in seen and name.strip(b"0"):
            seen.add(name)
            yield name


def _carry(
    names_of: Callable[[Iterable[bytes]], Iterator[bytes]],
    lister: subprocess.Popen[bytes],
    reader: subprocess.Popen[bytes],
) -> None:
    assert lister.stdout is not None  # noqa: S101 - asked for
    assert reader.stdin is not None  # noqa: S101 - asked for
    with suppress(OSError, ValueError):  # the reader was stopped: its own end tells
        reader.stdin.writelines(name + b"\n" for name in names_of(lister.stdout))
    with suppress(OSError):
        reader.stdin.close()


@contextmanager
def _stream(folder: Path, arguments: tuple[str, ...], deadline: float) -> Iterator[subprocess.Popen[bytes]]:
    """One git process to stream from; it is ended at the deadline and whenever the block is left."""
    try:
        process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            git_command(*arguments),
            cwd=folder,
            env=git_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=1 << 18,
        )
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror or error}.") from error
    watch = threading.Timer(max(deadline - time.monotonic(), 0.0), process.kill)
    watch.daemon = True
    watch.start()
    try:
        yield process
    finally:
        watch.cancel()
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdin, process.stdout)):
            with suppress(OSError):  # names were still waiting to be written
                pipe.close()


def _blob(name: str) -> str | None:
    return name if name.strip("0") else None
